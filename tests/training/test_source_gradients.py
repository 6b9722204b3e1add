"""MORE by gradients in all weights: as by hand, for any micro-batches, resumed as if never interrupted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.training.runs import in_two_processes, records, train
from tests.training.test_contrast import flat, reward_policy
from tests.training.test_more import recipe, rows
from truing.errors import ObjectiveError, RecipeError
from truing.objectives import Batch, bradley_terry, secrets_rm
from truing.objectives.algebra.sources import MinNormSources, products
from truing.objectives.methods.more import more
from truing.recipe import parse_recipe
from truing.rewards.models.training import train_reward
from truing.training import one_process
from truing.training.distributed import World
from truing.training.source_gradients import SourceGradientsStep
from truing.training.step import PreferenceStep, References

INDICES = list(range(9))
SOURCE = np.array([0, 1, 2] * 7, dtype=float)
OBJECTIVE = more(over="all", momentum=0.5)


def data():
    return replace(records("pairs"), columns={"source:source": SOURCE})


def gradient_of(policy, objective, batch: Batch, indices, state=None) -> torch.Tensor:
    """The whole batch in one graph, without the step."""
    policy.model.zero_grad()
    scores = policy.score(data().trees(indices))
    objective(scores, batch, state).loss.backward()
    return flat(policy)


def by_hand() -> tuple[torch.Tensor, torch.Tensor]:
    """Weights of sources, and the gradient under them."""
    policy = reward_policy()
    term = OBJECTIVE.terms[0][1]
    assert isinstance(term, MinNormSources)
    parts = [
        gradient_of(policy, bradley_terry(), Batch.pairs(3), [i for i in INDICES if i % 3 == k]) for k in range(3)
    ]
    batch = Batch.pairs(9, columns={"source:source": torch.from_numpy(SOURCE[:9])})
    state = term.weighed(term.init(), batch, products(torch.stack(parts)))
    return state["weights"][1:], gradient_of(policy, OBJECTIVE, batch, INDICES, [state])


@pytest.mark.parametrize("budget", [1, 40, 100_000])
def test_weights_and_gradient_are_those_by_hand(budget):
    policy = reward_policy()
    step = SourceGradientsStep(policy, OBJECTIVE, data(), References(), budget=budget)
    result = step.train(INDICES, lambda loss, last: loss.backward())
    weights, expected = by_hand()
    torch.testing.assert_close(step.state[0]["weights"][1:], weights, atol=1e-6, rtol=0)
    assert float((flat(policy) - expected).norm()) < 1e-5 * float(expected.norm())
    assert float((weights - 1 / 3).abs().max()) > 0.01
    plain = PreferenceStep(reward_policy(), bradley_terry(), data(), References(), budget=budget)
    once = plain.train(INDICES, lambda loss, last: loss.backward())
    assert result.tokens == 2 * once.tokens


def test_held_out_records_count_alike_and_leave_the_weights():
    step = SourceGradientsStep(reward_policy(), OBJECTIVE, data(), References(), budget=100)
    step.train(INDICES, lambda loss, last: None)
    before = [dict(own) for own in step.state]
    plain = PreferenceStep(step.policy, bradley_terry(), data(), References(), budget=100)
    assert step.evaluate(INDICES).loss == pytest.approx(plain.evaluate(INDICES).loss, abs=1e-6)
    assert all(torch.equal(before[0][name], step.state[0][name]) for name in before[0])


def test_resuming_is_bit_identical(tmp_path):
    def run(folder, resume=None, **extra):
        step = SourceGradientsStep(reward_policy(), OBJECTIVE, data(), References(), budget=60)
        _, found = train(step, folder, resume=resume, save_strategy="steps", save_steps=2, **extra)
        return found, step.state[0]["weights"]

    whole, weights = run(tmp_path / "a")
    run(tmp_path / "b", max_steps=3)
    found, own = run(tmp_path / "b", resume=str(tmp_path / "b" / "checkpoints" / "checkpoint-2"))
    assert torch.equal(found, whole)
    assert torch.equal(own, weights)


def test_a_run_says_what_sources_weigh(tmp_path):
    given = recipe(tmp_path, rows(20), max_steps=2, save_every=2)
    given["objective"] = {"name": "more", "momentum": 0.5, "over": "all"}
    assert sum(train_reward(given).record["estimates"].values()) == pytest.approx(1.0)


TWO_PROCESSES = """
import sys, torch
from pathlib import Path
from tests.training.runs import train
from tests.training.test_source_gradients import source_step
from truing.training.distributed import World
torch.distributed.init_process_group("gloo")
step = source_step(World.current())
found = train(step, Path(sys.argv[1]) / "two", seed=42, ddp_backend="gloo", max_steps=3)
if World.current().is_main:
    torch.save((*found, step.state[0]["weights"]), Path(sys.argv[1]) / "found.pt")
"""


def source_step(world: World) -> SourceGradientsStep:
    return SourceGradientsStep(reward_policy(), OBJECTIVE, data(), References(), budget=60, world=world)


@pytest.mark.slow
def test_two_processes_follow_one(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(TWO_PROCESSES)
    in_two_processes(script, tmp_path)
    losses, found, sources = torch.load(tmp_path / "found.pt")
    step = source_step(World())
    expected_losses, expected = train(step, tmp_path / "one", seed=42, max_steps=3)
    assert losses == pytest.approx(expected_losses, abs=2e-5)
    torch.testing.assert_close(found, expected, atol=5e-5, rtol=0)
    torch.testing.assert_close(sources, step.state[0]["weights"], atol=1e-5, rtol=0)
    assert float((sources[1:] - 1 / 3).abs().max()) > 0.01


def test_several_processes_are_allowed_and_a_step_ahead_is_refused(tmp_path, monkeypatch):
    given = parse_recipe(recipe(tmp_path, rows(20)))
    with pytest.raises(RecipeError, match="which comes first is not defined"):
        one_process.check_one_process(given, OBJECTIVE + secrets_rm(ahead=1.0))
    monkeypatch.setattr(one_process.World, "current", classmethod(lambda cls: World(0, 2)))
    one_process.check_one_process(given, OBJECTIVE)


def test_inside_another_term_it_is_refused():
    with pytest.raises(ObjectiveError, match="sources are weighed inside another term"):
        SourceGradientsStep(reward_policy(), OBJECTIVE.on("other"), data(), References(), budget=100)
