"""Scores of sequences: sums, means, odds, powers, divergences, shared prefixes."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, getcontext

import numpy as np
import pytest
import torch
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra import (
    Batch,
    Divergence,
    DivergenceName,
    LogOdds,
    LogProb,
    Power,
    Scores,
    SharedPrefix,
    log_ratio,
    mean_logp,
    sum_logp,
)
from truing.objectives.algebra.sequence_scores import log1mexp

PAIR = Batch.pairs(1)


def ragged(*sequences: list[float]) -> Scores:
    """Sequences with a reference of −1 for every token."""
    policy = [torch.tensor(s, dtype=torch.float64) for s in sequences]
    return Scores.from_sequences(policy, [torch.full_like(p, -1.0) for p in policy])


class TestScores:
    def test_reductions_are_segment_sums(self) -> None:
        scores = ragged([-1.0, -2.0, -3.0], [-4.0], [-5.0, -6.0])
        assert scores.total(scores.token_logps).tolist() == [-6.0, -4.0, -11.0]
        assert scores.lengths.tolist() == [3.0, 1.0, 2.0]
        assert scores.position.tolist() == [0, 1, 2, 0, 0, 1]
        assert scores.count == 3

    def test_a_tabular_policy_has_one_token_a_sequence(self) -> None:
        scores = Scores.from_sequences(torch.tensor([-1.0, -2.0]), torch.tensor([-3.0, -4.0]))
        assert scores.lengths.tolist() == [1.0, 1.0]
        assert log_ratio()(scores, PAIR).tolist() == [2.0, 2.0]

    def test_long_sums_are_exact_to_the_last_digit_of_float32(self) -> None:
        # 20000 float32 tokens added one by one would be off by more than 1.
        values = torch.full((20_000,), -7.1)
        scores = Scores(values, torch.zeros(20_000, dtype=torch.long), 1)
        assert float(scores.total(values)) == float(np.float32(values.double().sum()))

    def test_detaching_keeps_everything_else(self) -> None:
        scores = Scores.from_sequences(torch.tensor([-1.0], requires_grad=True), torch.tensor([-2.0]))
        assert scores.token_logps.requires_grad
        assert not scores.detach().token_logps.requires_grad
        assert scores.reference is not None
        assert torch.equal(scores.detach().reference, scores.reference)

    def test_the_reference_is_detached_however_it_is_given(self) -> None:
        reference = torch.tensor([-2.0], requires_grad=True)
        direct = Scores(torch.tensor([-1.0]), torch.tensor([0]), 1, reference)
        built = Scores.from_sequences([torch.tensor([-1.0])], [reference])
        for scores in (direct, built):
            assert scores.reference is not None
            assert not scores.reference.requires_grad


class TestLogProb:
    def test_sum_and_mean_with_and_without_reference(self) -> None:
        scores = ragged([-0.5, -1.5, -4.0], [-2.0])
        assert sum_logp()(scores, PAIR).tolist() == [-6.0, -2.0]
        assert mean_logp()(scores, PAIR).tolist() == [-2.0, -2.0]
        # Minus the reference: −6 + 3 and −2 + 1.
        assert log_ratio()(scores, PAIR).tolist() == [-3.0, -1.0]
        assert log_ratio("mean")(scores, PAIR).tolist() == [-1.0, -1.0]

    def test_a_missing_reference_says_what_to_do(self) -> None:
        scores = Scores.from_sequences([torch.tensor([-1.0])])
        with pytest.raises(ObjectiveError, match=r"the scores hold no reference[\s\S]*reference-free objective"):
            log_ratio()(scores, PAIR)

    def test_what_it_needs(self) -> None:
        assert sum_logp().requires == frozenset()
        assert log_ratio().requires == {"reference"}
        assert LogProb("sum", tokens=SharedPrefix(0.5)).data == {"pairs"}


class TestSharedPrefix:
    def test_tokens_beyond_the_shorter_answer_count_alpha(self) -> None:
        scores = ragged([-1.0, -2.0, -4.0, -8.0], [-16.0, -32.0])
        # Chosen: (1 + 2) + 0.25·(4 + 8); rejected: all of it, since it is the shorter one.
        values = LogProb("sum", tokens=SharedPrefix(0.25))(scores, PAIR)
        assert values.tolist() == [-6.0, -48.0]

    def test_the_mean_is_over_all_tokens(self) -> None:
        scores = ragged([-1.0, -2.0, -4.0, -8.0], [-16.0, -32.0])
        assert LogProb("mean", tokens=SharedPrefix(0.25))(scores, PAIR).tolist() == [-1.5, -24.0]

    @pytest.mark.parametrize(("alpha", "expected"), [(0.0, [-1.0, -3.0]), (1.0, [-7.0, -3.0])])
    def test_the_ends_of_alpha(self, alpha: float, expected: list[float]) -> None:
        scores = ragged([-1.0, -2.0, -4.0], [-3.0])
        assert LogProb("sum", tokens=SharedPrefix(alpha))(scores, PAIR).tolist() == expected

    def test_equal_lengths_are_left_alone(self) -> None:
        scores = ragged([-1.0, -2.0], [-3.0, -4.0])
        assert LogProb("sum", tokens=SharedPrefix(0.0))(scores, PAIR).tolist() == [-3.0, -7.0]


def exact_log1mexp(x: float) -> float:
    """log(1 − e^x) with 400 digits, enough for the difference of 1 and e^(−1e-300)."""
    getcontext().prec = 400
    return float((1 - Decimal(x).exp()).ln())


class TestLog1mexp:
    # On both sides of −ln 2, where the branches meet, and at both ends.
    POINTS = (-1e-300, -1e-15, -1e-8, -1e-3, -0.5, -0.6931, -0.6932, -1.0, -10.0, -40.0, -700.0)

    @pytest.mark.parametrize("x", POINTS)
    def test_value_and_gradient(self, x: float) -> None:
        at = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        value = log1mexp(at)
        (gradient,) = torch.autograd.grad(value, at)
        assert float(value.detach()) == pytest.approx(exact_log1mexp(x), rel=1e-14)
        # −e^x/(1 − e^x) = −1/(e^−x − 1)
        assert float(gradient) == pytest.approx(-1 / math.expm1(-x) if x > -600 else -math.exp(x), rel=1e-12)

    def test_no_branch_spoils_the_gradient_of_the_other(self) -> None:
        at = torch.tensor([-1e-30, -200.0], requires_grad=True)
        (gradient,) = torch.autograd.grad(log1mexp(at).sum(), at)
        assert torch.isfinite(gradient).all()


class TestLogOdds:
    @pytest.mark.parametrize("probability", [1e-6, 0.1, 0.5, 0.9, 0.999])
    def test_the_odds_of_the_mean_probability(self, probability: float) -> None:
        # Two tokens whose geometric mean is the probability.
        logp = math.log(probability)
        scores = ragged([1.5 * logp, 0.5 * logp], [-1.0])
        expected = math.log(probability / (1 - probability))
        assert float(LogOdds()(scores, PAIR)[0]) == pytest.approx(expected, rel=1e-12, abs=1e-12)

    def test_a_certain_answer_is_finite(self) -> None:
        value = float(LogOdds()(ragged([0.0], [-1.0]), PAIR)[0])
        # The mean is clamped at −1e-6: log-odds −log(1e-6) up to 1e-6.
        assert value == pytest.approx(-math.log(1e-6), abs=1e-5)


class TestPower:
    @pytest.mark.parametrize("alpha", [0.25, -0.5, 2.0])
    def test_the_formula_of_the_paper(self, alpha: float) -> None:
        probability = math.exp(-1.5)
        expected = (1 - probability**-alpha) / alpha
        assert float(Power(alpha)(ragged([-1.0, -2.0], [-1.0]), PAIR)[0]) == pytest.approx(expected, rel=1e-12)

    def test_zero_is_the_mean(self) -> None:
        scores = ragged([-1.0, -2.0], [-1.0])
        assert torch.equal(Power(0.0)(scores, PAIR), mean_logp()(scores, PAIR))

    def test_an_improbable_answer_does_not_overflow(self) -> None:
        assert math.isfinite(float(Power(2.0)(ragged([-1000.0], [-1.0]), PAIR)[0]))


# f(u), whose derivative at u = e^r is the reward.
GENERATORS: dict[DivergenceName, Callable[[float], float]] = {
    "reverse-kl": lambda u: u * math.log(u) - u,
    "forward-kl": lambda u: u - math.log(u),
    "jensen-shannon": lambda u: u * math.log(u) - (u + 1) * math.log((u + 1) / 2),
    # ((u^a − 1)/a − (u − 1))/(a − 1) at a = 0.3
    "alpha": lambda u: ((u**0.3 - 1) / 0.3 - (u - 1)) / (0.3 - 1),
}


class TestDivergence:
    @pytest.mark.parametrize("ratio", [-3.0, -0.5, 0.0, 0.5, 3.0])
    @pytest.mark.parametrize("name", GENERATORS)
    def test_it_is_the_derivative_of_the_generator(self, name: DivergenceName, ratio: float) -> None:
        u, step = math.exp(ratio), 1e-6
        f = GENERATORS[name]
        slope = (f(u * (1 + step)) - f(u * (1 - step))) / (2 * u * step)
        value = float(Divergence(name, 0.3)(ragged([ratio - 1.0], [-1.0]), PAIR)[0])
        assert value == pytest.approx(slope, rel=1e-7, abs=1e-7)

    @pytest.mark.parametrize("name", GENERATORS)
    def test_it_grows_with_the_ratio_and_is_finite(self, name: DivergenceName) -> None:
        ratios = torch.tensor([-1e3, -10.0, -1.0, 0.0, 1.0, 10.0, 1e3])
        scores = Scores.from_sequences(ratios - 1, torch.full_like(ratios, -1.0))
        values = Divergence(name, 0.3)(scores, PAIR)
        assert torch.isfinite(values).all()
        assert (values.diff() >= 0).all()
        assert (values[2:5].diff() > 0).all()

    def test_a_mean_divides_by_the_length(self) -> None:
        scores = ragged([0.0, 0.0], [-1.0])
        # Two tokens of log-ratio 1: f'(e²) = 1 − e^−2, over 2.
        value = Divergence("forward-kl", base=log_ratio("mean"))(scores, PAIR)[0]
        assert float(value) == pytest.approx((1 - math.exp(-2)) / 2)

    def test_token_weights_come_first(self) -> None:
        scores = ragged([0.0, 0.0], [-1.0])
        base = LogProb("sum", reference=True, tokens=SharedPrefix(0.5))
        assert float(Divergence("forward-kl", base=base)(scores, PAIR)[0]) == pytest.approx(1 - math.exp(-1.5))


def test_a_score_of_another_dtype_keeps_it() -> None:
    tensors: list[Tensor] = [torch.tensor([-1.0, -2.0]), torch.tensor([-3.0])]
    scores = Scores.from_sequences(tensors, tensors)
    for score in (sum_logp(), mean_logp(), log_ratio(), LogOdds(), Power(0.5), Divergence("alpha")):
        assert score(scores, PAIR).dtype == torch.float32
