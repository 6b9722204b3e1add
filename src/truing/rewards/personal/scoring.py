"""What a personal reward model says of every completion of a data set, row by row: a number for each user."""

from __future__ import annotations

from typing import Any

from truing.data.records import Records
from truing.rewards.personal.model import PersonalModel
from truing.statistics import Estimate, mean, rate

Rows = list[dict[str, Any]]


def user_rows(model: PersonalModel, records: Records) -> Rows:
    """One mapping a record: ``id``, ``completions`` (each ``role``, ``tokens``, and ``reward`` by user), and
    ``log_odds`` of pairs by user, nats.

    Args:
        model: of one or several users.
        records: of any kind; what cannot be tokenised is left out.
    """
    examples = model.examples(records)
    everything = range(len(examples))
    trees = examples.trees(everything)
    counts = [len(tree.branches) for tree in trees]
    rows = []
    for row, tree, values in zip(
        examples.take(everything), trees, model.table(trees, model.users).split(counts), strict=True
    ):
        paired = records.kind == "pairs"
        found: dict[str, Any] = {
            "id": str(row["id"]),
            "completions": [
                {
                    "role": ("chosen", "rejected")[number] if paired else str(number),
                    "tokens": len(branch),
                    "reward": _by_user(model, own.tolist()),
                }
                for number, (branch, own) in enumerate(zip(tree.branches, values, strict=True))
            ],
        }
        if paired:
            found["log_odds"] = _by_user(model, (values[0] - values[1]).tolist())
        rows.append(found)
    return rows


def user_metrics(rows: Rows) -> dict[str, Estimate]:
    """What the rows add up to for each user; ties count one half."""
    found = {}
    for user in rows[0]["completions"][0]["reward"] if rows else ():
        found[f"reward of {user}"] = mean([own["reward"][user] for row in rows for own in row["completions"]])
        odds = [row["log_odds"][user] for row in rows if "log_odds" in row]
        if odds:
            right = sum(1.0 if own > 0 else 0.5 if own == 0 else 0.0 for own in odds)
            found[f"accuracy (chosen above rejected) of {user}"] = rate(right, len(odds))
    return found


def _by_user(model: PersonalModel, values: list[float]) -> dict[str, float]:
    return {user: round(value, 6) for user, value in zip(model.users, values, strict=True)}
