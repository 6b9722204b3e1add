"""Terms: roles, signs, weights, reductions, and one-sided batches."""

from __future__ import annotations

import math

import pytest
import torch

from truing.objectives import aot_unpaired, apo_zero_unpaired, bco, kto, nll, sft
from truing.objectives.algebra import (
    Absolute,
    Batch,
    Complement,
    Likelihood,
    Logistic,
    Objective,
    OnPolicyWeight,
    Pairwise,
    Scores,
    log_ratio,
    sum_logp,
)


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def tabular(*ratios: float) -> Scores:
    """One-token sequences with these log-ratios to a reference of −1."""
    policy = torch.tensor(ratios, dtype=torch.float64) - 1
    return Scores.from_sequences(policy, torch.full_like(policy, -1.0))


def single(term: object, name: str = "x") -> Objective:
    return Objective(name, ((1.0, term),))  # type: ignore[arg-type]


class TestPairwise:
    def test_the_exchanged_pair_is_mixed_in(self) -> None:
        term = Pairwise(log_ratio(), Logistic(2.0), straight=0.7, swapped=0.3)
        loss = float(single(term)(tabular(1.0, 0.25), Batch.pairs(1)).loss)
        assert loss == pytest.approx(0.7 * softplus(-1.5) + 0.3 * softplus(1.5))

    def test_identical_answers_cost_the_link_at_zero_and_learn_nothing(self) -> None:
        tokens = torch.tensor([-1.0, -2.0, -1.0, -2.0], requires_grad=True)
        scores = Scores(tokens, torch.tensor([0, 0, 1, 1]), 2, torch.full((4,), -1.0))
        loss = single(Pairwise(log_ratio(), Logistic()))(scores, Batch.pairs(1)).loss
        (gradient,) = torch.autograd.grad(loss, tokens)
        assert float(loss.detach()) == pytest.approx(math.log(2))
        # Chosen and rejected are the same text: what one token gains the other loses.
        assert (gradient[:2] + gradient[2:]).tolist() == [0.0, 0.0]

    def test_weights_of_records_make_a_weighted_mean(self) -> None:
        batch = Batch.pairs(2, weight=torch.tensor([3.0, 1.0]))
        loss = float(single(Pairwise(log_ratio(), Logistic()))(tabular(1.0, 0.0, -2.0, 0.0), batch).loss)
        assert loss == pytest.approx((3 * softplus(-1.0) + softplus(2.0)) / 4)


class TestAbsolute:
    def test_sign_and_scale(self) -> None:
        up = single(Absolute("chosen", log_ratio(), Complement(2.0), +1, scale=3.0))
        down = single(Absolute("rejected", log_ratio(), Complement(2.0), -1, scale=3.0))
        scores, batch = tabular(0.5, 0.25), Batch.pairs(1)
        assert float(up(scores, batch).loss) == pytest.approx(3 / (1 + math.exp(1.0)))
        assert float(down(scores, batch).loss) == pytest.approx(3 / (1 + math.exp(-0.5)))

    def test_pair_weights_reach_both_sides(self) -> None:
        weight = OnPolicyWeight()
        scores = Scores.from_sequences(torch.tensor([-1.0, -2.0]), torch.tensor([-1.0, -1.0]))
        scores = Scores(
            scores.token_logps, scores.sequence, 2, scores.reference, {"log_collision": torch.tensor([-0.5, -0.5])}
        )
        # w = e^(−1 + ½) · e^(−2 + ½) = e^−2
        for role, ratio in (("chosen", 0.0), ("rejected", -1.0)):
            term = Absolute(role, log_ratio(), Logistic(), +1, weight=weight)  # type: ignore[arg-type]
            loss = float(single(term)(scores, Batch.pairs(1)).loss)
            assert loss == pytest.approx(math.exp(-2) * softplus(-ratio), rel=1e-6)
            assert "signal:log_collision" in term.requires


