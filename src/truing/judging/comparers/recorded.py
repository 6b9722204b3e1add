"""Verdicts that were recorded, in place of a judge."""

from __future__ import annotations

from collections import Counter
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
        opinions: by prompt, first and second answer, as they were shown; several where a pair was judged several times.
        name: whose verdicts they are.
        both: whether what was said in one order stands for the other as well. A verdict that nobody gave then agrees
            with the one that was given, so that nothing can be said of consistency.
    """

    opinions: Mapping[Key, tuple[Opinion, ...]]
    name: str = "recorded"
    both: bool = False

    @staticmethod
    def of(
        pairs: Sequence[Pair], opinions: Sequence[Opinion], name: str = "recorded", *, both: bool = False
    ) -> Recorded:
        """Opinions of pairs that were shown in the pairs' own order."""
        found: dict[Key, tuple[Opinion, ...]] = {}
        for pair, opinion in zip(pairs, opinions, strict=True):
            key = _key(ORDERS[0].show(pair))
            found[key] = (*found.get(key, ()), opinion)
        return Recorded(found, name, both)

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        """What is recorded of each; where a pair is shown as often as it was judged, one after the other.

        Raises:
            DataError: if a pair was not judged in the order in which it is shown, or verdicts on it would be left out.
        """
        counts = Counter(map(_key, shown))
        seen: Counter[Key] = Counter()
        said = []
        for item in shown:
            key = _key(item)
            known = self._known(item)
            if counts[key] % len(known):
                raise DataError(
                    f"{len(known)} verdicts are recorded of a pair, which is shown {counts[key]} times",
                    where=f"{self.name}: answers {item.first[:40]!r} and {item.second[:40]!r}",
                    allowed="a pair is shown once for each verdict on it, so that all of them count",
                    fix="give the pair as often as it was judged, or merge its verdicts first",
                )
            said.append(known[seen[key] % len(known)])
            seen[key] += 1
        return said

    def _known(self, item: Shown) -> tuple[Opinion, ...]:
        found = self.opinions.get(_key(item))
        if found is not None:
            return found
        other = self.opinions.get((prompt_key(item.prompt), item.second, item.first))
        if other is not None and self.both:
            return tuple(opinion.swapped() for opinion in other)
        raise DataError(
            "no verdict is recorded of this pair" + (" in this order" if other is not None else ""),
            where=f"{self.name}: answers {item.first[:40]!r} and {item.second[:40]!r}",
            allowed="pairs that were judged in every order in which they are shown",
            fix="use the protocol `single`" if other is not None else "give the file that holds the verdicts",
        )


def _key(item: Shown) -> Key:
    return prompt_key(item.prompt), item.first, item.second
