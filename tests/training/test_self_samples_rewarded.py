"""Rewards and proposals belong to their samples: when they are drawn, drawn anew, and read back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.data import tokenizers_for_tests
from tests.jobs import model_folder
from truing.objectives import Batch
from truing.objectives.algebra import Scores
from truing.objectives.algebra.policy_gradient import Distributional
from truing.policies.causal import CausalPolicy, sequence_logps
from truing.policies.loading import load_model
from truing.policies.packing import Tree
from truing.recipe.schema import SelfSamplesSection
from truing.rewards.scorers import load_scorer
from truing.training.examples import ExampleData
from truing.training.roles import joined, roles
from truing.training.self_samples import Drawn, Refreshed, SampledRows, draw_and_score

PROMPTS = [[5, 6, 7], [8, 9], [10, 11, 12, 13]]
SECTION = SelfSamplesSection(count=3, max_new_tokens=6, reward="sentiment", refresh_every=2)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> CausalPolicy:
    folder = model_folder(tmp_path_factory.mktemp("model"))
    return CausalPolicy(load_model(str(folder)), tokenizers_for_tests.llama_3(), precision="float32")


def check(policy: CausalPolicy, drawn: Drawn) -> None:
    """Every reward and proposal is that of the answer in its place, worked out one answer at a time."""
    assert drawn.rewards is not None
    assert drawn.proposals is not None
    assert policy.tokenizer is not None
    scorer = load_scorer("sentiment")
    for prompt, answers, rewards, proposals in zip(
        PROMPTS, drawn.completions, drawn.rewards, drawn.proposals, strict=True
    ):
        assert len(answers) == len(rewards) == len(proposals) == 3
        for answer, reward, proposal in zip(answers, rewards, proposals, strict=True):
            alone = policy.score_all([Tree(prompt, [answer])])
            assert proposal == pytest.approx(float(sequence_logps(alone)[0]), abs=1e-4)
            text = policy.tokenizer.decode(answer, skip_special_tokens=True)
            assert reward == pytest.approx(float(scorer.scores([text])[0]))


def rows(policy: CausalPolicy) -> tuple[SampledRows, Refreshed]:
    first = draw_and_score(policy, PROMPTS, SECTION, 0, 64)
    found = SampledRows(["a", "b", "c"], PROMPTS, first)
    return found, Refreshed(found, None, lambda data: None, SECTION, 0, policy, 64)  # type: ignore[arg-type, return-value]


def test_they_belong_to_their_samples(policy: CausalPolicy) -> None:
    check(policy, draw_and_score(policy, PROMPTS, SECTION, 0, 64))


def test_without_a_reward_there_is_neither(policy: CausalPolicy) -> None:
    drawn = draw_and_score(policy, PROMPTS, SECTION.model_copy(update={"reward": None}), 0, 64)
    assert drawn.rewards is None
    assert drawn.proposals is None
    assert "rewards" not in SampledRows(["a", "b", "c"], PROMPTS, drawn)[[0]]


def test_they_are_replaced_with_their_samples_and_read_back(policy: CausalPolicy, tmp_path: Path) -> None:
    sampled, refreshed = rows(policy)
    before = sampled.drawn
    refreshed.after_step(1, policy.model)
    assert sampled.drawn is before
    refreshed.after_step(2, policy.model)
    assert sampled.drawn.completions != before.completions
    check(policy, sampled.drawn)
    refreshed.save(tmp_path / "samples.json")
    fresh, reader = rows(policy)
    assert fresh.drawn != sampled.drawn
    reader.load(tmp_path / "samples.json")
    assert fresh.drawn == sampled.drawn
    assert set(json.loads((tmp_path / "samples.json").read_text())) == {"completions", "rewards", "proposals"}


def test_weights_are_one_right_after_drawing(policy: CausalPolicy) -> None:
    """π/q = 1 where the policy is the one that drew, also for records in another order."""
    sampled, _ = rows(policy)
    order = [2, 0]
    taken = sampled[order]
    trees = [
        Tree(prompt, [[20, 21], *answers])
        for prompt, answers in zip(taken["prompt_ids"], taken["completion_ids"], strict=True)
    ]
    samples = roles("samples", [{key: values[i] for key, values in taken.items()} for i in range(len(order))])
    own = Batch.samples([1, 1])
    batch = joined(own, {"samples": samples})
    scored: Scores = policy.score_all(trees)
    scores = replace(scored, reference=scored.token_logps)
    gain, weight = Distributional("reverse-kl", 1.0, baseline=False).pseudo_rewards(scores, batch)
    torch.testing.assert_close(weight, torch.ones(6), rtol=1e-4, atol=1e-4)
    # The reference drew, so that the target is e^reward over its mean, and −log t = reward − log Z.
    assert sampled.drawn.rewards is not None
    rewards = torch.tensor([sampled.drawn.rewards[i] for i in order], dtype=torch.float64)
    expected = rewards - torch.log(torch.exp(rewards).mean(-1, keepdim=True))
    torch.testing.assert_close(gain.double(), expected.flatten(), rtol=1e-3, atol=1e-3)


def test_rows_are_those_of_the_records_asked_for(policy: CausalPolicy) -> None:
    sampled, _ = rows(policy)
    data = ExampleData(sampled, "samples")
    batch = data.batch(data.examples([1, 2]))
    assert sampled.drawn.rewards is not None
    assert batch.reward is not None
    torch.testing.assert_close(batch.reward, torch.tensor(sampled.drawn.rewards[1] + sampled.drawn.rewards[2]))
