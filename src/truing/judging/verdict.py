"""What a judge said of two answers in one order, and what several such opinions come to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from truing.errors import TruingError

if TYPE_CHECKING:
    from truing.judging.presentation import Presentation

Side = Literal["first", "second", "tie"]
Winner = Literal["A", "B", "tie", "abstain"]


@dataclass(frozen=True)
class Opinion:
    """What a judge said of two answers as they stood.

    Args:
        first: probability that the first is better, 0 to 1; one half for a tie; ``None`` if there is none.
        abstained: whether the judge said that it cannot tell. Without an opinion and without this, what it said could
            not be read.

    Raises:
        TruingError: if it is no probability, or comes with an abstention.
    """

    first: float | None
    abstained: bool = False

    def __post_init__(self) -> None:
        if self.first is not None and (self.abstained or not 0 <= self.first <= 1):
            raise TruingError(
                f"{self.first} {'and an abstention are' if self.abstained else 'is'} no opinion of two answers",
                allowed="a probability that the first is better, 0 to 1, or an abstention",
            )

    @property
    def side(self) -> Side | None:
        """Which answer is better; ``None`` without an opinion."""
        if self.first is None:
            return None
        return "tie" if self.first == 0.5 else "first" if self.first > 0.5 else "second"

    @property
    def unread(self) -> bool:
        """Whether the judge's reply could not be read."""
        return self.first is None and not self.abstained

    def swapped(self) -> Opinion:
        """The same opinion of the answers in the other order."""
        return self if self.first is None else Opinion(1 - self.first)


UNREAD = Opinion(None)
ABSTAINED = Opinion(None, abstained=True)


@dataclass(frozen=True)
class Verdict:
    """What opinions of one pair, each in its presentation, come to.

    Attributes:
        winner: ``"abstain"`` where there is no verdict, because the judge abstained or could not be read.
        share: of a win for A: 1, 0, one half for a tie, or a probability; ``nan`` where there is no verdict.
        confidence: mean probability that the opinions give to the winner, which for a tie is 1 less twice the distance
            of their mean from one half; ``nan`` where there is no verdict.
        presentations: in which the pair was shown.
        opinions: one for each, of the answers as they stood.
    """

    winner: Winner
    share: float
    confidence: float
    presentations: tuple[Presentation, ...]
    opinions: tuple[Opinion, ...]

    @property
    def of_a(self) -> tuple[Opinion, ...]:
        """The opinions, of A against B."""
        return tuple(shown.back(said) for shown, said in zip(self.presentations, self.opinions, strict=True))

    @property
    def unread(self) -> int:
        """Replies that could not be read."""
        return sum(opinion.unread for opinion in self.opinions)

    @property
    def abstained(self) -> int:
        """Replies that say that the judge cannot tell."""
        return sum(opinion.abstained for opinion in self.opinions)

    @property
    def consistent(self) -> bool | None:
        """Whether all presentations have the same answer better; ``None`` unless at least two were read, and all."""
        sides = [opinion.side for opinion in self.of_a]
        return None if len(sides) < 2 or None in sides else len(set(sides)) == 1

    @property
    def decided(self) -> bool:
        """Whether one answer won."""
        return self.winner in ("A", "B")

    def swapped(self) -> Verdict:
        """The verdict on the pair with its answers exchanged."""
        names: dict[Winner, Winner] = {"A": "B", "B": "A", "tie": "tie", "abstain": "abstain"}
        shown = tuple(replace(one, swapped=not one.swapped) for one in self.presentations)
        return Verdict(names[self.winner], 1 - self.share, self.confidence, shown, self.opinions)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "winner": self.winner,
            "share": self.share,
            "confidence": self.confidence,
            "consistent": self.consistent,
            "unread": self.unread,
            "abstained": self.abstained,
            "orders": [
                {
                    "swapped": shown.swapped,
                    "labels": list(shown.labels),
                    "first": said.first,
                    "abstained": said.abstained,
                }
                for shown, said in zip(self.presentations, self.opinions, strict=True)
            ],
        }


def no_verdict(presentations: Sequence[Presentation], opinions: Sequence[Opinion]) -> Verdict:
    """Where there is nothing to merge."""
    return Verdict("abstain", math.nan, math.nan, tuple(presentations), tuple(opinions))
