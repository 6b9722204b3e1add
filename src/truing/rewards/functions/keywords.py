"""Rule: words that an answer has to have, or must not have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from truing.errors import ObjectiveError
from truing.parameters import Doc
from truing.rewards.functions.rules import OfText
from truing.rewards.plain import plain

_WORDS = "words or phrases; case does not count, and parts of words do not either"

AllOf = Annotated[list[str], Doc("every one of them is in the answer", _WORDS, public=True)]
AnyOf = Annotated[list[str], Doc("at least one of them is in the answer", _WORDS, public=True)]
NoneOf = Annotated[list[str], Doc("none of them is in the answer", _WORDS, public=True)]


@dataclass(frozen=True)
class Keywords:
    """1 where all conditions hold."""

    every: tuple[re.Pattern[str], ...]
    some: tuple[re.Pattern[str], ...]
    none: tuple[re.Pattern[str], ...]

    def __call__(self, completion: str) -> float:
        return float(
            all(pattern.search(completion) for pattern in self.every)
            and (not self.some or any(pattern.search(completion) for pattern in self.some))
            and not any(pattern.search(completion) for pattern in self.none)
        )


def _pattern(phrase: str) -> re.Pattern[str]:
    # A phrase may begin or end with a sign, where \b would ask for a letter beside it.
    inside = r"\s+".join(re.escape(word) for word in phrase.split())
    return re.compile(rf"(?<!\w){inside}(?!\w)", re.IGNORECASE)


@plain(
    kind="reward",
    name="keywords",
    summary="1 where the answer has the words that it should, and no others, else 0.",
)
def keywords(all_of: AllOf = [], any_of: AnyOf = [], none_of: NoneOf = []) -> OfText:  # noqa: B006
    """1[all of these, one of those, none of the others].

    Raises:
        ObjectiveError: if there are no words, or one is empty.
    """
    lists = (all_of, any_of, none_of)
    if not any(lists) or not all(word.strip() for words in lists for word in words):
        raise ObjectiveError(
            "keywords has no words, or an empty one",
            allowed="at least one of all_of, any_of and none_of",
            fix="e.g. none_of: [sorry, as an AI]",
        )
    return OfText("keywords", Keywords(*(tuple(map(_pattern, words)) for words in lists)))
