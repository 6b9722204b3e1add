"""GTAlign on real prompts: imitate answers in blocks, go on online, and steer what came out."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from truing import align
from truing.decoding.drawing import FromModel
from truing.decoding.steering import steer
from truing.evidence.claims.gtalign import answer
from truing.rewards.judges.local import load_policy
from truing.rewards.welfare.payoffs import CELLS, Payoff, Payoffs
from truing.training.online.rollouts import RolloutLog

SMALL = {"precision": "float32", "save_every": 1000, "eval_every": 1000}
EVALUATION = {"samples": 0, "judged_prompts": 0}


def demonstrations(source: Path, folder: Path) -> Path:
    """Answers in blocks, with payoffs that are drawn; the response is right."""
    rng = random.Random(0)
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()[:64]]
    path = folder / "blocks.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            game = Payoffs(
                {name: Payoff(round(rng.uniform(0.5, 4), 1), round(rng.uniform(0.5, 4), 1)) for name in CELLS}
            )
            right = row["answer"].split("####")[-1].strip()
            told = answer("The question is definite.", f"The answer is {right}.", game)
            messages = [{"role": "user", "content": row["question"]}, {"role": "assistant", "content": told}]
            file.write(json.dumps({"messages": messages}) + "\n")
    return path


@pytest.mark.slow
def test_from_blocks_to_rewards_to_steering(gsm8k: Path, tmp_path: Path) -> None:
    align(
        {
            "model": "truing/tiny",
            "data": {"path": str(demonstrations(gsm8k, tmp_path)), "max_length": 768, "eval_fraction": 0},
            "objective": "sft",
            "training": {"max_steps": 40, "learning_rate": 2e-3, "global_batch": 8, **SMALL},
            "evaluation": EVALUATION,
            "output": str(tmp_path / "imitated"),
        }
    )
    model = tmp_path / "imitated" / "model"
    align(
        {
            "model": str(model),
            "data": {"path": str(gsm8k), "limit": 32, "max_length": 768, "eval_fraction": 0},
            "objective": {"name": "rloo", "kl": 0.0},
            "online": {
                "rewards": {"name": "gtalign", "accuracy": {"name": "numeric-answer", "column": "completion"}},
                "combine": "geometric-mean",
                "answers": 4,
                "max_new_tokens": 320,
            },
            "training": {"max_steps": 2, "learning_rate": 1e-4, "global_batch": 4, **SMALL},
            "evaluation": EVALUATION,
            "output": str(tmp_path / "welfare"),
        }
    )
    rollout = RolloutLog(tmp_path / "welfare").read(0)
    assert rollout is not None
    rewards = [reward for group in rollout.rewards for reward in group]
    assert None not in rewards
    # In form and wrong: √(0.31 · 0.5) at most; out of form: 0. Both happen, so that form is what is learned.
    assert sum(reward > 0 for reward in rewards if reward is not None) >= 4
    assert min(reward for reward in rewards if reward is not None) == 0
    draw = FromModel(load_policy(str(model)), max_new_tokens=320)
    question = "Janet has 3 apples and buys 4 more. How many has she?"
    before = steer(draw, question, {})
    action = before.cell.partition("_")[2]
    after = steer(draw, question, {action: {"LLM": -8.0, "user": -8.0}})
    assert after.written == before.written, "the weights are what they were"
    assert after.cell.partition("_")[2] != action
