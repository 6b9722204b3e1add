"""What a reward model says of every completion of a data set, row by row."""

from __future__ import annotations

from typing import Any

import torch

from truing.data.encoded import Encoded
from truing.errors import DataError
from truing.rewards.models.form import RewardForm
from truing.rewards.models.model import RewardModel
from truing.statistics import Estimate, mean, rate
from truing.training.examples import ExampleData

Rows = list[dict[str, Any]]


def reward_rows(model: RewardModel, encoded: Encoded) -> Rows:
    """One mapping a record: ``id``, ``completions`` (each ``role``, ``tokens``, ``reward``), and ``log_odds`` of pairs.

    A model that writes critiques before it scores leaves each beside its reward, as ``critique``.

    Args:
        model: whose tokens they are.
        encoded: records of any kind.

    Raises:
        DataError: if the model only compares answers, and records have one each.
    """
    examples = ExampleData(encoded.dataset, encoded.kind)
    trees = examples.trees(range(len(examples)))
    if model.form.kind == "skew" and any(len(tree.branches) < 2 for tree in trees):
        raise DataError(
            f"{model.name} compares answers to one prompt, and {encoded.kind} data have one answer a prompt",
            allowed="pairs, or ranked answers",
            fix="score pairs, or use a reward model that was trained with bradley-terry",
        )
    paired = encoded.kind == "pairs"
    rows = []
    for name, tree, found in zip(encoded.dataset["id"], trees, model.read(trees), strict=True):
        values = found.values.double()
        rewards = model.form.rewards(values).tolist()
        row: dict[str, Any] = {
            "id": str(name),
            "completions": [
                {
                    "role": ("chosen", "rejected")[number] if paired else str(number),
                    "tokens": len(branch),
                    "reward": round(reward, 6),
                    **({} if found.critiques is None else {"critique": found.critiques[number]}),
                }
                for number, (branch, reward) in enumerate(zip(tree.branches, rewards, strict=True))
            ],
        }
        if paired:
            row["log_odds"] = round(float(model.form.log_odds(values[0], values[1])), 6)
        rows.append(row)
    return rows


def reward_metrics(rows: Rows, form: RewardForm) -> dict[str, Estimate]:
    """What the rows add up to; ties count one half. Where answers are only compared, their mean reward is always 0."""
    found = {}
    if form.kind == "scalar":
        found["reward"] = mean([c["reward"] for row in rows for c in row["completions"]])
    odds = torch.tensor([row["log_odds"] for row in rows if "log_odds" in row], dtype=torch.float64)
    if len(odds):
        right = float((odds > 0).sum() + 0.5 * (odds == 0).sum())
        found["accuracy (chosen above rejected)"] = rate(right, len(odds))
        found["log_odds"] = mean(odds.numpy())
    return found
