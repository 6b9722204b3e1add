"""Labels that may be wrong: Gibbs probabilities, the posterior, reliabilities, and what wraps what."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives import bco, cpo, dpo, ipo, kto, lcpo, mm_dpo, nll, sft, simpo
from truing.objectives.algebra import Batch, LatentOrder, Objective, Scores, SharedPrefix
from truing.objectives.modifiers import lcpo as wrap

from .contract.worlds import assemble, records

START = 0.8


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def pairs(seed: int = 0, count: int = 6) -> tuple[Scores, Batch]:
    world = assemble("pairs", records("pairs", count, seed=seed))
    return replace(world.scores, token_logps=world.policy.detach()), world.batch


def losses(objective: Objective, scores: Scores, batch: Batch) -> Tensor:
    return objective(scores, batch).per_example


def gibbs(objective: Objective, scores: Scores, batch: Batch) -> Tensor:
    """The probability of each label, from the gradient of the wrapped loss by its own value.

    With η = ½ the value is log 2 − log(e^−L + e^−L'), so that L − value + log 2 = −log p.
    """
    term = LatentOrder(objective.terms, 0.5, 0.0)
    mixed = losses(replace(objective, terms=((1.0, term),)), scores, batch)
    return torch.exp(mixed - losses(objective, scores, batch) - math.log(2))


class TestGibbs:
    """p = σ(L(exchanged) − L(pair)), in the closed forms of the paper."""

    def test_dpo(self) -> None:
        scores, batch = pairs()
        ratio = scores.total(scores.token_logps - scores.reference)
        expected = torch.sigmoid(0.3 * (ratio[0::2] - ratio[1::2]))
        torch.testing.assert_close(gibbs(dpo(0.3), scores, batch), expected, rtol=1e-11, atol=1e-12)

    def test_ipo(self) -> None:
        """σ(2 d/τ), d the difference of mean log-ratios."""
        scores, batch = pairs()
        ratio = scores.total(scores.token_logps - scores.reference) / scores.lengths
        expected = torch.sigmoid(2 * (ratio[0::2] - ratio[1::2]) / 0.7)
        torch.testing.assert_close(gibbs(ipo(0.7), scores, batch), expected, rtol=1e-11, atol=1e-12)

    def test_simpo_is_undecided_at_equal_answers_although_its_sigmoid_is_not(self) -> None:
        scores = Scores.from_sequences(torch.tensor([-2.0, -2.0], dtype=torch.float64))
        assert float(gibbs(simpo(2.0, 1.0), scores, Batch.pairs(1))) == pytest.approx(0.5)
        # Gap D = 1: log σ(2 − 1) − log σ(−2 − 1) = −0.3132617 + 3.0485874
        apart = Scores.from_sequences(torch.tensor([-1.0, -2.0], dtype=torch.float64))
        assert float(gibbs(simpo(2.0, 1.0), apart, Batch.pairs(1))) == pytest.approx(sigmoid(2.7353257), rel=1e-7)

    def test_the_likelihood_of_cpo_is_exchanged_too(self) -> None:
        """Log π −1 and −2 over one token each: L = sp(−0.1) + 1, L' = sp(0.1) + 2, so L' − L = 0.1 + 1."""
        scores = Scores.from_sequences(torch.tensor([-1.0, -2.0], dtype=torch.float64))
        assert float(gibbs(cpo(0.1), scores, Batch.pairs(1))) == pytest.approx(sigmoid(1.1), rel=1e-12)

    def test_the_margin_of_the_record_turns_its_sign(self) -> None:
        """MM-DPO at margin 1, w = 1, k = 1, beta 0.5, gap 2: beta 0.5·(2 − e^−1) and 0.5·(2 − e)."""
        scores = Scores.from_sequences(
            torch.tensor([1.0, -1.0], dtype=torch.float64) - 3, torch.full((2,), -3.0, dtype=torch.float64)
        )
        batch = Batch.pairs(1, margin=torch.ones(1, dtype=torch.float64))
        straight, exchanged = (0.5 * (2 - math.exp(-1))) * 2, -max(1e-3, 0.5 * (2 - math.e)) * 2
        expected = sigmoid(math.log1p(math.exp(-exchanged)) - math.log1p(math.exp(-straight)))
        objective = mm_dpo(beta=0.5, growth=1.0, rate=1.0, gamma=0.0)
        assert float(gibbs(objective, scores, batch)) == pytest.approx(expected, rel=1e-9)


class TestLoss:
    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 1000), st.sampled_from(["dpo", "ipo", "simpo", "cpo"]), st.floats(0.51, 0.99))
    def test_the_gradient_is_that_of_detached_weights(self, seed: int, name: str, eta: float) -> None:
        base = {"dpo": dpo(), "ipo": ipo(1.0), "simpo": simpo(), "cpo": cpo()}[name]
        scores, batch = pairs(seed)
        leaf = scores.token_logps.clone().requires_grad_()
        live = replace(scores, token_logps=leaf)
        straight, exchanged = (losses(base, live, one) for one in (batch, batch.exchanged()))
        p = torch.sigmoid(exchanged - straight).detach()
        w = eta * p / (eta * p + (1 - eta) * (1 - p))
        (expected,) = torch.autograd.grad((w * straight + (1 - w) * exchanged).mean(), leaf)
        wrapped = wrap(base, start=eta)(live, batch)
        (found,) = torch.autograd.grad(wrapped.loss, leaf)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
        # The value exceeds the weighted sum by KL(w ‖ η).
        kl = w * (w / eta).log() + torch.special.xlogy(1 - w, (1 - w) / (1 - eta))
        torch.testing.assert_close(
            wrapped.per_example, w * straight + (1 - w) * exchanged + kl, rtol=1e-9, atol=1e-9
        )

    @pytest.mark.parametrize("base", [dpo(0.2), cpo()], ids=["dpo", "cpo"])
    def test_without_doubt_it_is_the_wrapped_loss(self, base: Objective) -> None:
        scores, batch = pairs()
        trusting = wrap(base, start=1 - 1e-12)
        torch.testing.assert_close(losses(trusting, scores, batch), losses(base, scores, batch), rtol=0, atol=1e-6)

    def test_a_sum_scales_before_it_is_wrapped(self) -> None:
        """Twice the loss is twice as sure of a label: p = σ(2·0.1·1)."""
        scores = Scores.from_sequences(torch.tensor([-1.0, -2.0], dtype=torch.float64), torch.full((2,), -1.0))
        assert float(gibbs(2 * dpo(0.1), scores, Batch.pairs(1))) == pytest.approx(
            1 / (1 + ((1 + math.exp(-0.1)) / (1 + math.exp(0.1))) ** 2), rel=1e-9
        )


def even(*ratios: float) -> Scores:
    """One-token pairs whose chosen answers have these log-ratios, and rejected ones 0."""
    policy = torch.tensor([x for ratio in ratios for x in (ratio, 0.0)], dtype=torch.float64) - 5
    return Scores.from_sequences(policy, torch.full_like(policy, -5.0))


def of(*annotators: int) -> Tensor:
    return torch.tensor([float(number) for number in annotators])


class TestReliability:
    def test_one_step_by_hand(self) -> None:
        """p = σ(ln 3) = ¾ and σ(−ln 3) = ¼: w = 0.6/0.65 and 0.2/0.35, of two annotators."""
        batch = Batch.pairs(2, columns={"annotator": of(1, 0)})
        objective = lcpo(beta=1.0, start=START, momentum=0.75)
        (state,) = objective.update(objective.init(), even(math.log(3), -math.log(3)), batch)
        right, wrong = 0.6 / 0.65, 0.2 / 0.35
        expected = [START, 0.75 * START + 0.25 * wrong, 0.75 * START + 0.25 * right]
        assert state["reliability"].tolist() == pytest.approx(expected, rel=1e-12)
        assert state["records"].tolist() == [0, 1, 1]

    def test_weights_count_in_the_mean(self) -> None:
        batch = Batch.pairs(2, weight=torch.tensor([3.0, 1.0]))
        objective = lcpo(beta=1.0, start=START, momentum=0.0)
        (state,) = objective.update(objective.init(), even(math.log(3), -math.log(3)), batch)
        assert state["reliability"].tolist() == pytest.approx([(3 * 0.6 / 0.65 + 0.2 / 0.35) / 4])

    def test_it_stays_above_one_half_and_below_one(self) -> None:
        for gap, bound in ((-50.0, 0.501), (50.0, 0.999)):
            objective = lcpo(beta=1.0, start=START, momentum=0.0)
            (state,) = objective.update(objective.init(), even(gap), Batch.pairs(1))
            assert float(state["reliability"][0]) == pytest.approx(bound)

    def test_at_first_the_posterior_is_the_start(self) -> None:
        objective = lcpo(start=START, momentum=0.0)
        (state,) = objective.update(objective.init(), even(0.0, 0.0), Batch.pairs(2))
        assert float(state["reliability"][0]) == pytest.approx(START, rel=1e-12)

    def test_annotators_are_met_one_after_another(self) -> None:
        objective = lcpo(beta=1.0, start=START, momentum=0.0)
        state = objective.init()
        for annotator, gap in ((2, 1.0), (0, -1.0), (-1, 2.0)):
            state = objective.update(state, even(gap), Batch.pairs(1, columns={"annotator": of(annotator)}))
        found = state[0]["reliability"].tolist()
        expected = [
            START * sigmoid(g) / (START * sigmoid(g) + (1 - START) * sigmoid(-g)) for g in (2.0, -1.0, 1.0)
        ]
        # Place 0 is that of pairs without annotator; number 1 has labelled nothing.
        assert found == pytest.approx([expected[0], expected[1], START, expected[2]])

    def test_evaluation_leaves_it_alone_and_knows_no_stranger(self) -> None:
        objective = lcpo(beta=1.0, start=START)
        scores, batch = even(1.0), Batch.pairs(1, columns={"annotator": of(7)})
        state = objective.update(objective.init(), scores, batch, training=False)
        assert state == objective.init()
        assert float(objective(scores, batch, state).loss) == pytest.approx(
            -math.log(START * sigmoid(1) + (1 - START) * sigmoid(-1))
        )

    def test_each_label_is_read_with_its_own_annotator(self) -> None:
        objective = lcpo(beta=1.0, start=START)
        state = [{"reliability": torch.tensor([0.8, 0.6, 0.95]).double(), "records": torch.ones(3).double()}]
        batch = Batch.pairs(3, columns={"annotator": of(1, 0, -1)})
        found = objective(even(1.0, 1.0, 1.0), batch, state).per_example.tolist()
        assert found == pytest.approx(
            [-math.log(eta * sigmoid(1) + (1 - eta) * sigmoid(-1)) for eta in (0.95, 0.6, 0.8)]
        )


class TestReport:
    def test_annotators_by_name(self) -> None:
        objective = lcpo(beta=1.0, start=START, momentum=0.0)
        batch = Batch.pairs(2, columns={"annotator": of(2, 0)})
        state = objective.update(objective.init(), even(math.log(3), -math.log(3)), batch)
        found = objective.report(state, {"annotator": ("ann", "bob", "cem")})
        assert found == pytest.approx(
            {"reliability of annotator ann": 0.2 / 0.35, "reliability of annotator cem": 0.6 / 0.65}
        )

    def test_nobody_named(self) -> None:
        objective = lcpo(beta=1.0, start=START, momentum=0.0)
        state = objective.update(objective.init(), even(math.log(3)), Batch.pairs(1))
        assert objective.report(state, {}) == pytest.approx({"reliability of labels": 0.6 / 0.65})
        # Names that are of no use, because no record came with one.
        assert list(objective.report(state, {"annotator": ("ann",)})) == ["reliability of labels"]

    def test_some_named(self) -> None:
        objective = lcpo(start=START)
        batch = Batch.pairs(2, columns={"annotator": of(-1, 0)})
        state = objective.update(objective.init(), even(0.0, 0.0), batch)
        assert list(objective.report(state, {"annotator": ("ann",)})) == [
            "reliability of pairs without annotator",
            "reliability of annotator ann",
        ]
        # From Python there may be numbers only.
        assert "reliability of annotator 0" in objective.report(state, {})

    def test_other_objectives_estimate_nothing(self) -> None:
        assert dpo().report(dpo().init(), {}) == {}


@pytest.mark.parametrize(
    ("objective", "reason"),
    [
        (sft(), "compares nothing"),
        (kto(), "it takes other data than pairs|statistics of the batch"),
        (bco(), "it takes other data than pairs|statistics of the batch"),
        (dpo() + nll("tokens"), "over all tokens of the batch.* use the reduction mean or sum"),
        (dpo().smoothed(0.1), "smoothed or de-biased already"),
        (lcpo(), "weighed by the reliability of their annotators already"),
        (mm_dpo(margin_source="policy-batch"), "statistics of the batch of its own"),
    ],
    ids=lambda value: value.name if isinstance(value, Objective) else "",
)
def test_what_cannot_be_wrapped_is_refused(objective: Objective, reason: str) -> None:
    with pytest.raises(ObjectiveError, match=f"cannot be given latent labels: .*({reason})"):
        wrap(objective)


def test_modifiers_reach_what_is_wrapped() -> None:
    tokens = SharedPrefix(0.5)
    assert wrap(dpo()).with_token_weights(tokens).text() == wrap(dpo().with_token_weights(tokens)).text()
