"""What a reward model says of made-up pairs, as runs and evaluations write it down."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.report.runs import record
from truing.rewards.evaluation.findings import pair_findings
from truing.rewards.evaluation.pairs import JudgedPairs, PairReport, judge_pairs

PAIRS = 60


def pair_report() -> tuple[PairReport, JudgedPairs]:
    """Sixty pairs, two in three right, from two subsets; the gap is a tenth of the difference in tokens."""
    longer = np.array([2 * i if i % 3 else -2 * i - 1 for i in range(1, PAIRS + 1)])
    lengths = np.stack([200 + longer, np.full(PAIRS, 200)], 1)
    half = longer / 20
    judged = JudgedPairs(
        [str(i) for i in range(PAIRS)],
        np.stack([half, -half], 1),
        lengths,
        ["chat" if i % 2 else "maths" for i in range(PAIRS)],
    )
    return judge_pairs(judged), judged


def mistakes() -> list[dict[str, Any]]:
    return [
        {
            "id": "17",
            "subset": "maths",
            "log_odds": -2.1972245773362196,
            "tokens": [3, 40],
            "prompt": "<|user|>\nHow many?",
            "chosen": "Four.",
            "rejected": "<script>alert(1)</script> Many, many, many.",
        }
    ]


def run_record(**extra: Any) -> dict[str, Any]:
    """run.json of a finished run of `truing reward`."""
    report, _ = pair_report()
    values = record(
        win=None,
        task="text-classification",
        evaluation={"reward": report.as_dict()},
        findings=[finding.as_dict() for finding in pair_findings(report)],
    )
    values["plan"]["objective"] = {"name": "bradley-terry", "formula": "−log σ(R(y_w) − R(y_l))"}
    return {**values, **extra}


def held_out() -> list[dict[str, Any]]:
    _, judged = pair_report()
    return [
        {"id": name, "log_odds": float(odds), "tokens": [int(n) for n in lengths]}
        for name, odds, lengths in zip(judged.ids, judged.log_odds, judged.lengths, strict=True)
    ]
