"""A population of opponents in whole runs: exact, resumable, and without effect where it should have none."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.faults import plant
from tests.jobs import truing, weights
from tests.policies.models import tiny
from tests.training.online.test_runs import recipe, rollouts
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree
from truing.training.online.population import Population

MNPO = {"name": "mnpo", "rho": 0.3, "eta": 0.1}


def _score(policy: CausalPolicy) -> torch.Tensor:
    with policy.evaluating():
        return policy.score_all([Tree([5, 6, 7], [[8, 9], [10]])], budget=100).token_logps


def _moved(policy: CausalPolicy, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in policy.model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))


def test_members_are_the_policy_as_it_was() -> None:
    """Rounds of two steps; after step 5 the round began at 4, the one before at 2, and training at 0."""
    policy = CausalPolicy(tiny("llama"))  # type: ignore[arg-type]
    population = Population(policy, [2.0, 1.0], 2, start=1.0)
    at = [_score(policy)]
    for step in range(1, 6):
        _moved(policy, step)
        population.after_step(step, policy.model)
        at.append(_score(policy))
    expected = 0.5 * at[4] + 0.25 * at[2] + 0.25 * at[0]
    assert torch.allclose(population(_score), expected, atol=1e-6)
    assert torch.equal(_score(policy), at[5]), "the policy's own weights are back, to the bit"


def test_a_member_of_weight_zero_changes_nothing() -> None:
    policy, other = (CausalPolicy(tiny("llama")) for _ in range(2))  # type: ignore[arg-type]
    _moved(other, 1)
    plain, padded = Population(policy, [1.0], 1), Population(policy, [1.0, 0.0], 1, 0.0, [(0.0, other)])
    _moved(policy, 2)
    for population in (plain, padded):
        population.after_step(1, policy.model)
    assert torch.equal(plain(_score), padded(_score))
    assert len(padded.past) == 1, "what nobody asks for is not kept"


def test_missing_history_leaves_its_weight_to_the_others(tmp_path: Path) -> None:
    policy = CausalPolicy(tiny("llama"))  # type: ignore[arg-type]
    population = Population(policy, [1.0, 3.0], 1)
    start = _score(policy)
    assert torch.equal(population(_score), start)
    _moved(policy, 3)
    population.after_step(1, policy.model)
    both = population(_score)
    assert torch.allclose(both, 0.25 * _score(policy) + 0.75 * start, atol=1e-6)
    population.save(tmp_path / "opponents.safetensors")
    again = Population(policy, [1.0, 3.0], 1)
    again.load(tmp_path / "opponents.safetensors")
    assert torch.equal(again(_score), both)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"online__opponents": {"history": [1.0, 0.5], "start": 0.5, "every": 2}},
        {"online__opponents": {"history": [0.0, 1.0], "every": 2}, "training__peft": "lora"},
    ],
    ids=["full", "adapter"],
)
def test_killed_and_resumed_it_has_the_same_opponents(changes: dict[str, Any], tmp_path: Path) -> None:
    whole = recipe(tmp_path / "whole", MNPO, **changes)
    ended = truing(["align", whole], tmp_path / "p")
    assert ended.code == 0, ended.err
    broken = recipe(tmp_path / "broken", MNPO, **changes)
    killed = truing(["align", broken], tmp_path / "q", before=partial(plant.kill_in_step, 5))
    assert killed.code == -signal.SIGKILL
    # Without the log every answer is drawn and scored anew, by opponents that come from the checkpoint.
    for path in (tmp_path / "broken/out/rollouts").iterdir():
        path.unlink()
    resumed = truing(["align", broken, "--resume"], tmp_path / "q")
    assert resumed.code == 0, resumed.err
    assert weights(tmp_path / "whole/out") == weights(tmp_path / "broken/out")
    assert rollouts(tmp_path / "whole/out")[-2:] == rollouts(tmp_path / "broken/out")[-2:]


@pytest.mark.slow
def test_the_last_policy_as_the_only_opponent_is_inpo(tmp_path: Path) -> None:
    """Weights (1, 0), renewed with every rollout, are the policy that drew: the same weights at the end."""
    ends = []
    for name, objective, changes in (
        ("mnpo", MNPO, {"online__opponents": {"history": [1.0, 0.0]}}),
        ("inpo", {"name": "inpo", "rho": 0.3, "eta": 0.1}, {}),
    ):
        path = recipe(tmp_path / name, objective, training__max_steps=4, online__steps_per_rollout=2, **changes)
        ended = truing(["align", path], tmp_path / "p")
        assert ended.code == 0, ended.err
        ends.append(weights(tmp_path / name / "out"))
    assert ends[0] == ends[1]


def test_the_plan_says_what_a_population_takes(tmp_path: Path) -> None:
    path = recipe(tmp_path, MNPO, online__opponents={"history": [1.0, 0.0, 0.5, 0.0], "start": 1.0, "every": 2})
    said = " ".join(truing(["align", path, "--dry-run"], tmp_path / "p").err.split())
    assert "opponents 2 past selves, new ones every 2 steps; the start; 4 copies of" in said


@pytest.mark.parametrize(
    ("objective", "changes", "message"),
    [
        ("grpo", {"online__opponents": {"history": [1.0]}}, "is not trained against opponents"),
        ("mnpo", {"online__opponents": {"history": [0.0]}}, "no member with a weight above 0"),
        ("mnpo", {"online__opponents": {"history": [-1.0]}}, "history"),
        (
            "mnpo",
            {"online__opponents": {"every": 3}, "online__steps_per_rollout": 2},
            "a round of 3 steps ends within a rollout of 2",
        ),
        ("mnpo", {"online": None}, "learns from answers that the model draws in training"),
    ],
)
def test_mistakes_are_explained(objective: str, changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    assert message in truing(["align", recipe(tmp_path, objective, **changes)], tmp_path / "p").mistake()
