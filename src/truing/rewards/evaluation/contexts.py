"""Does a reward read the context? Pairs with it, the same pairs without it, and reversals (2407.14916)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from truing.data.derive.base import relabelled
from truing.data.records import Records
from truing.errors import DataError
from truing.rewards.evaluation.pairs import JudgedPairs, accuracy_of
from truing.rewards.evaluation.subjects import Subject
from truing.statistics import Estimate


@dataclass(frozen=True)
class ContextReport:
    """Labelled pairs in their contexts.

    Attributes:
        seen: accuracy with the context in the prompt.
        dropped: accuracy on the same pairs without it: the control. On reversals alone it is one half.
        both: share of reversed pairs that are in order under both of their contexts.
        by_context: accuracy with context, for each context that stands in several rows.
    """

    seen: Estimate
    dropped: Estimate
    both: Estimate
    by_context: dict[str, Estimate]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "seen": self.seen.as_dict(),
            "dropped": self.dropped.as_dict(),
            "both": self.both.as_dict(),
            "by_context": {name: estimate.as_dict() for name, estimate in self.by_context.items()},
        }

    def sentences(self) -> list[str]:
        """What a person should know."""
        lines = [
            f"With the context it puts {_words(self.seen)} of the pairs in order, without it {_words(self.dropped)}."
        ]
        if self.both.n:
            lines.append(
                f"Of {self.both.n} pairs that are reversed under another context it has {_words(self.both)} right both "
                "ways; a reward that ignores contexts has none."
            )
        lines += [f"  {name}: {_words(own)}, {own.n} pairs" for name, own in self.by_context.items()]
        return lines


def context_report(subject: Subject, records: Records) -> ContextReport:
    """Judge pairs with their contexts, and without.

    Args:
        subject: a reward model, or another judge of pairs.
        records: pairs with a column ``context``; rows without one are left out.

    Raises:
        DataError: if no row has a context.
    """
    contexts = records.dataset["context"] if "context" in records.columns else []
    kept = [place for place, context in enumerate(contexts) if context]
    if not kept:
        raise DataError(
            "no row has a context",
            where=records.source,
            fix="rename the column that holds it, e.g. data.columns: {context: criterion}, or use --make",
        )
    own = replace(records, dataset=records.dataset.select(kept))
    subsets = dict(zip(map(str, own.dataset["id"]), own.dataset["context"], strict=True))
    seen = subject(relabelled(own, ["context-aware-pm"]), subsets).pairs
    dropped = subject(own, subsets).pairs
    return ContextReport(accuracy_of(seen.right), accuracy_of(dropped.right), _both(seen, own), _by_context(seen))


def _both(seen: JudgedPairs, records: Records) -> Estimate:
    """Of pairs of answers that stand in both orders, those that are right in all their rows."""
    right = dict(zip(seen.ids, seen.right == 1.0, strict=True))
    groups: dict[tuple[str, frozenset[str]], list[tuple[str, bool]]] = defaultdict(list)
    for row in records.dataset:
        if str(row["id"]) in right:
            answers = frozenset((repr(row["chosen"]), repr(row["rejected"])))
            correct = bool(right[str(row["id"])])
            groups[repr(row["prompt"]), answers].append((repr(row["chosen"]), correct))
    reversed_ = [rows for rows in groups.values() if len({chosen for chosen, _ in rows}) == 2]
    return accuracy_of(np.array([all(correct for _, correct in rows) for rows in reversed_], dtype=np.float64))


def _by_context(seen: JudgedPairs) -> dict[str, Estimate]:
    right, labels = seen.right, np.array(list(seen.subsets), dtype=object)
    names = [name for name in dict.fromkeys(seen.subsets) if (labels == name).sum() > 1]
    return {name: accuracy_of(right[labels == name]) for name in names}


def _words(own: Estimate) -> str:
    return f"{own.value:.1%} ({own.low:.1%} to {own.high:.1%})"


def marginal_preference(
    log_odds: Float[np.ndarray, "pairs contexts"], weights: Sequence[float] | Float[np.ndarray, "pairs contexts"]
) -> Float[np.ndarray, " pairs"]:
    """P(a ≻ b | x) = Σ_z p(z | x) σ(R(x, z, a) − R(x, z, b)).

    Args:
        log_odds: under each context.
        weights: p(z | x), at least 0 and of sum 1; one row for all pairs, or one for each.

    Raises:
        DataError: if weights are no probabilities, or their number is another.
    """
    table = (
        np.broadcast_to(np.asarray(weights, dtype=np.float64), log_odds.shape)
        if np.shape(weights)[-1:] == (log_odds.shape[1],)
        else None
    )
    if table is None or (table < 0).any() or not np.allclose(table.sum(1), 1.0):
        raise DataError(
            f"these are no probabilities of {log_odds.shape[1]} contexts: {np.asarray(weights).tolist()!r:.80}",
            allowed="numbers of at least 0 that add up to 1, one for each context",
        )
    found: np.ndarray = (table * expit(log_odds)).sum(1)
    return found
