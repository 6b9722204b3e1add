"""Objectives: sums, scales, state, coupling, and what they need."""

from __future__ import annotations

import math

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives import (
    METHODS,
    aot,
    apo_down,
    bco,
    dpo,
    ipo,
    kto,
    nca,
    nll,
    orpo,
    rrhf,
    sft,
    simpo,
    wpo,
)
from truing.objectives.algebra import Batch, Objective, Scores, SharedPrefix


def pairs(*ratios: float) -> Scores:
    policy = torch.tensor(ratios, dtype=torch.float64) - 1
    return Scores.from_sequences(policy, torch.full_like(policy, -1.0))


def loss(objective: Objective, scores: Scores, batch: Batch) -> float:
    return float(objective(scores, batch).loss)


class TestSums:
    SCORES, BATCH = pairs(1.0, -0.5, 0.2, 0.3), Batch.pairs(2)

    def test_losses_add_up_and_scale(self) -> None:
        total = dpo(0.5) + 0.25 * ipo() + nll("sum") * 2
        parts = [loss(o, self.SCORES, self.BATCH) for o in (dpo(0.5), ipo(), nll("sum"))]
        assert loss(total, self.SCORES, self.BATCH) == pytest.approx(parts[0] + 0.25 * parts[1] + 2 * parts[2])
        assert total.name == "dpo+ipo+nll"

    def test_scaling_twice_multiplies(self) -> None:
        assert (0.5 * (4 * dpo())).text() == (2 * dpo()).text()

    def test_the_parts_stay_as_they_are(self) -> None:
        part = dpo()
        _ = 2 * (part + nll())
        assert part.text() == dpo().text()
        assert part.name == "dpo"

    @pytest.mark.parametrize(
        "total", [nll() + dpo(0.3), dpo(0.3) + nll(), dpo(0.3) + simpo(), nll() + sft() + dpo(0.3)]
    )
    def test_rewards_are_those_of_the_first_that_compares(self, total: Objective) -> None:
        metrics = total(self.SCORES, self.BATCH).metrics
        # beta · (1 + 0.2) over two chosen answers.
        assert float(metrics["rewards/chosen"]) == pytest.approx(0.3 * 1.2)

    def test_a_sum_of_likelihoods_reports_the_first(self) -> None:
        metrics = (sft() + nll())(self.SCORES, self.BATCH).metrics
        assert float(metrics["rewards/chosen"]) == pytest.approx(-0.8)

    def test_needs_are_united(self) -> None:
        both = wpo() + simpo()
        assert both.requires == {"reference", "signal:log_collision"}
        assert (simpo() + nll()).requires == frozenset()

    def test_layouts_are_intersected(self) -> None:
        assert (dpo() + nll()).data == {"pairs"}
        assert (rrhf() + sft()).data == {"pairs", "ranked"}

    def test_layouts_that_exclude_each_other_are_refused(self) -> None:
        with pytest.raises(
            ObjectiveError, match=r"no data layout suits every part of objective 'dpo\+kto'"
        ) as caught:
            _ = (dpo() + kto()).data
        assert "−log σ(0.1·(r_w − r_l)) takes pairs" in str(caught.value.allowed)
        assert "takes unpaired" in str(caught.value.allowed)


class TestState:
    def test_every_term_has_its_own(self) -> None:
        objective = kto() + nll()
        assert [sorted(own) for own in objective.init()] == [["kl"], ["kl"], []]

    def test_the_state_is_explicit(self) -> None:
        objective = bco(1.0)
        scores, batch = pairs(3.0, 1.0), Batch.unpaired([True, False])
        before = objective.init()
        after = objective.update(before, scores, batch)
        # δ = 2: both are one nat on the right side. Without it, 3 and −1.
        assert float(objective(scores, batch, after).loss) == pytest.approx(math.log1p(math.exp(-1)))
        assert float(objective(scores, batch, before).loss) == pytest.approx(
            (math.log1p(math.exp(-3)) + math.log1p(math.exp(1))) / 2
        )

    def test_a_state_can_be_saved_and_loaded(self, tmp_path: object) -> None:
        objective = bco(1.0, momentum=0.5)
        scores, batch = pairs(3.0, 1.0), Batch.unpaired([True, False])
        state = objective.update(objective.init(), scores, batch)
        path = f"{tmp_path}/state.pt"
        torch.save(state, path)
        loaded = torch.load(path, weights_only=True)
        assert float(objective(scores, batch, loaded).loss) == float(objective(scores, batch, state).loss)

    @pytest.mark.parametrize(
        ("objective", "coupling", "coupled"),
        [
            (dpo(), "none", False),
            (kto(), "auxiliary", False),
            (bco(), "batch", False),
            (aot(), "batch", True),
            (dpo() + nll(), "none", False),
            (aot() + dpo(), "batch", True),
            (kto() + bco(), "batch", False),
        ],
        ids=lambda value: getattr(value, "name", str(value)),
    )
    def test_what_has_to_be_scored_first(self, objective: Objective, coupling: str, coupled: bool) -> None:
        assert objective.coupling == coupling
        assert objective.coupled is coupled


