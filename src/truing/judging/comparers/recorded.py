"""Verdicts that were recorded, in place of a judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from truing.errors import DataError
from truing.judging.presentation import ORDERS, Pair, Shown
from truing.judging.verdict import Opinion
from truing.rewards.algebra.context import prompt_key

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Recorded:
    """See :class:`~truing.judging.comparer.Comparer`.

    Args:
        opinions: by prompt, first and second answer, as they were shown.
        name: whose verdicts they are.
        both: whether what was said in one order stands for the other as well. A verdict that nobody gave then agrees
            with the one that was given, so that nothing can be said of consistency.
    """

    opinions: Mapping[Key, Opinion]
    name: str = "recorded"
    both: bool = False

    @staticmethod
    def of(
        pairs: Sequence[Pair], opinions: Sequence[Opinion], name: str = "recorded", *, both: bool = False
    ) -> Recorded:
        """Opinions of pairs that were shown in the pairs' own order; the last counts where a pair is there twice."""
        shown = [ORDERS[0].show(pair) for pair in pairs]
        return Recorded({_key(item): said for item, said in zip(shown, opinions, strict=True)}, name, both)

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        """What is recorded of each.

        Raises:
            DataError: if a pair was not judged in the order in which it is shown.
        """
        return [self._one(item) for item in shown]

    def _one(self, item: Shown) -> Opinion:
        found = self.opinions.get(_key(item))
        if found is not None:
            return found
        other = self.opinions.get((prompt_key(item.prompt), item.second, item.first))
        if other is not None and self.both:
            return other.swapped()
        raise DataError(
            "no verdict is recorded of this pair" + (" in this order" if other is not None else ""),
            where=f"{self.name}: answers {item.first[:40]!r} and {item.second[:40]!r}",
            allowed="pairs that were judged in every order in which they are shown",
            fix="use the protocol `single`" if other is not None else "give the file that holds the verdicts",
        )


def _key(item: Shown) -> Key:
    return prompt_key(item.prompt), item.first, item.second
