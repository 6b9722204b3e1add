"""The packaged model writes reference samples and candidates; the packaged scorers judge them."""

import json
import math

import pytest
import torch

from truing.assets import folder
from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling, generate
from truing.policies.loading import load_model, load_tokenizer
from truing.recipe.online import RewardsSection
from truing.rewards.algebra import Origin
from truing.rewards.build import build
from truing.rewards.lookup import pieces
from truing.rewards.reference_scores import reference_stats

COUNT = 16
BOTH = ["sentiment", "harmlessness"]


@pytest.fixture(scope="module")
def answers() -> tuple[list[str], list[list[str]], list[list[str]]]:
    """Six prompts, reference samples and candidates."""
    policy = CausalPolicy(load_model("truing/tiny"), load_tokenizer("truing/tiny"), precision="float32")
    rows = [json.loads(line) for line in (folder() / "hh-sample.jsonl").read_text(encoding="utf-8").splitlines()]
    ends = [row["chosen"].rindex("\n\nAssistant:") + len("\n\nAssistant:") for row in rows]
    prompts = sorted({row["chosen"][:end] for row, end in zip(rows, ends, strict=True)}, key=len)[:6]
    ids = [policy.tokenizer(prompt)["input_ids"] for prompt in prompts for _ in range(COUNT)]

    def draw(seed: int) -> list[list[str]]:
        found = generate(policy, ids, Sampling(max_new_tokens=16, temperature=1.0, seed=seed, batch=96))
        texts = [policy.tokenizer.decode(tokens, skip_special_tokens=True) for tokens in found]
        return [texts[start : start + COUNT] for start in range(0, len(texts), COUNT)]

    return prompts, draw(1), draw(2)


def judged(answers, **section):
    prompts, reference, candidates = answers
    made = build(RewardsSection.model_validate({"rewards": BOTH, **section}))
    made = made.with_reference(reference_stats(made.score, prompts, reference, Origin("tiny", "packaged")))
    flat = [(prompt, text) for prompt, own in zip(prompts, candidates, strict=True) for text in own]
    return made.judge([prompt for prompt, _ in flat], [text for _, text in flat])


def test_a_model_wins_half_against_itself(answers) -> None:
    """Standard error of the mean of 96 quantiles, against a reference of 16 for each prompt: 0.04."""
    found = judged(answers, transform="calibrate", combine="mean").transformed.values
    error = math.sqrt(1 / 12 / 96 + 1 / 12 / 96)
    assert float((found.mean(0) - 0.5).abs().max()) < 3 * error


@pytest.mark.parametrize("transform", [entry.name for entry in pieces("reward transform") if entry.name != "clip"])
def test_every_transform(answers, transform: str) -> None:
    found = judged(answers, transform=transform, combine="mean")
    assert found.valid.all()
    assert found.reward.unique().numel() > 10


@pytest.mark.parametrize("combiner", [entry.name for entry in pieces("reward combiner")])
def test_every_combiner(answers, combiner: str) -> None:
    found = judged(answers, transform="calibrate", combine=combiner)
    assert found.valid.all()
    assert torch.isfinite(found.reward).all()
    assert found.reward.unique().numel() > 10
