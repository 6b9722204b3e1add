"""Betas of single pairs and of batches, the discounted pairing, and exchanged roles."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from truing.errors import ObjectiveError
from truing.objectives import dpo, flex_dpo, mm_dpo, simpo
from truing.objectives.algebra import Batch, BatchBeta, Discounted, MarginBeta, Scores, log_ratio

from .contract.worlds import assemble, records


def margins(*values: float) -> Batch:
    return Batch.pairs(len(values), margin=torch.tensor(values, dtype=torch.float64))


class TestMarginBeta:
    def test_it_grows_from_beta_to_its_bound(self) -> None:
        found = MarginBeta(0.2, 3.0, 2.0)(margins(0.0, math.log(2), 100.0), {}).tolist()
        # 1 − e^(−2 ln 2) = 3/4
        assert found == pytest.approx([0.2, 0.2 * (1 + 3 * 0.75), 0.8])

    def test_a_negative_margin_is_held_above_zero(self) -> None:
        # 0.2·(1 + 0.5·(1 − e^0.4)) and, unclamped, −3·10^42
        found = MarginBeta(0.2, 0.5, 1.0)(margins(-0.4, -100.0, -1e6), {}).tolist()
        assert found == pytest.approx([0.2 * (1 + 0.5 * (1 - math.exp(0.4))), 1e-3, 1e-3])

    def test_without_growth_a_margin_of_any_size_is_nothing(self) -> None:
        assert MarginBeta(0.2, 0.0, 1.0)(margins(-1e6, 5.0), {}).tolist() == [0.2, 0.2]

    def test_no_margin_says_what_to_do(self) -> None:
        with pytest.raises(ObjectiveError, match=r"`margin` column, but the data has none[\s\S]*add a `margin`"):
            mm_dpo()(Scores.from_sequences(torch.zeros(2) - 1, torch.zeros(2) - 1), Batch.pairs(1))


class TestBatchBeta:
    def test_typical_gaps_against_all(self) -> None:
        """Nine gaps of 1 and one of 91: 8 are drawn; z of the outlier is √9 = 3 or 2.85, so that it weighs e^−4."""
        gaps = torch.tensor([1.0] * 9 + [91.0], dtype=torch.float64)
        scale = BatchBeta(0.1, 0.01)
        found = [
            float(
                scale.update(
                    {"beta": torch.tensor(0.1), "batches": torch.tensor(turn)}, gaps, Batch.pairs(10), True
                )["beta"]
            )
            for turn in range(200)
        ]
        without = 0.1 * (1 + 0.01 * (1 - 10))
        # With the outlier among the 8, their mean is 12.25: above the mean of all.
        assert {round(x, 9) for x in found} <= {round(without, 9), round(0.1 * (1 + 0.01 * 2.25), 9)}
        assert found.count(pytest.approx(without)) > 150

    def test_it_is_the_same_wherever_it_is_drawn(self) -> None:
        gaps = torch.randn(30, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        scale, batch = BatchBeta(0.1, 0.5), Batch.pairs(30)
        first, second = (scale.update(scale.init(), gaps, batch, True) for _ in range(2))
        assert torch.equal(first["beta"], second["beta"])
        assert int(first["batches"]) == 1
        assert not torch.equal(scale.update(first, gaps, batch, True)["beta"], first["beta"])

    def test_evaluation_and_records_without_weight_leave_it_alone(self) -> None:
        scale, gaps = BatchBeta(0.1, 0.5), torch.tensor([0.0, 1.0, 50.0], dtype=torch.float64)
        assert scale.update(scale.init(), gaps, Batch.pairs(3), False) == scale.init()
        nothing = Batch.pairs(3, weight=torch.zeros(3))
        assert scale.update(scale.init(), gaps, nothing, True) == scale.init()
        masked = Batch.pairs(3, weight=torch.tensor([1.0, 1.0, 0.0]))
        kept = scale.update(scale.init(), gaps[:2], Batch.pairs(2), True)
        assert float(scale.update(scale.init(), gaps, masked, True)["beta"]) == float(kept["beta"])

    def test_equal_gaps_and_single_pairs_keep_beta(self) -> None:
        for count in (1, 5):
            state = BatchBeta(0.1, 0.5).update(
                {"beta": torch.tensor(0.7), "batches": torch.tensor(0)},
                torch.ones(count),
                Batch.pairs(count),
                True,
            )
            assert float(state["beta"]) == pytest.approx(0.1)

    def test_the_objective_uses_the_beta_of_the_batch(self) -> None:
        world = assemble("pairs", records("pairs", 8))
        objective = mm_dpo(beta=0.3, growth=0.2, gamma=0.0, margin_source="policy-batch")
        assert objective.coupling == "batch"
        assert not objective.coupled
        state = objective.update(objective.init(), world.scores.detach(), world.batch)
        beta = float(state[0]["beta"])
        assert beta != 0.3
        scores = world.scores.detach()
        expected = float(dpo(beta)(scores, world.batch).loss)
        assert float(objective(scores, world.batch, state).loss) == pytest.approx(expected, rel=1e-12)

    def test_a_rate_has_no_effect_there(self) -> None:
        with pytest.raises(ObjectiveError, match=r"rate = 1\.0 would have no effect with margin_source"):
            mm_dpo(rate=1.0, margin_source="policy-batch")


class TestDiscounted:
    def test_fading_starts_at_the_threshold(self) -> None:
        """Two tokens each, log-ratios per token −1 and −3 of the rejected: shares ½ and ½·e^(−3 + 2)."""
        tokens = torch.tensor([[-1.0] * 2, [-2.0] * 2, [-1.0] * 2, [-4.0] * 2], dtype=torch.float64)
        scores = Scores.from_sequences(list(tokens), [torch.full((2,), -1.0).double()] * 4)
        gaps, owners = Discounted(0.5, fade_below=-2.0)(log_ratio(), scores, Batch.pairs(2))
        assert gaps.tolist() == pytest.approx([1.0, 3 * math.exp(-1)])
        assert owners.tolist() == [0, 1]

    def test_no_gradient_through_the_fading(self) -> None:
        policy = torch.tensor([-1.0, -4.0], dtype=torch.float64, requires_grad=True)
        scores = Scores.from_sequences(policy, torch.full((2,), -1.0).double())
        gaps, _ = Discounted(0.5, fade_below=-2.0)(log_ratio(), scores, Batch.pairs(1))
        (gradient,) = torch.autograd.grad(gaps.sum(), policy)
        assert gradient.tolist() == pytest.approx([1.0, -0.5 * math.exp(-1)])

    def test_a_rejected_answer_far_gone_is_let_go(self) -> None:
        """Without fading it is pushed the harder the wronger the pair is; with it, not at all."""
        scores = Scores.from_sequences(torch.tensor([-500.0, -300.0]).double(), torch.full((2,), -1.0).double())
        for fade, bound in ((None, 0.02), (-1.0, 0.0)):
            leaf = scores.token_logps.clone().requires_grad_()
            loss = flex_dpo(beta_minus=0.04, fade_below=fade)(
                replace(scores, token_logps=leaf), Batch.pairs(1)
            ).loss
            push = float(torch.autograd.grad(loss, leaf)[0][1])
            assert push >= bound
            assert (push > 1e-9) == (fade is None)

    def test_the_exchanged_pair_has_the_smaller_beta_on_the_other_answer(self) -> None:
        scores = Scores.from_sequences(torch.tensor([0.0, -3.0]).double() - 1, torch.full((2,), -1.0).double())
        smoothed = flex_dpo(beta_plus=1.0, beta_minus=0.5).smoothed(0.25)
        # z = 0 + 1.5; exchanged, z' = −3 − 0: not −1.5.
        expected = 0.75 * math.log1p(math.exp(-1.5)) + 0.25 * math.log1p(math.exp(3.0))
        assert float(smoothed(scores, Batch.pairs(1)).loss) == pytest.approx(expected, rel=1e-9)
        assert "(r_l − 0.5·r_w)" in smoothed.text()

    def test_a_record_margin_is_in_units_of_reward(self) -> None:
        """z = r_w − ½ r_l − m/beta⁺ = 0 + 1.5 − 0.6/2, times beta⁺ = 2."""
        from truing.objectives.modifiers import margin

        scores = Scores.from_sequences(torch.tensor([0.0, -3.0]).double() - 1, torch.full((2,), -1.0).double())
        objective = margin(flex_dpo(beta_plus=2.0, beta_minus=1.0))
        assert float(objective(scores, margins(0.6)).loss) == pytest.approx(math.log1p(math.exp(-2.4)), rel=1e-9)

    def test_another_divergence_is_refused(self) -> None:
        with pytest.raises(ObjectiveError, match="two answers to the same prompt that count the same"):
            flex_dpo().with_divergence("forward-kl")


class TestExchanged:
    def test_roles_margins_and_rewards_turn(self) -> None:
        batch = Batch.pairs(2, margin=torch.tensor([1.0, -2.0]), reward=torch.tensor([5.0, 1.0, 2.0, 8.0]))
        found = batch.exchanged()
        assert found.chosen.tolist() == [1, 3]
        assert found.rejected.tolist() == [0, 2]
        assert found.margin.tolist() == [-1.0, 2.0]
        assert found.reward.tolist() == [1.0, 5.0, 8.0, 2.0]

    def test_of_parts_only_pairs_turn(self) -> None:
        kept = Batch.samples([1, 1])
        batch = replace(Batch.pairs(2), parts={"pairs": Batch.pairs(2), "retain": kept})
        found = batch.exchanged().parts
        assert found["pairs"].chosen.tolist() == [1, 3]
        assert found["retain"] is kept

    @settings(max_examples=20, deadline=None)
    @given(st.integers(0, 1000), st.sampled_from([dpo(), simpo(), flex_dpo(), mm_dpo(growth=2.0)]))
    def test_smoothing_by_half_sees_both_orders_alike(self, seed: int, objective: object) -> None:
        """l(pair) + l(exchanged) does not know which answer was chosen."""
        world = assemble("pairs", records("pairs", 4, seed=seed))
        only = replace(objective, terms=objective.terms[:1])  # type: ignore[attr-defined, call-overload]
        both = [
            only.smoothed(0.4)(world.scores, batch).per_example for batch in (world.batch, world.batch.exchanged())
        ]
        plain = [only(world.scores, batch).per_example for batch in (world.batch, world.batch.exchanged())]
        torch.testing.assert_close(both[0], 0.6 * plain[0] + 0.4 * plain[1], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(both[0] + both[1], plain[0] + plain[1], rtol=1e-12, atol=1e-12)
