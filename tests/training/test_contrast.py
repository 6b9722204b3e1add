"""Pairs contrasted over a whole batch: micro-batches change nothing, from a recipe, resumed, on real rows."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from tests.policies.test_values import classifier
from tests.training.runs import records
from truing.assets import preference_sample
from truing.data.sources import load
from truing.objectives import Batch, Objective, secrets_rm
from truing.policies.values import RewardPolicy
from truing.rewards.models.training import train_reward
from truing.training.step import PreferenceStep, References

OBJECTIVE = secrets_rm(contrast=0.7, temperature=0.2, dropout=0.3)
INDICES = list(range(8))


def reward_policy() -> RewardPolicy:
    model = classifier(1)
    torch.manual_seed(0)
    model.resize_token_embeddings(97)
    return RewardPolicy(model, precision="float32")


def gradients(objective: Objective, budget: int) -> tuple[float, torch.Tensor]:
    policy = reward_policy()
    step = PreferenceStep(policy, objective, records("pairs"), References(), budget=budget)
    result = step.train(INDICES, lambda loss, last: loss.backward())
    return result.loss, flat(policy)


def flat(policy: RewardPolicy) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in policy.model.parameters() if p.grad is not None])


def plain(objective: Objective) -> tuple[float, torch.Tensor]:
    """The whole batch in one graph, without the step."""
    policy = reward_policy()
    scores = policy.score(records("pairs").trees(INDICES), pooled=True)
    batch = Batch.pairs(len(INDICES))
    state = objective.update(objective.init(), scores.detach(), batch)
    loss = objective(scores, batch, state).loss
    loss.backward()
    return float(loss.detach()), flat(policy)


@pytest.mark.parametrize("budget", [1, 30, 100_000])
def test_micro_batches_change_nothing(budget):
    loss, gradient = gradients(OBJECTIVE, budget)
    expected, wanted = plain(OBJECTIVE)
    assert loss == pytest.approx(expected, abs=1e-6)
    torch.testing.assert_close(gradient, wanted, atol=1e-6, rtol=1e-5)


def test_the_term_reaches_the_layers_and_labels_still_count():
    """Neither part of the gradient is lost on the way through micro-batches."""
    both, alone = gradients(OBJECTIVE, 1)[1], gradients(secrets_rm(), 1)[1]
    assert float((both - alone).norm()) > 0.01 * float(alone.norm())
    contrast = Objective("contrast", (OBJECTIVE.terms[-1],), None, 1.0)
    without_labels = plain(contrast)[1]
    # The head has a gradient from labels alone.
    assert len(without_labels) == len(both) - classifier(1).score.weight.numel()


def rows(path, folder, **training):
    read = load(str(path), limit=60)
    pairs = folder / "pairs.jsonl"
    names = ("prompt", "chosen", "rejected")
    pairs.write_text("".join(json.dumps({name: row[name] for name in names}) + "\n" for row in read.dataset))
    return {
        "model": "truing/tiny",
        "data": {"path": str(pairs), "eval_fraction": 0.2, "max_length": 96},
        "objective": {"name": "secrets-rm", "contrast": 0.1},
        "training": {"max_steps": 4, "global_batch": 6, "learning_rate": 1e-3, "save_every": 2, **training},
        "output": str(folder / "run"),
    }


def test_a_resumed_run_goes_on_with_the_masks_that_follow(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    first = train_reward(rows(preference_sample(), whole))
    train_reward(rows(preference_sample(), broken))
    # As after a kill at step 2: nothing but the checkpoint is left.
    record = json.loads((broken / "run" / "run.json").read_text(encoding="utf-8"))
    (broken / "run" / "run.json").write_text(json.dumps({**record, "status": "running"}), encoding="utf-8")
    last = broken / "run" / "checkpoints" / "checkpoint-4"
    for file in sorted(last.rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    last.rmdir()
    again = train_reward(rows(preference_sample(), broken), resume=True)
    one, other = (load_file(str(r.model / "model.safetensors")) for r in (first, again))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_real_pairs(shared_data, tmp_path):
    result = train_reward(rows(shared_data / "hh-rlhf" / "harmless-base-test.jsonl.gz", tmp_path))
    assert result.status == "finished"
    assert 0 <= result.record["evaluation"]["reward"]["accuracy"]["value"] <= 1
