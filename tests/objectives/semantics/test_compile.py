"""Compiled losses: weighted model counts, the direct formula of ORPO, and what cannot be compiled."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from truing.errors import ObjectiveError
from truing.objectives import Batch, Scores, logic, orpo
from truing.objectives.algebra import Hinge, Logistic, Squared, pairwise, sum_logp
from truing.objectives.recipe import build
from truing.objectives.semantics import Formula, Structure, compile, parse, ratio
from truing.objectives.semantics.counting import count, log_count, same_products
from truing.objectives.semantics.formulas import ATOMS, FALSE, TRUE


def one_pair(p_w: float, p_l: float, q_w: float = 0.5, q_l: float = 0.5) -> Scores:
    policy, reference = (torch.tensor(pair, dtype=torch.float64).log() for pair in ([p_w, p_l], [q_w, q_l]))
    return Scores.from_sequences(policy, reference)


@given(st.integers(1, 2**16 - 1), st.lists(st.floats(0.01, 0.99), min_size=4, max_size=4))
def test_a_count_is_the_sum_over_assignments(table: int, values: list[float]) -> None:
    """Independently: all 16 rows, with probabilities multiplied one by one."""
    atoms = ATOMS[:4]
    formula = Formula(atoms, table)
    expected = 0.0
    for row in range(16):
        if table >> row & 1:
            signs = [row >> place & 1 for place in range(4)]
            expected += math.prod(p if sign else 1 - p for p, sign in zip(values, signs, strict=True))
    probabilities = dict(zip(atoms, values, strict=True))
    logps = {name: torch.tensor([math.log(p)], dtype=torch.float64) for name, p in probabilities.items()}
    assert count(formula, probabilities) == pytest.approx(expected, rel=1e-12)
    assert math.exp(float(log_count(formula, logps))) == pytest.approx(expected, rel=1e-9)


def test_products_are_compared_exactly() -> None:
    w, l = parse("M_w"), parse("M_l")  # noqa: E741
    assert same_products((w & l, TRUE), (w, l))
    assert not same_products((w | l, TRUE), (w, l))
    # 1 − (1 − p)(1 − q) and p + q − p·q
    assert same_products((w | l, TRUE), (~(~w & ~l), TRUE))


def test_orpo_equals_its_direct_formula_with_its_gradient() -> None:
    structure = Structure(parse("M_l -> M_w"), parse("(M_w & !M_l) | (M_l & !M_w)"), FALSE)
    generator = torch.Generator().manual_seed(0)
    policy = [-3 * torch.rand(n, generator=generator, dtype=torch.float64) - 0.02 for n in (3, 7, 2, 5)]
    scores, batch = Scores.from_sequences(policy), Batch.pairs(2)
    leaves, losses = [], []
    for objective in (
        compile(structure),
        10 * replace(orpo(ratio_weight=0.1), terms=orpo(ratio_weight=0.1).terms[1:]),
    ):
        leaf = scores.token_logps.clone().requires_grad_()
        loss = objective(replace(scores, token_logps=leaf), batch).loss
        losses.append(loss.detach())
        leaves.append(torch.autograd.grad(loss, leaf)[0])
    # And by the formula of the paper, without the package.
    mean = torch.stack([part.mean() for part in policy])
    odds = mean - torch.log(-torch.expm1(mean))
    direct = torch.nn.functional.softplus(-(odds[0::2] - odds[1::2])).mean()
    assert float(losses[0]) == pytest.approx(float(losses[1]), abs=1e-9) == pytest.approx(float(direct), abs=1e-9)
    torch.testing.assert_close(leaves[0], leaves[1], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("link", "expected"),
    # CE at p = 1/4: rho = −log 3.
    [(Logistic(1.0), math.log(4)), (Hinge(2.0), 1 + 2 * math.log(3)), (Squared(0.5), (math.log(3) + 0.5) ** 2)],
)
def test_links(link: Logistic | Hinge | Squared, expected: float) -> None:
    loss = compile(ratio("P_w", "1 - P_w"), link)(one_pair(0.25, 0.5), Batch.pairs(1)).loss
    assert float(loss) == pytest.approx(expected, rel=1e-12)


def test_without_condition_and_addition_it_is_the_semantic_loss() -> None:
    """−log WMC(P), for P = M_l -> M_w at 0.2 and 0.6: −log(1 − 0.6·0.8)."""
    loss = compile(Structure(parse("M_l -> M_w"), TRUE, FALSE))(one_pair(0.2, 0.6), Batch.pairs(1)).loss
    assert float(loss) == pytest.approx(-math.log(0.52), rel=1e-12)


def test_the_reference_is_counted_like_the_policy_and_gets_no_gradient() -> None:
    objective = compile(ratio("P_w * R_l", "P_l * R_w"), Logistic(0.5))
    assert objective.requires == {"reference"}
    loss = objective(one_pair(0.3, 0.2, 0.5, 0.4), Batch.pairs(1)).loss
    # rho = log (0.3·0.4)/(0.2·0.5) = log 1.2
    assert float(loss) == pytest.approx(math.log1p(1.2**-0.5), rel=1e-12)


def test_sums_lose_their_complements_and_means_do_not() -> None:
    """An answer of 500 tokens at −2 nats: 1 − e^−1000 is 1, so that cCPO becomes CPO; with means it does not."""
    scores = Scores.from_sequences([torch.full((500,), v, dtype=torch.float64) for v in (-2.0, -1.9)])
    cpo = pairwise(name="cpo", score=sum_logp(), link=Logistic(1.0))(scores, Batch.pairs(1)).loss
    total, mean = (logic(reduction=how)(scores, Batch.pairs(1)).loss for how in ("sum", "mean"))
    assert float(total) == pytest.approx(float(cpo), rel=1e-12) == pytest.approx(50.0)
    # rho = 0.1 nats less, and −log(1 − e^−2) more
    assert float(mean) == pytest.approx(math.log1p(math.exp(0.1 + math.log1p(-math.exp(-2)))), rel=1e-9)


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        (Structure(TRUE, TRUE, FALSE), "nothing can make D true"),
        (Structure(FALSE, TRUE, FALSE), "nothing can make N true"),
        (Structure(parse("M_w"), parse("M_w"), FALSE), "nothing can make D true"),
        (Structure(parse("M_w"), parse("M_l"), TRUE), "does not depend on the policy"),
        (Structure(parse("Ref_w"), TRUE, FALSE), "does not depend on the policy"),
        (Structure(parse("Mar_w & M_w"), TRUE, FALSE), "do not stand as one"),
        (ratio("P_w", "P_l").with_margin(), "no margin was given"),
    ],
)
def test_what_would_not_train_is_refused(structure: Structure, message: str) -> None:
    with pytest.raises(ObjectiveError, match=message):
        compile(structure)


def test_a_margin_is_subtracted_from_rho() -> None:
    simpo = ratio("P_w", "P_l").with_margin()
    loss = compile(simpo, Logistic(2.0), margin=0.5)(one_pair(0.4, 0.2), Batch.pairs(1)).loss
    assert float(loss) == pytest.approx(math.log1p(math.exp(-2 * (math.log(2) - 0.5))), rel=1e-12)


def test_smoothed_labels_exchange_the_answers_in_the_formula() -> None:
    """cCPO of the exchanged pair is log p_l over p_w (1 − p_l), and not D over N."""
    own, exchanged = (math.log1p(b / a) for a, b in ((0.4, 0.2 * 0.6), (0.2, 0.4 * 0.8)))
    loss = logic().smoothed(0.25)(one_pair(0.4, 0.2), Batch.pairs(1)).loss
    assert float(loss) == pytest.approx(0.75 * own + 0.25 * exchanged, rel=1e-12)


def test_a_recipe_names_a_formula() -> None:
    spec = {"name": "logic", "formula": "implies(M_l, M_w)", "given": "M_w | M_l", "also": "false", "beta": 1.0}
    assert build(spec).text() == "−log σ(log p_w − log((1 − p_w)·p_l))"
    reference = build({"name": "logic", "formula": "M_w & !M_l", "given": "true", "against": "reference"})
    assert reference.requires == {"reference"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"formula": "M_w &"}, r"formula = 'M_w &' cannot be used: it cannot be read at its end"),
        ({"given": "M_v"}, "given = 'M_v' cannot be used: it has an unknown atom"),
        ({"formula": "M_w & Mar_l"}, "atoms of a margin are not written in a formula"),
        ({"formula": "M_w & !Ref_w", "against": "reference"}, "speaks of the reference already"),
        ({"formula": "true"}, "nothing can make D true"),
        ({"link": "cubic"}, "it should be 'logistic', 'hinge' or 'square'"),
        ({"gama": 1.0}, "did you mean 'gamma'"),
    ],
)
def test_a_mistake_in_a_recipe_names_the_key(spec: dict[str, object], message: str) -> None:
    with pytest.raises(ObjectiveError, match=message) as caught:
        build({"name": "logic", **spec})
    assert str(caught.value.where).startswith("objective")


def test_extreme_answers_stay_finite() -> None:
    for p_w, p_l in itertools.product((1 - 1e-12, 1e-300, 0.5), repeat=2):
        for objective in (logic(), logic(formula="M_w & !M_l", given="true"), logic(against="reference")):
            leaf = one_pair(p_w, p_l, 1 - 1e-9, 1e-200)
            policy = leaf.token_logps.clone().requires_grad_()
            loss = objective(replace(leaf, token_logps=policy), Batch.pairs(1)).loss
            (gradient,) = torch.autograd.grad(loss, policy)
            assert torch.isfinite(loss)
            assert torch.isfinite(gradient).all()