class TestOnPolicyWeight:
    def test_it_is_at_most_one_and_has_no_gradient(self) -> None:
        tokens = torch.tensor([-0.1, -0.2, -3.0], requires_grad=True)
        scores = Scores(
            tokens, torch.tensor([0, 0, 1]), 2, None, {"log_collision": torch.tensor([-1.0, -1.0, -1.0])}
        )
        # e^(−0.15 + 1) · e^(−3 + 1) = e^−1.15
        value = OnPolicyWeight()(scores, Batch.pairs(1))
        assert float(value) == pytest.approx(math.exp(-1.15), rel=1e-6)
        assert not value.requires_grad
        likely = Scores(tokens, torch.tensor([0, 0, 1]), 2, None, {"log_collision": torch.full((3,), -9.0)})
        assert float(OnPolicyWeight()(likely, Batch.pairs(1))) == 1.0


class TestLikelihood:
    SCORES = Scores(torch.tensor([-1.0, -3.0, -4.0, -6.0]), torch.tensor([0, 0, 1, 2]), 3)
    BATCH = Batch.unpaired([True, False, True])

    @pytest.mark.parametrize(
        ("reduction", "expected"),
        [
            ("sum", (4.0 + 6.0) / 2),
            ("mean", (2.0 + 6.0) / 2),
            ("tokens", (4.0 + 6.0) / 3),
        ],
    )
    def test_the_three_reductions(self, reduction: str, expected: float) -> None:
        assert float(nll(reduction=reduction)(self.SCORES, self.BATCH).loss) == pytest.approx(expected)

    def test_sft_is_the_token_mean(self) -> None:
        assert float(sft()(self.SCORES, self.BATCH).loss) == pytest.approx(10 / 3)

    def test_only_the_liked_answers_count(self) -> None:
        out = sft()(self.SCORES, self.BATCH)
        assert out.per_example.tolist() == [4.0, 0.0, 6.0]


class TestOneClass:
    """Batches in which everything was liked, or nothing."""

    RATIOS = (1.0, -2.0, 0.5)

    @pytest.mark.parametrize("liked", [True, False])
    def test_kto_and_apo_average_over_what_is_there(self, liked: bool) -> None:
        scores, batch = tabular(*self.RATIOS), Batch.unpaired([liked] * 3)
        sign = 1 if liked else -1
        expected = sum(1 / (1 + math.exp(sign * 0.1 * r)) for r in self.RATIOS) / 3
        assert float(apo_zero_unpaired(0.1)(scores, batch).loss) == pytest.approx(expected)
        objective = kto(0.1)
        state = objective.update(objective.init(), scores, batch, tabular(-1.0, -1.0, -1.0))
        assert float(objective(scores, batch, state).loss) == pytest.approx(expected)

    @pytest.mark.parametrize("liked", [True, False])
    def test_bco_has_no_shift_yet(self, liked: bool) -> None:
        scores, batch = tabular(*self.RATIOS), Batch.unpaired([liked] * 3)
        objective = bco(0.1)
        state = objective.update(objective.init(), scores, batch)
        sign = 1 if liked else -1
        expected = sum(softplus(-sign * 0.1 * r) for r in self.RATIOS) / 3
        assert float(objective(scores, batch, state).loss) == pytest.approx(expected)

    @pytest.mark.parametrize("liked", [True, False])
    def test_aot_unpaired_compares_nothing(self, liked: bool) -> None:
        scores = Scores.from_sequences(torch.tensor([-1.0, -2.0], requires_grad=True), torch.zeros(2))
        loss = aot_unpaired()(scores, Batch.unpaired([liked] * 2)).loss
        assert float(loss.detach()) == 0.0
        assert torch.autograd.grad(loss, scores.token_logps)[0].tolist() == [0.0, 0.0]


def test_what_a_term_compares() -> None:
    assert Pairwise(sum_logp(), Logistic()).compares
    assert Absolute("chosen", sum_logp(), Logistic(), 1).compares
    assert not Likelihood().compares
