"""Rewrites that leave the meaning of an answer alone: a reward that follows meaning should hardly notice them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from truing.data.records import Records
from truing.data.rows import Row
from truing.errors import DataError
from truing.json_values import plain
from truing.statistics import Estimate, mean, rank_correlation, rate

_SYNONYMS = {
    "begin": "start",
    "big": "large",
    "help": "assist",
    "however": "but",
    "important": "significant",
    "many": "numerous",
    "often": "frequently",
    "quick": "fast",
    "show": "demonstrate",
    "small": "little",
    "therefore": "so",
    "use": "employ",
}
_BOTH_WAYS = {**_SYNONYMS, **{other: word for word, other in _SYNONYMS.items()}}
_WORD = re.compile(r"\b(" + "|".join(_BOTH_WAYS) + r")\b")


def whitespace(text: str) -> str:
    """Two spaces after a sentence."""
    return re.sub(r"(?<=[.!?]) (?=\S)", "  ", text)


def casing(text: str) -> str:
    """The first letter in the other case."""
    place = len(text) - len(text.lstrip())
    return text[:place] + text[place : place + 1].swapcase() + text[place + 1 :]


def punctuation(text: str) -> str:
    """Without the last full stop, or with one."""
    kept = text.rstrip()
    tail = text[len(kept) :]
    if kept.endswith("."):
        return kept.rstrip(".") + tail
    return kept + "." + tail if kept[-1:].isalnum() else text


def synonyms(text: str) -> str:
    """Common words in exchange for others of the same meaning; words with capital letters stay."""
    return _WORD.sub(lambda found: _BOTH_WAYS[found[1]], text)


REWRITES: Mapping[str, Callable[[str], str]] = {
    "whitespace": whitespace,
    "casing": casing,
    "punctuation": punctuation,
    "synonyms": synonyms,
}


@dataclass(frozen=True)
class Stability:
    """What a rewrite does to a reward.

    Attributes:
        same_order: share of the pairs that keep their order, of those that the rewrite changes.
        gaps: rank correlation of the gaps before and after.
        shift: mean change of the gap in favour of the rewritten answer, nats; ``nan`` where both are rewritten.
    """

    same_order: Estimate
    gaps: Estimate
    shift: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(asdict(self))
        return found

    def sentence(self, name: str) -> str:
        """For people."""
        own, moved = self.same_order, self.shift
        told = (
            f"{name}: {own.value:.1%} of pairs keep their order (95 % interval {own.low:.1%} to {own.high:.1%}, "
            f"{own.n} pairs)"
        )
        if moved.n > 1:
            told += f"; the rewritten answer gains {moved.value:+.2g} nats ({moved.low:+.2g} to {moved.high:+.2g})"
        return f"{told}."


def rewritten(records: Records, rewrite: Callable[[str], str]) -> tuple[Records, dict[str, str]]:
    """The pairs that a rewrite changes, with one answer rewritten: in every other record the chosen one.

    Rewriting one answer alone is the harder test: what is liked about the new form is then not liked on both sides.

    Returns:
        The records, and which column was rewritten, by id.
    """
    sides: dict[str, str] = {}
    rows = []
    for number, row in enumerate(records):
        side = ("chosen", "rejected")[number % 2]
        other = "rejected" if side == "chosen" else "chosen"
        for own in (side, other):
            changed = {**row, own: _in_answer(row[own], rewrite)}
            if changed[own] != row[own]:
                sides[str(row["id"])] = own
                rows.append(changed)
                break
    if not rows:
        return replace(records, dataset=records.dataset.select([])), {}
    from datasets import Dataset

    return replace(records, dataset=Dataset.from_list(rows, features=records.dataset.features)), sides


def _in_answer(answer: Any, rewrite: Callable[[str], str]) -> Any:
    """Text, or the last message of an answer."""
    if isinstance(answer, str):
        return rewrite(answer)
    head: list[Row] = list(answer[:-1])
    return [*head, {**answer[-1], "content": rewrite(answer[-1]["content"])}]


def stability(
    before: Mapping[str, float], after: Mapping[str, float], sides: Mapping[str, str] | None = None
) -> Stability:
    """Compare log-odds of the same pairs, by id.

    Args:
        before, after: that the chosen answer is preferred; records that only one of them has are left out.
        sides: which answer was rewritten; ``None`` where both were.

    Raises:
        DataError: if they have no pair in common.
    """
    ids = [name for name in after if name in before]
    if not ids:
        raise DataError(
            "no paraphrased pair has the id of one of the data",
            fix="give both files a column `id`, or the same rows in the same order",
        )
    old, new = (np.array([odds[name] for name in ids]) for odds in (before, after))
    toward: Float[np.ndarray, " pairs"] = np.array(
        [np.nan if sides is None else (1.0 if sides[name] == "chosen" else -1.0) for name in ids]
    )
    return Stability(
        rate(float((np.sign(old) == np.sign(new)).sum()), len(ids)),
        rank_correlation(old, new),
        mean(toward * (new - old)),
    )
