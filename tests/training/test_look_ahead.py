"""MetaRM: gradients a step ahead on samples; the weights themselves, and a resumed run, are as if nothing had been."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.training.runs import in_two_processes, records, train, weights
from tests.training.test_contrast import flat, reward_policy
from truing.assets import preference_sample
from truing.data.sources import load
from truing.errors import DataError, RecipeError
from truing.objectives import Batch, secrets_rm
from truing.policies.packing import Tree
from truing.recipe import parse_recipe
from truing.rewards.models.training import train_reward
from truing.training import ahead, one_process
from truing.training.distributed import World
from truing.training.examples import Drawn, ExampleData, Part
from truing.training.step import PreferenceStep, References

RATE = 5.0
INDICES = list(range(8))


def with_samples() -> ExampleData:
    """Pairs, and beside them three answers to prompts of their own."""
    data = records("pairs")
    samples = records("ranked", seed=1)
    rows = samples.rows.remove_columns("scores")
    return ExampleData(data.rows, "pairs", parts={"samples": Part(ExampleData(rows, "samples"), Drawn(21, 3))})


def by_hand(policy) -> torch.Tensor:
    """The gradient of all pairs at once, after a step up on all samples at once, without the step."""
    data = with_samples()
    samples = data.parts["samples"]
    rows = samples.data.take([samples.partner(i, 21) for i in INDICES])
    values = policy.score([Tree(row["prompt_ids"], row["completion_ids"]) for row in rows]).values[:, 0]
    spread = sum(
        2 / 9 * torch.sigmoid((own[i] - own[j]).abs())
        for own in values.reshape(-1, 3)
        for i, j in ((0, 1), (0, 2), (1, 2))
    )
    parameters = [p for p in policy.model.parameters() if p.requires_grad]
    slopes = torch.autograd.grad(spread / len(rows), parameters, allow_unused=True)
    with torch.no_grad():
        for own, slope in zip(parameters, slopes, strict=True):
            own.add_(0 if slope is None else RATE * slope)
    scores = policy.score(data.trees(INDICES))
    secrets_rm()(scores, Batch.pairs(len(INDICES))).loss.backward()
    return flat(policy)


@pytest.mark.parametrize("budget", [1, 40, 100_000])
def test_the_gradient_is_that_a_step_ahead_and_the_weights_stay(budget):
    policy = reward_policy()
    before = [own.detach().clone() for own in policy.model.parameters()]
    step = ahead.LookAheadStep(
        policy, secrets_rm(ahead=RATE), with_samples(), References(), budget=budget, world=World()
    )
    result = step.train(INDICES, lambda loss, last: loss.backward())
    expected = by_hand(reward_policy())
    # Sums in another order round differently, here twice, in the step ahead too: 1e-5 of the whole in float32.
    assert float((flat(policy) - expected).norm()) < 1e-5 * float(expected.norm())
    assert all(torch.equal(own, old) for own, old in zip(policy.model.parameters(), before, strict=True))
    assert result.sums["count/samples_apart"] == 3 * len(INDICES)

    plain = reward_policy()
    usual = PreferenceStep(plain, secrets_rm(), records("pairs"), References(), budget=budget)
    usual.train(INDICES, lambda loss, last: loss.backward())
    assert float((flat(plain) - flat(policy)).norm()) > 0.01 * float(flat(plain).norm())


def test_held_out_records_are_measured_where_the_weights_are():
    policy = reward_policy()
    step = ahead.LookAheadStep(policy, secrets_rm(ahead=RATE), with_samples(), References(), budget=100)
    usual = PreferenceStep(policy, secrets_rm(), records("pairs"), References(), budget=100)
    assert step.evaluate(INDICES).loss == pytest.approx(usual.evaluate(INDICES).loss, abs=1e-7)


def recipe(folder, completions=2, **objective):
    read = list(load(str(preference_sample()), limit=60).dataset)
    pairs, samples = folder / "pairs.jsonl", folder / "samples.jsonl"
    names = ("prompt", "chosen", "rejected")
    pairs.write_text("".join(json.dumps({name: row[name] for name in names}) + "\n" for row in read[:40]))
    answers = [
        {"prompt": r["prompt"], "completions": [r["chosen"], r["rejected"]][:completions]} for r in read[40:]
    ]
    samples.write_text("".join(json.dumps(row) + "\n" for row in answers))
    return {
        "model": "truing/tiny",
        "data": {
            "path": str(pairs),
            "eval_fraction": 0.2,
            "max_length": 96,
            "parts": {"samples": str(samples)},
        },
        "objective": {"name": "secrets-rm", "ahead": 0.1, **objective},
        "training": {"max_steps": 4, "global_batch": 6, "learning_rate": 1e-3, "save_every": 2},
        "output": str(folder / "run"),
    }


def test_resuming_is_bit_identical(tmp_path):
    def run(folder, resume=None, **extra):
        step = ahead.LookAheadStep(
            reward_policy(), secrets_rm(ahead=RATE), with_samples(), References(), budget=60
        )
        _, found = train(step, folder, resume=resume, save_strategy="steps", save_steps=2, **extra)
        return found

    whole = run(tmp_path / "a")
    run(tmp_path / "b", max_steps=3)
    assert torch.equal(run(tmp_path / "b", resume=str(tmp_path / "b" / "checkpoints" / "checkpoint-2")), whole)


def test_a_run_says_how_far_samples_are_apart(tmp_path):
    given = recipe(tmp_path)
    given["training"] = {"max_steps": 2, "global_batch": 6, "save_every": 2}
    train_reward(given)
    lines = (tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [m["step"] for m in map(json.loads, lines) if "samples_apart" in m] == [1, 2]


def test_a_reward_model_writes_no_samples(tmp_path):
    given = recipe(tmp_path)
    given["data"].pop("parts")
    with pytest.raises(
        RecipeError, match="takes a part 'samples' beside every record, and the recipe names no data"
    ):
        train_reward(given)


def test_samples_without_a_step_ahead_have_no_effect(tmp_path):
    with pytest.raises(RecipeError, match=r"data\.parts\.samples has no effect"):
        train_reward(recipe(tmp_path, ahead=0))


def test_single_answers_are_refused(tmp_path):
    # A fifth of the 20 prompts is held out.
    with pytest.raises(DataError, match="16 prompts have fewer than two answers") as error:
        train_reward(recipe(tmp_path, completions=1))
    assert error.value.where is not None
    assert "data.parts.samples" in error.value.where


TWO_PROCESSES = """
import sys, torch
from pathlib import Path
from tests.training.runs import train
from tests.training.test_look_ahead import look_ahead_step
from truing.training.distributed import World
torch.distributed.init_process_group("gloo")
found = train(look_ahead_step(World.current()), Path(sys.argv[1]) / "two", seed=42, ddp_backend="gloo", max_steps=3)
if World.current().is_main:
    torch.save(found, Path(sys.argv[1]) / "found.pt")
