"""Rule: how little an answer repeats itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from truing.parameters import Doc
from truing.rewards.functions.rules import OfText
from truing.rewards.plain import plain

Size = Annotated[int, Field(gt=0), Doc("words in a run that is compared", "ngram > 0; 3 in most papers")]


@dataclass(frozen=True)
class Distinct:
    """Different runs of n words, as a share of all; 1 for an answer that is too short to have one."""

    ngram: int

    def __call__(self, completion: str) -> float:
        return distinct_share(completion, self.ngram)


def distinct_share(text: str, ngram: int) -> float:
    """Different n-grams of words divided by all n-grams, in (0, 1]; 1 where there is none. Case does not count."""
    words = text.lower().split()
    runs = [tuple(words[place : place + ngram]) for place in range(len(words) - ngram + 1)]
    return len(set(runs)) / len(runs) if runs else 1.0


@plain(
    kind="reward",
    name="repetition",
    summary="Share of runs of words that are different: 1 without repetition, towards 0 where all is one phrase.",
    aliases=("distinct-ngrams",),
)
def repetition(ngram: Size = 3) -> OfText:
    """|set of n-grams| / |n-grams|."""
    return OfText("repetition", Distinct(ngram))
