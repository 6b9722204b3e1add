"""Golden forms of the paper (2412.17696), derived from the pieces of each objective; refusals; the way back."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives import METHODS, Objective, ccpo, cpo, dpo, ipo, logic, nll, orpo, simpo, slic, uncpo
from truing.objectives.algebra import (
    Absolute,
    Batch,
    ConstantMargin,
    Likelihood,
    Logistic,
    LogOdds,
    Pairwise,
    Scores,
    mean_logp,
)
from truing.objectives.semantics import decompile, parse, rebuild
from truing.objectives.semantics.compile import Logical
from truing.objectives.semantics.words import meaning

UNLIKELIHOOD = Absolute("rejected", LogOdds(), Logistic(), -1)
CE_UNLIKELIHOOD = Objective("ce-unlikelihood", ((1.0, Likelihood("mean")), (1.0, UNLIKELIHOOD)))
ASFT_ALIGNMENT = Objective(
    "asft-alignment", ((0.5, Absolute("chosen", LogOdds(), Logistic(), +1)), (0.5, UNLIKELIHOOD))
)

# Objective, N, D, core, condition, addition: the paper's table.
GOLDEN = [
    (nll("mean"), "M_w", "!M_w", "M_w", "true", "false"),
    (CE_UNLIKELIHOOD, "M_w & !M_l", "!(M_w & !M_l)", "M_w & !M_l", "true", "false"),
    (ASFT_ALIGNMENT, "M_w & !M_l", "!(M_w & !M_l)", "M_w & !M_l", "true", "false"),
    (cpo(), "M_w", "M_l", "M_l -> M_w", "M_w | M_l", "M_w & M_l"),
    (orpo(), "M_w & !M_l", "M_l & !M_w", "M_l -> M_w", "(M_w & !M_l) | (M_l & !M_w)", "false"),
    (ccpo(), "M_w", "M_l & !M_w", "M_l -> M_w", "M_w | M_l", "false"),
    (uncpo(), "!(M_l & !M_w)", "M_l & !M_w", "M_l -> M_w", "true", "false"),
    (
        dpo(),
        "M_w & Ref_l",
        "M_l & Ref_w",
        "M_l & Ref_w -> M_w & Ref_l",
        "(M_w & Ref_l) | (M_l & Ref_w)",
        "M_w & Ref_l & M_l & Ref_w",
    ),
    (
        simpo(),
        "M_w & Mar_l",
        "M_l & Mar_w",
        "M_l & Mar_w -> M_w & Mar_l",
        "(M_w & Mar_l) | (M_l & Mar_w)",
        "M_w & Mar_l & M_l & Mar_w",
    ),
]


@pytest.mark.parametrize(
    ("objective", "up", "down", "core", "given", "also"), GOLDEN, ids=[one[0].name for one in GOLDEN]
)
def test_the_forms_of_the_paper(
    objective: Objective, up: str, down: str, core: str, given: str, also: str
) -> None:
    found = decompile(objective).structure
    assert (found.numerator, found.denominator) == (parse(up), parse(down))
    assert (found.core, found.given, found.also) == (parse(core), parse(given), parse(also))


def test_logic_gives_back_the_formula_that_it_was_made_of() -> None:
    for text in ("M_w & !M_l", "M_l & Ref_w -> M_w", "M_w <-> !M_l"):
        assert decompile(logic(formula=text, given="true")).structure.core == parse(text)
    assert "Mar_l" in decompile(logic(gamma=1.0)).structure.atoms


def test_what_stands_beside_is_named() -> None:
    assert decompile(orpo()).beside == ("−log π(y_w)/|y_w|",)
    assert decompile(slic()).beside == ("−log π(y_w)",)
    assert decompile(dpo()).beside == ()


@pytest.mark.parametrize(
    ("name", "monotone"),
    [("dpo", True), ("hinge", True), ("rdpo", True), ("ipo", False), ("cdpo", False), ("exo", False)],
)
def test_monotone_links(name: str, monotone: bool) -> None:
    """rDPO subtracts what cDPO adds; IPO, cDPO and EXO have a finite optimum."""
    assert decompile(METHODS.get(name)()).monotone is monotone


@pytest.mark.parametrize(
    ("objective", "why"),
    [
        (METHODS.get("aot")(), "sorts over the batch"),
        (METHODS.get("bco-pair")(), "several links"),
        (METHODS.get("kto")(), "statistic of the batch"),
        (METHODS.get("bco")(), "statistic of the batch"),
        (METHODS.get("alphapo")(), "bent"),
        (METHODS.get("f-dpo")(), "bent"),
        (METHODS.get("infonca")(), "more than two answers"),
        (METHODS.get("flex-dpo")(), "no plain difference"),
        (-1.0 * dpo(), "not positive"),
        (simpo().smoothed(0.1), "margin of its own"),
        (ccpo().smoothed(0.1), "N and D of the exchanged pair are not D and N"),
        (METHODS.get("lcpo")(), "no rule is known for a term of kind LatentOrder"),
    ],
    ids=lambda value: value.name if isinstance(value, Objective) else None,
)
def test_what_has_no_form_is_refused_with_the_reason(objective: Objective, why: str) -> None:
    with pytest.raises(ObjectiveError, match=f"no symbolic form: .*{why}") as caught:
        decompile(objective)
    assert caught.value.where
    assert why in meaning(objective)["why_not"]


def test_smoothing_is_no_obstacle_where_both_sides_exchange() -> None:
    loss = decompile(logic(formula="M_l -> M_w", given="(M_w & !M_l) | (M_l & !M_w)").smoothed(0.1))
    assert (loss.straight, loss.swapped, loss.monotone) == (0.9, 0.1, False)


def _pairs() -> tuple[Scores, Batch]:
    generator = torch.Generator().manual_seed(5)
    lengths = [3, 5, 4, 2, 6, 1]
    policy, reference = (
        [-3 * torch.rand(n, generator=generator, dtype=torch.float64) - 0.05 for n in lengths] for _ in range(2)
    )
    scores = Scores.from_sequences(policy, reference)
    signals = {"log_collision": torch.full_like(scores.token_logps, -1.0)}
    return replace(scores, signals=signals), Batch.pairs(3, margin=torch.tensor([0.5, 1.0, 0.2]).double())


def _with_form() -> list[str]:
    found = []
    for method in METHODS:
        try:
            decompile(method())
        except ObjectiveError:
            continue
        if "pairs" in method().data:
            found.append(method.name)
    return found


@pytest.mark.parametrize("name", _with_form())
def test_the_rebuilt_loss_is_the_loss(name: str) -> None:
    """WMC of the formulas, against the objective's own way to compute: value and gradient."""
    objective = METHODS.get(name)()
    comparing = [(c, t) for c, t in objective.terms if t.compares] or list(objective.terms)
    plain = replace(objective, terms=tuple(comparing))
    again = rebuild(decompile(objective))
    assert isinstance(again.terms[0][1], Logical)
    scores, batch = _pairs()
    values = []
    for one in (plain, again):
        leaf = scores.token_logps.clone().requires_grad_()
        out = one(replace(scores, token_logps=leaf), batch)
        # A likelihood per token of the batch has another denominator: compare records.
        values.append((out.per_example.detach(), torch.autograd.grad(out.per_example.sum(), leaf)[0]))
    torch.testing.assert_close(values[0], values[1], rtol=1e-9, atol=1e-9)


def test_ipo_has_the_form_of_dpo_per_token() -> None:
    assert decompile(ipo()).structure == decompile(dpo()).structure
    assert decompile(ipo()).score.reduction == "mean"


def test_a_record_margin_becomes_the_atoms_of_a_margin() -> None:
    gap = Pairwise(mean_logp(), Logistic(2.0), margin=ConstantMargin(0.5))
    assert decompile(Objective("x", ((1.0, gap),))).structure == decompile(simpo()).structure