"""


def look_ahead_step(world: World) -> ahead.LookAheadStep:
    return ahead.LookAheadStep(
        reward_policy(), secrets_rm(ahead=RATE), with_samples(), References(), budget=60, world=world
    )


@pytest.mark.slow
def test_two_processes_follow_one(tmp_path: Path) -> None:
    script = tmp_path / "two.py"
    script.write_text(TWO_PROCESSES)
    in_two_processes(script, tmp_path)
    losses, found = torch.load(tmp_path / "found.pt")
    step = look_ahead_step(World())
    start = weights(step.policy.model)
    expected_losses, expected = train(step, tmp_path / "one", seed=42, max_steps=3)
    assert losses == pytest.approx(expected_losses, abs=2e-5)
    torch.testing.assert_close(found, expected, atol=5e-5, rtol=0)
    assert float((expected - start).abs().max()) > 1e-3


def test_several_processes_are_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr(one_process.World, "current", classmethod(lambda cls: World(0, 2)))
    one_process.check_one_process(parse_recipe(recipe(tmp_path)), secrets_rm(ahead=1.0))


def test_sharded_weights_are_refused(tmp_path):
    given = parse_recipe(recipe(tmp_path), ["training.arguments={deepspeed: zero.json}"])
    with pytest.raises(RecipeError, match="must hold all of them, and here it is deepspeed"):
        one_process.check_one_process(given, secrets_rm(ahead=1.0))
