"""What labelled pairs, and several scored answers a prompt, tell about reward models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from truing.json_values import plain
from truing.rewards.evaluation.benchmarks import BenchmarkScores, in_words
from truing.rewards.evaluation.best_of import BestOf
from truing.rewards.evaluation.findings import best_of_sentence, pair_findings
from truing.rewards.evaluation.mistakes import Mistake
from truing.rewards.evaluation.orders import OrderReport
from truing.rewards.evaluation.pairs import JudgedPairs, PairReport
from truing.rewards.evaluation.rewrites import Stability
from truing.statistics import Estimate
from truing.writing import write_json, write_text


@dataclass(frozen=True)
class Agreement:
    """How far two reward models say the same of the same pairs.

    Attributes:
        models: their names.
        order: share of pairs that both put in the same order.
        gaps: rank correlation of their log-odds.
    """

    models: tuple[str, str]
    order: Estimate
    gaps: Estimate


@dataclass(frozen=True)
class RewardEvaluation:
    """What labelled pairs tell about reward models.

    Attributes:
        data: where the pairs come from.
        judged: every model's log-odds, by name.
        reports: what they add up to, by name.
        agreement: of every two models.
        ensemble: what the models say as one, by aggregate; empty for one model.
        best_of: what picking by each brings, where the data score several answers a prompt; the ensemble's under
            ``ensemble: `` and the aggregate.
        mistakes: the pairs that each model is surest of and wrong about.
        benchmark: what the data's own benchmark makes of it, where it is one.
        orders: of judges that were asked in both orders.
        stability: what rewrites do to the verdicts, by model and rewrite.
        cut: prompts and answers that did not fit and were shortened, and pairs that were left out, by model.
        origin: versions, hardware, fingerprint of the data, and how each model was run.
    """

    data: str
    judged: dict[str, JudgedPairs]
    reports: dict[str, PairReport]
    agreement: tuple[Agreement, ...]
    ensemble: dict[str, PairReport] = field(default_factory=dict)
    best_of: dict[str, BestOf] = field(default_factory=dict)
    mistakes: dict[str, list[Mistake]] = field(default_factory=dict)
    benchmark: dict[str, BenchmarkScores] = field(default_factory=dict)
    orders: dict[str, OrderReport] = field(default_factory=dict)
    stability: dict[str, dict[str, Stability]] = field(default_factory=dict)
    cut: dict[str, dict[str, int]] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(
            {
                "data": self.data,
                "models": {
                    name: {**report.as_dict(), **self._beside(name)} for name, report in self.reports.items()
                },
                "findings": {
                    name: [
                        *(finding.sentence for finding in pair_findings(report)),
                        *self.further(name),
                        *(self.benchmark[name].sentences()[:1] if name in self.benchmark else ()),
                    ]
                    for name, report in self.reports.items()
                },
                "agreement": [
                    {"models": list(a.models), "order": a.order.as_dict(), "gaps": a.gaps.as_dict()}
                    for a in self.agreement
                ],
                "ensemble": {name: report.as_dict() for name, report in self.ensemble.items()},
                "best_of": {name: curve.as_dict() for name, curve in self.best_of.items()},
                "origin": self.origin,
            }
        )
        return found

    def _beside(self, name: str) -> dict[str, Any]:
        """What there is on one model beside its report."""
        parts: dict[str, Mapping[str, Any]] = {
            "benchmark": self.benchmark,
            "orders": self.orders,
            "rewrites": self.stability,
            "cut": self.cut,
        }
        return {key: part[name] for key, part in parts.items() if name in part}

    def further(self, name: str) -> list[str]:
        """Sentences on one model: what did not fit, and what order and wording do to its verdicts."""
        cut = self.cut.get(name, {})
        told = []
        if any(cut.values()):
            told.append(
                f"Of {len(self.judged[name].ids)} prompts {cut['prompts']} lost their beginning, {cut['answers']} "
                f"answers their end, and {cut['left_out']} pairs were left out: raise --max-length, or take a model "
                "with a longer context."
            )
        if name in self.orders:
            told.append(self.orders[name].sentence())
        told += [own.sentence(f"Rewritten ({rewrite})") for rewrite, own in self.stability.get(name, {}).items()]
        return told

    def sentences(self) -> list[str]:
        """What a person should know, model by model."""
        lines = []
        for name, report in self.reports.items():
            lines.append(name)
            lines += [f"  {finding.sentence}" for finding in pair_findings(report)]
            lines += [f"  {sentence}" for sentence in self.further(name)]
            own = self.benchmark.get(name)
            lines += [f"  {line}" for line in (own.sentences() if own is not None else ())]
            if len(report.subsets) > 1 and (own is None or set(own.sections) != set(report.subsets)):
                lines.append(f"  Mean accuracy over {len(report.subsets)} subsets: {report.macro_accuracy:.1%}.")
                lines += [f"    {subset}: {in_words(rate)}" for subset, rate in report.subsets.items()]
        for pair in self.agreement:
            lines.append(
                f"{pair.models[0]} and {pair.models[1]} order {pair.order.value:.1%} of pairs alike; rank correlation "
                f"of their gaps {pair.gaps.value:.2f} ({pair.gaps.low:.2f} to {pair.gaps.high:.2f})."
            )
        if self.ensemble:
            lines.append(f"Ensemble of {len(self.reports)}, on a common scale:")
            lines += [
                f"  {name}: {e.accuracy.value:.1%} right ({e.accuracy.low:.1%} to {e.accuracy.high:.1%}, "
                f"{e.accuracy.n} pairs)"
                + (f", expected calibration error {e.calibration.ece:.1%}" if e.calibration.bins else "")
                for name, e in self.ensemble.items()
            ]
        if self.best_of:
            lines.append("Picking the best of n answers by reward, and what the data's scores say of the pick:")
            lines += [f"  {name}: {best_of_sentence(curve)}" for name, curve in self.best_of.items()]
        return lines

    def write(self, folder: Path) -> None:
        """Write ``reward.json``, ``pairs.jsonl`` (what every model says of each pair), and ``report.html``."""
        from truing.report.rewards.evaluation_page import evaluation_page

        values = self.as_dict()
        write_json(folder / "reward.json", values)
        odds = {
            name: dict(zip(judged.ids, map(float, judged.log_odds), strict=True))
            for name, judged in self.judged.items()
        }
        ids = list(dict.fromkeys(name for judged in self.judged.values() for name in judged.ids))
        rows = ({"id": i, "log_odds": {name: own.get(i) for name, own in odds.items()}} for i in ids)
        write_text(folder / "pairs.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        mistakes = {name: [mistake.as_dict() for mistake in own] for name, own in self.mistakes.items()}
        gaps = {name: list(own.values()) for name, own in odds.items()}
        write_text(folder / "report.html", evaluation_page(folder.resolve().name, values, gaps, mistakes))
