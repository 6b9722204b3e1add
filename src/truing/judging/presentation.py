"""Two answers, and the ways in which they can be shown to a judge: a group of presentations."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from truing.judging.verdict import Opinion
from truing.rewards.algebra.context import Prompt

LABELS = ("A", "B")


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt.

    Args:
        prompt: text, or messages.
        a, b: the answers; verdicts name them A and B, wherever they stand.
        reference: an answer that is known to be right, for judges that are guided by one.
    """

    prompt: Prompt
    a: str
    b: str
    reference: str | None = None


@dataclass(frozen=True)
class Shown:
    """Two answers in one order, as a judge sees them.

    Args:
        prompt: text, or messages.
        first, second: the answers, as they stand.
        labels: what they are called, as they stand.
        reference: an answer that is known to be right.
        parts: segments of both, side by side, which joined are the answers; the answers stand whole where it is empty.
    """

    prompt: Prompt
    first: str
    second: str
    labels: tuple[str, str] = LABELS
    reference: str | None = None
    parts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Presentation:
    """One way to show a pair.

    Args:
        swapped: whether answer B stands first.
        labels: what the answers are called, as they stand.
    """

    swapped: bool = False
    labels: tuple[str, str] = LABELS

    def show(self, pair: Pair, parts: tuple[tuple[str, str], ...] = ()) -> Shown:
        """The pair as a judge sees it.

        Args:
            pair: two answers.
            parts: segments of A and B, in the pair's own order.
        """
        first, second = (pair.b, pair.a) if self.swapped else (pair.a, pair.b)
        ordered = tuple((second_, first_) for first_, second_ in parts) if self.swapped else parts
        return Shown(pair.prompt, first, second, self.labels, pair.reference, ordered)

    def back(self, opinion: Opinion) -> Opinion:
        """What was said of the answers as they stood, as an opinion of A against B."""
        return opinion.swapped() if self.swapped else opinion


SINGLE = (Presentation(),)
"""A stands first; the bias of the judge stays in."""

ORDERS = (Presentation(), Presentation(swapped=True))
"""Each answer stands first once."""

ORDERS_AND_LABELS = tuple(
    Presentation(swapped, labels) for labels, swapped in product((LABELS, LABELS[::-1]), (False, True))
)
"""Each answer stands first under each of the letters.

A letter moves with its place where orders alone are exchanged: both then cancel together, and cannot be told apart.
"""
