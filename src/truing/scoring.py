"""Score any checkpoint on any data: the same numbers that training showed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from truing.errors import TruingError
from truing.statistics import Estimate, mean, rate
from truing.writing import atomic_path

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy
    from truing.policies.packing import Tree
    from truing.policies.precision import Precision


@dataclass(frozen=True)
class ScoreSummary:
    """What the rows add up to.

    Attributes:
        rows: records scored.
        metrics: each with a 95 % interval.
    """

    rows: int
    metrics: dict[str, Estimate]

    def as_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "metrics": {name: e.as_dict() for name, e in self.metrics.items()}}

    def sentences(self) -> list[str]:
        lines = [f"{self.rows:,} records scored"]
        for name, e in self.metrics.items():
            lines.append(f"{name}: {e.value:.4g} (95 % interval {e.low:.4g} to {e.high:.4g}, n = {e.n})")
        return lines


def score_file(
    model: str,
    data: str,
    *,
    reference: str | None = None,
    beta: float | None = None,
    output: Path | None = None,
    max_length: int = 1024,
    precision: str = "auto",
    chat_template: str | None = None,
) -> ScoreSummary:
    """Score every completion of a data set, and write one JSON object per record.

    Each object has ``id`` and ``completions``, a list with ``role`` (chosen, rejected, or the completion's number),
    ``tokens``, ``logp`` (nats), ``logp_per_token`` and, with a reference, ``reference_logp``, ``log_ratio`` and
    ``reward`` (beta times the log-ratio); pairs also get ``margin``. Of a reward model the completions have ``role``,
    ``tokens`` and ``reward`` (where it only compares answers, the mean log-odds against the others); pairs also get
    ``log_odds``. Of a personal reward model ``reward`` and ``log_odds`` have a number for each user.

    Args:
        model: folder, checkpoint of a run, or hub name; of a policy or of a reward model.
        data: as for training; the layout is detected.
        reference: another model; the same tokens are scored with it. For policies.
        beta: scale of the implicit reward, 0.1 if left out. For policies.
        output: file; ``None`` writes to standard output.
        max_length: tokens; a personal reward model cuts texts as in its own fit.
        precision: auto, float32 or bfloat16.
        chat_template: for tokenizers that have none.

    Raises:
        TruingError: on anything the user can mend.
    """
    from truing.data.sources import load
    from truing.data.text import TextEncoder
    from truing.policies.loading import load_tokenizer
    from truing.rewards.models.model import gives_rewards
    from truing.rewards.personal.model import is_personal
    from truing.training.examples import ExampleData

    if precision not in ("auto", "float32", "bfloat16"):
        raise TruingError(
            f"unknown precision {precision!r}", where="--precision", allowed="auto, float32, bfloat16"
        )
    if beta is not None and not beta > 0:
        raise TruingError(f"beta must be > 0, not {beta:g}", where="--beta")
    if gives_rewards(model) or is_personal(model):
        for option, value in (("--reference", reference), ("--beta", beta)):
            if value is not None:
                raise TruingError(
                    f"{option} has no effect: {model} is a reward model, which gives rewards itself",
                    where=option,
                    fix="leave it out",
                )
        if is_personal(model):
            return _score_users(model, data, output)
        return _score_rewards(model, data, output, max_length, precision, chat_template)
    records = load(data)
    tokenizer = load_tokenizer(model)
    encoded = TextEncoder(tokenizer, max_length=max_length, chat_template=chat_template).encode(records)
    examples = ExampleData(encoded.dataset, records.kind)
    trees = examples.trees(range(len(examples)))
    own = _sums(_policy(model, precision), trees)
    base = _sums(_policy(reference, precision), trees) if reference else None
    ids = [str(i) for i in encoded.dataset["id"]]
    rows = list(_rows(ids, trees, records.kind, own, base, 0.1 if beta is None else beta))
    _write(rows, output)
    return ScoreSummary(len(rows), _metrics(rows))


def _score_rewards(
    name: str, data: str, output: Path | None, max_length: int, precision: str, chat_template: str | None
) -> ScoreSummary:
    from truing.data.sources import load
    from truing.rewards.models.model import RewardModel
    from truing.rewards.models.scoring import reward_metrics, reward_rows

    model = RewardModel.load(name, precision=cast("Precision", precision))
    rows = reward_rows(model, model.encode(load(data), max_length=max_length, chat_template=chat_template))
    _write(rows, output)
    return ScoreSummary(len(rows), reward_metrics(rows, model.form))


def _score_users(name: str, data: str, output: Path | None) -> ScoreSummary:
    from truing.data.sources import load
    from truing.rewards.personal.model import PersonalModel
    from truing.rewards.personal.scoring import user_metrics, user_rows

    rows = user_rows(PersonalModel.load(name), load(data))
    _write(rows, output)
    return ScoreSummary(len(rows), user_metrics(rows))


def _policy(name: str, precision: str) -> CausalPolicy:
    from truing.policies.causal import CausalPolicy
    from truing.policies.loading import load_model

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return CausalPolicy(load_model(name, device=device), precision=cast("Precision", precision))


def _sums(policy: CausalPolicy, trees: list[Tree]) -> np.ndarray:
    from truing.policies.causal import sequence_logps

    with policy.evaluating():
        return sequence_logps(policy.score_all(trees)).double().cpu().numpy()


def _rows(
    ids: list[str], trees: list[Tree], kind: str, own: np.ndarray, base: np.ndarray | None, beta: float
) -> Iterator[dict[str, Any]]:
    place = 0
    for name, tree in zip(ids, trees, strict=True):
        completions: list[dict[str, Any]] = []
        for number, branch in enumerate(tree.branches):
            entry: dict[str, Any] = {
                "role": ("chosen", "rejected")[number] if kind == "pairs" else str(number),
                "tokens": len(branch),
                "logp": round(float(own[place]), 5),
                "logp_per_token": round(float(own[place]) / len(branch), 5),
            }
            if base is not None:
                ratio = float(own[place] - base[place])
                entry |= {
                    "reference_logp": round(float(base[place]), 5),
                    "log_ratio": round(ratio, 5),
                    "reward": round(beta * ratio, 6),
                }
            completions.append(entry)
            place += 1
        row: dict[str, Any] = {"id": name, "completions": completions}
        if kind == "pairs":
            key = "reward" if base is not None else "logp"
            row["margin"] = round(completions[0][key] - completions[1][key], 6)
        yield row


def _write(rows: list[dict[str, Any]], output: Path | None) -> None:
    if output is None:
        for row in rows:
            sys.stdout.write(json.dumps(row) + "\n")
        return
    with atomic_path(output) as partial, partial.open("w", encoding="utf-8") as handle:
        for row in rows:
            handle.write(json.dumps(row) + "\n")


def _metrics(rows: list[dict[str, Any]]) -> dict[str, Estimate]:
    flat = [c for row in rows for c in row["completions"]]
    found = {"logp_per_token": mean([c["logp_per_token"] for c in flat])}
    margins = [row["margin"] for row in rows if "margin" in row]
    if margins:
        found["accuracy (chosen above rejected)"] = rate(sum(m > 0 for m in margins), len(margins))
        found["margin"] = mean(margins)
    if flat and "log_ratio" in flat[0]:
        found["log_ratio"] = mean([c["log_ratio"] for c in flat])
    return found
