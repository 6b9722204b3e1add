"""From rewarded answers to records."""

from __future__ import annotations

from typing import Any

import pytest

from truing.errors import RecipeError
from truing.objectives import METHODS
from truing.objectives.algebra.credits import BATCH_MEAN, BATCH_STD
from truing.training.online.choosing import chosen_data, kind_for
from truing.training.online.rollouts import Rollout


def rollout(rewards: list[list[float | None]], **changes: Any) -> Rollout:
    """Answer i of prompt p is the tokens 10p + i, i + 1 of them."""
    completions = [[[10 * p + i] * (i + 1) for i in range(len(group))] for p, group in enumerate(rewards)]
    values: dict[str, Any] = {
        "step": 0,
        "ids": [f"r{p}" for p in range(len(rewards))],
        "prompts": [[p + 1] for p in range(len(rewards))],
        "completions": completions,
        "texts": [["" for _ in group] for group in rewards],
        "rewards": rewards,
        **changes,
    }
    return Rollout(**values)


def test_a_pair_is_the_best_against_the_worst() -> None:
    first, second = chosen_data(rollout([[0.5, 2.0, -1.0], [1.0, 1.0, 1.0]]), "pairs").take([0, 1])
    assert first["completion_ids"] == [[1, 1], [2, 2, 2]]
    assert (first["margin"], first["weight"]) == (3.0, 1.0)
    assert second["weight"] == 0.0, "equal rewards say nothing"


def test_samples_keep_all_and_know_the_batch() -> None:
    """Rewards 0, 1, 2, 5: mean 2, standard deviation sqrt(14/4)."""
    data = chosen_data(rollout([[0.0, 1.0], [2.0, 5.0]]), "samples")
    batch = data.batch(data.examples([0, 1]))
    assert batch.reward is not None
    assert batch.reward.tolist() == [0.0, 1.0, 2.0, 5.0]
    assert batch.columns[BATCH_MEAN].tolist() == [2.0, 2.0]
    assert batch.columns[BATCH_STD].tolist() == pytest.approx([3.5**0.5] * 2)


def test_answers_without_a_reward_are_left_out() -> None:
    data = chosen_data(rollout([[None, 1.0, 3.0], [None, None, None]]), "samples")
    known, unknown = data.take([0, 1])
    assert known["completion_ids"] == [[1, 1], [2, 2, 2]]
    assert known["rewards"] == [1.0, 3.0]
    assert (known["weight"], unknown["weight"]) == (1.0, 0.0)
    assert len(unknown["completion_ids"]) == 3, "a record of weight 0 still has its place"


def test_rankings_score_all_and_the_best_is_imitated() -> None:
    data = chosen_data(rollout([[0.5, 2.0, -1.0]]), "ranked")
    batch = data.batch(data.examples([0]))
    assert batch.chosen.tolist() == [1]
    (best,) = chosen_data(rollout([[0.5, 2.0, -1.0]]), "demonstrations").take([0])
    assert best["completion_ids"] == [[1, 1]]


def test_what_was_drawn_stays_with_its_answer() -> None:
    drawn = [[[-0.1], [-0.2, -0.3], [-0.4, -0.5, -0.6]]]
    (pair,) = chosen_data(rollout([[3.0, 1.0, 2.0]], tokens={"drawn": drawn}), "pairs").take([0])
    assert pair["tokens"]["drawn"] == [[-0.1], [-0.2, -0.3]]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("grpo", "samples"), ("dpo", "pairs"), ("raft", "ranked"), ("infonca", "pairs"), ("sft", "pairs")],
)
def test_each_objective_gets_what_it_takes(name: str, kind: str) -> None:
    assert kind_for(METHODS.get(name)()) == kind


def test_what_rewards_cannot_say_is_refused() -> None:
    with pytest.raises(RecipeError, match="objective 'kto' cannot be trained online: it takes unpaired"):
        kind_for(METHODS.get("kto")())


def test_metrics_by_hand() -> None:
    sums = rollout([[1.0, 3.0], [2.0, 2.0], [None, 4.0]]).metrics()
    mean = {k: v / sums[f"count/{k}"] for k, v in sums.items() if not k.startswith("count/")}
    assert mean["online/reward"] == pytest.approx(12 / 5)
    assert mean["online/best"] == pytest.approx(3.0)
    assert mean["online/flat"] == pytest.approx(2 / 3), "two equal rewards, and a single one"
    assert mean["online/unknown"] == pytest.approx(1 / 6)
    assert mean["online/length"] == pytest.approx(1.5)