class TestModifiersInPython:
    @pytest.mark.parametrize("rate", [0.0, 0.5, -0.1, 1.0, math.nan])
    def test_rates_are_checked(self, rate: float) -> None:
        with pytest.raises(ObjectiveError, match=r"flip_rate = .* cannot be used[\s\S]*0 < flip_rate < 0\.5"):
            dpo().robust(rate)
        with pytest.raises(ObjectiveError, match=r"eps = .* cannot be used[\s\S]*0 < eps < 0\.5"):
            dpo().smoothed(rate)

    @pytest.mark.parametrize("objective", [nca(), apo_down()], ids=["nca", "apo-down"])
    def test_half_a_change_is_refused(self, objective: Objective) -> None:
        """apo-down has a pairwise term that could be de-biased, and an absolute one that could not."""
        with pytest.raises(ObjectiveError, match="cannot be de-biased: it looks at one answer at a time"):
            objective.robust(0.1)

    def test_a_likelihood_alone_has_nothing_to_change(self) -> None:
        with pytest.raises(ObjectiveError, match="cannot be smoothed: it compares nothing"):
            nll().smoothed(0.1)

    def test_a_likelihood_in_a_sum_stays_as_it_is(self) -> None:
        assert (dpo() + nll()).robust(0.1).text().endswith(" − log π(y_w)/|y_w|")
        assert orpo().robust(0.1).text().startswith("−log π(y_w)/|y_w| + 0.1·[−1.125·log σ(")

    def test_unpaired_data_have_no_shared_prefix(self) -> None:
        with pytest.raises(ObjectiveError, match="it needs pairs, and this takes unpaired"):
            kto().with_token_weights(SharedPrefix(0.5))

    def test_a_pairs_modifier_narrows_the_layouts(self) -> None:
        assert rrhf().with_token_weights(SharedPrefix(0.5)).data == {"pairs"}

    def test_the_reported_reward_changes_with_the_score(self) -> None:
        changed = dpo().with_token_weights(SharedPrefix(0.0))
        scores = Scores(torch.zeros(3), torch.tensor([0, 0, 1]), 2, torch.full((3,), -1.0))
        assert float(changed(scores, Batch.pairs(1)).metrics["rewards/chosen"]) == pytest.approx(0.1)
        assert float(dpo()(scores, Batch.pairs(1)).metrics["rewards/chosen"]) == pytest.approx(0.2)


class TestMetrics:
    def test_by_hand(self) -> None:
        """Two pairs, log-ratios (1, −½) and (0, 2), beta 0.1, one token each, reference −1."""
        metrics = dpo(0.1)(pairs(1.0, -0.5, 0.0, 2.0), Batch.pairs(2)).metrics
        found = {key: float(value) for key, value in metrics.items() if not key.startswith("count/")}
        k3 = sum(math.exp(-r) - 1 + r for r in (1.0, -0.5, 0.0, 2.0))
        assert found == pytest.approx(
            {
                "rewards/chosen": 0.1,
                "rewards/rejected": 0.15,
                "logps/chosen": -1.0,
                "logps/rejected": -0.5,
                "length/chosen": 2.0,
                "length/rejected": 2.0,
                "log_ratio/chosen": 1.0,
                "log_ratio/rejected": 1.5,
                "rewards/margin": 0.15 - 0.2,
                "rewards/accuracy": 1.0,
                "kl": k3,
            }
        )
        assert {float(v) for k, v in metrics.items() if k.startswith("count/")} == {2.0, 4.0}

    def test_a_tie_is_half_right(self) -> None:
        metrics = dpo()(pairs(1.0, 1.0, 2.0, 1.0), Batch.pairs(2)).metrics
        assert float(metrics["rewards/accuracy"]) == 1.5

    def test_unpaired_data_have_no_margin(self) -> None:
        metrics = kto()(pairs(1.0, 1.0), Batch.unpaired([True, False])).metrics
        assert "rewards/margin" not in metrics
        assert float(metrics["count/rewards/chosen"]) == 1.0

    def test_without_a_reference_there_is_no_kl(self) -> None:
        metrics = simpo()(Scores.from_sequences(torch.tensor([-1.0, -2.0])), Batch.pairs(1)).metrics
        assert "kl" not in metrics
        assert float(metrics["rewards/margin"]) == pytest.approx(2.0)

    def test_a_vanished_token_does_not_overflow(self) -> None:
        scores = Scores.from_sequences(torch.tensor([-1000.0, -1.0]), torch.tensor([-1.0, -1.0]))
        assert math.isfinite(float(dpo()(scores, Batch.pairs(1)).metrics["kl"]))


class TestRegistry:
    def test_aliases_lead_to_the_method(self) -> None:
        for alias, name in (("sigmoid", "dpo"), ("robust", "rdpo"), ("EXO_pair", "exo"), ("sppo", "sppo-hard")):
            assert METHODS.get(alias).name == name

    def test_an_unknown_name_is_an_objective_error_with_near_matches(self) -> None:
        with pytest.raises(ObjectiveError, match=r"unknown objective 'simppo'[\s\S]*did you mean 'simpo'"):
            METHODS.get("simppo")

    def test_every_baseline_of_the_catalogue_is_there(self) -> None:
        expected = """
            dpo cdpo rdpo ipo hinge slic exo nca infonca bco-pair sppo-hard aot aot-unpaired apo-zero apo-down
            discopop dpo-norm ld-dpo r-dpo wpo f-dpo cpo simpo cpo-simpo orpo alphapo rrhf kto apo-zero-unpaired
            bco sft nll
        """
        assert {method.name for method in METHODS} >= set(expected.split())
