"""From the opinions on one pair, each in its presentation, to a verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from truing.judging.presentation import Presentation
from truing.judging.verdict import Opinion, Verdict, Winner, no_verdict

_WINNERS: dict[str, Winner] = {"first": "A", "second": "B", "tie": "tie"}
_SHARES: dict[Winner, float] = {"A": 1.0, "B": 0.0, "tie": 0.5}


class Merge(Protocol):
    """A rule that makes one verdict of several opinions."""

    def __call__(self, presentations: Sequence[Presentation], opinions: Sequence[Opinion]) -> Verdict:
        """See :class:`~truing.judging.verdict.Verdict`."""


def conservative(presentations: Sequence[Presentation], opinions: Sequence[Opinion]) -> Verdict:
    """An answer wins if every presentation says so, and it is a tie otherwise; no verdict unless all could be read."""
    probabilities = _of_a(presentations, opinions)
    if not probabilities or None in probabilities:
        return no_verdict(presentations, opinions)
    known = [value for value in probabilities if value is not None]
    winner: Winner = "A" if min(known) > 0.5 else "B" if max(known) < 0.5 else "tie"
    return _verdict(winner, _SHARES[winner], known, presentations, opinions)


def soft(presentations: Sequence[Presentation], opinions: Sequence[Opinion]) -> Verdict:
    """The mean probability decides, and is the share of the win; no verdict unless all could be read."""
    probabilities = _of_a(presentations, opinions)
    if not probabilities or None in probabilities:
        return no_verdict(presentations, opinions)
    known = [value for value in probabilities if value is not None]
    share = math.fsum(known) / len(known)
    winner = _WINNERS[Opinion(share).side or "tie"]
    return _verdict(winner, share, known, presentations, opinions)


def plurality(presentations: Sequence[Presentation], opinions: Sequence[Opinion]) -> Verdict:
    """What most presentations say, a tie where two say it equally often; what could not be read has no vote."""
    known = [value for value in _of_a(presentations, opinions) if value is not None]
    if not known:
        return no_verdict(presentations, opinions)
    votes = Counter(Opinion(value).side for value in known)
    (side, most), *others = votes.most_common()
    winner = "tie" if others and others[0][1] == most else _WINNERS[side or "tie"]
    return _verdict(winner, _SHARES[winner], known, presentations, opinions)


def _of_a(presentations: Sequence[Presentation], opinions: Sequence[Opinion]) -> list[float | None]:
    return [shown.back(said).first for shown, said in zip(presentations, opinions, strict=True)]


def _verdict(
    winner: Winner,
    share: float,
    known: Sequence[float],
    presentations: Sequence[Presentation],
    opinions: Sequence[Opinion],
) -> Verdict:
    mean = math.fsum(known) / len(known)
    confidence = {"A": mean, "B": 1 - mean}.get(winner, 1 - abs(2 * mean - 1))
    return Verdict(winner, share, confidence, tuple(presentations), tuple(opinions))


MERGES: dict[str, Merge] = {"conservative": conservative, "soft": soft, "plurality": plurality}
"""Rules by name."""
