"""Pairs to be explained: their texts, who preferred what, and what further judges say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from truing.data.records import Records
from truing.data.sources import load
from truing.data.views import view
from truing.judging.comparer import Comparer
from truing.judging.merging import soft
from truing.judging.pairwise import pairwise_judge
from truing.judging.presentation import ORDERS, Pair
from truing.rewards.evaluation.mistakes import as_text
from truing.rewards.evaluation.run import drawn

PEOPLE = "labels"
"""Whose preferences those of the data are, where the data do not say."""


@dataclass(frozen=True)
class Votes:
    """Preferences between two answers, one row a vote.

    Attributes:
        ids, prompts, first, second: of each row; the first answer is the one that the data prefer.
        judges: who voted.
        scenarios: kind of prompt; empty text where the data do not say.
        signs: 1 for the first answer, −1 for the second, 0 for a tie, nan for no verdict.
        notes: what reading left out, in words.
        drawn: whether rows were drawn from more.
    """

    ids: tuple[str, ...]
    prompts: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    judges: tuple[str, ...]
    scenarios: tuple[str, ...]
    signs: np.ndarray
    notes: tuple[str, ...] = ()
    drawn: bool = False

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def pairs(self) -> int:
        """Different pairs, whichever answer stands first."""
        return len(set(self.keys))

    @property
    def keys(self) -> list[tuple[str, ...]]:
        """Of each row the prompt and both answers, sorted, so that a pair is known in both orders."""
        texts = zip(self.prompts, self.first, self.second, strict=True)
        return [(prompt, *sorted((own, other))) for prompt, own, other in texts]

    def by(self, judge: Comparer) -> Votes:
        """The same pairs, each once, as a judge sees them in both orders; the mean of both probabilities decides."""
        once = self.once()
        pairs = [Pair(*texts) for texts in zip(once.prompts, once.first, once.second, strict=True)]
        shares = [verdict.share for verdict in pairwise_judge(judge, pairs, presentations=ORDERS, merge=soft)]
        signs = np.sign(2 * np.array(shares, dtype=np.float64) - 1)
        return replace(once, judges=(judge.name,) * len(once), signs=signs)

    def once(self) -> Votes:
        """Each pair once, as its first row has it."""
        places = {key: place for place, key in reversed(list(enumerate(self.keys)))}
        return self.take(sorted(places.values()))

    def rows_of(self, others: Votes) -> list[int]:
        """For each row of votes that were made of these, the first of these with the same pair in the same order."""
        texts = list(zip(self.prompts, self.first, self.second, strict=True))
        place = {key: number for number, key in reversed(list(enumerate(texts)))}
        return [place[key] for key in zip(others.prompts, others.first, others.second, strict=True)]

    def take(self, rows: Sequence[int]) -> Votes:
        """Some of the rows."""
        texts: dict[str, Any] = {
            name: tuple(getattr(self, name)[row] for row in rows)
            for name in ("ids", "prompts", "first", "second", "judges", "scenarios")
        }
        return replace(self, signs=self.signs[list(rows)], **texts)

    def joined(self, *others: Votes) -> Votes:
        """The rows of several, one after the other."""
        tables = (self, *others)
        texts: dict[str, Any] = {
            name: tuple(value for table in tables for value in getattr(table, name))
            for name in ("ids", "prompts", "first", "second", "judges", "scenarios")
        }
        return replace(self, signs=np.concatenate([table.signs for table in tables]), **texts)


def read_votes(source: str, *, sample: int | None = None, seed: int = 0, layout: str | None = None) -> Votes:
    """Preference data of any layout that holds pairs or rankings.

    Args:
        source: file, folder, glob or hub data set.
        sample: so many rows, drawn at random.
        seed: of the draw.
        layout: name of the layout, if detection is ambiguous.

    Raises:
        DataError: if the data cannot be read, or hold no preferences.
    """
    everything = view(load(source, layout=layout), frozenset({"pairs"}))
    some = drawn(everything, sample, seed)
    return replace(votes_of(some), drawn=len(some) < len(everything))


def votes_of(records: Records) -> Votes:
    """Records of pairs as votes for the chosen answer."""
    rows = list(records)
    return Votes(
        tuple(str(row["id"]) for row in rows),
        tuple(as_text(row["prompt"]) for row in rows),
        tuple(as_text(row["chosen"]) for row in rows),
        tuple(as_text(row["rejected"]) for row in rows),
        judges=tuple(row.get("annotator") or PEOPLE for row in rows),
        scenarios=tuple(row.get("source") or "" for row in rows),
        signs=np.ones(len(rows)),
        notes=records.notes,
    )
