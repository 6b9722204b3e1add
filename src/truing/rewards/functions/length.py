"""Rule: how long an answer is, against a target or a maximum; the soft overlong penalty of DAPO (2503.14476)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field

from truing.errors import ObjectiveError
from truing.parameters import Doc
from truing.rewards.algebra import Prompt, Rewards
from truing.rewards.plain import plain

Unit = Literal["words", "characters", "tokens"]

UnitOf = Annotated[Unit, Doc("what is counted", "words, characters or tokens; tokens need a tokenizer")]
Target = Annotated[int | None, Field(gt=0), Doc("length that is wanted", "target > 0")]
Maximum = Annotated[int | None, Field(gt=0), Doc("longest answer without the full penalty", "maximum > 0")]
Cache = Annotated[
    int,
    Field(ge=0),
    Doc("width below the maximum in which the penalty grows from 0 to 1", "0 <= cache < maximum; 0 is a step"),
]
Tokenizer = Annotated[str | None, Doc("model folder or hub name whose tokens are counted", "with unit: tokens")]


@dataclass(frozen=True)
class NearTarget:
    """−min(|n − target|/target, 1)."""

    target: int

    def __call__(self, length: int) -> float:
        return -min(abs(length - self.target) / self.target, 1.0)


@dataclass(frozen=True)
class Overlong:
    """2503.14476, equation 13: 0 up to L_max − cache, linear in the cache, −1 above L_max."""

    maximum: int
    cache: int

    def __call__(self, length: int) -> float:
        if length > self.maximum:
            return -1.0
        over = length - (self.maximum - self.cache)
        return -over / self.cache if over > 0 else 0.0


@dataclass(frozen=True)
class Length:
    """A rule on the length of answers.

    Args:
        rule: from a length to a number.
        count: lengths of answers.
    """

    rule: Callable[[int], float]
    count: Callable[[Sequence[str]], list[int]]
    names: tuple[str, ...] = ("length",)

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        values = [self.rule(length) for length in self.count(completions)]
        return Rewards.of(torch.tensor(values, dtype=torch.float64), self.names)


def words(completions: Sequence[str]) -> list[int]:
    """Words of each answer, parted by space."""
    return [len(completion.split()) for completion in completions]


def characters(completions: Sequence[str]) -> list[int]:
    """Characters of each answer."""
    return [len(completion) for completion in completions]


@dataclass(frozen=True)
class Tokens:
    """Tokens of each answer, without special ones."""

    tokenizer: object

    def __call__(self, completions: Sequence[str]) -> list[int]:
        from truing.data.tokenise import token_ids

        return [len(ids) for ids in token_ids(self.tokenizer, completions)]


@plain(
    kind="reward",
    name="length",
    summary="0 for answers of the right length, down to −1 for others; with a cache, DAPO's soft overlong "
    "penalty.",
    aliases=("soft-overlong",),
)
def length(
    unit: UnitOf = "words",
    target: Target = None,
    maximum: Maximum = None,
    cache: Cache = 0,
    tokenizer: Tokenizer = None,
) -> Length:
    """−min(|n − target|/target, 1), or the penalty above a maximum.

    Raises:
        ObjectiveError: if not exactly one of target and maximum is given, or settings do not go together.
    """
    if (target is None) == (maximum is None):
        raise ObjectiveError("length needs a target or a maximum, and not both", allowed="target or maximum")
    if (unit == "tokens") != (tokenizer is not None):
        raise ObjectiveError(
            "tokens are counted with a tokenizer, and words and characters without",
            where="tokenizer",
            fix="give both unit: tokens and tokenizer, or neither",
        )
    if cache and (maximum is None or cache >= maximum):
        raise ObjectiveError(f"a cache of {cache} does not fit", where="cache", allowed="below maximum")
    rule = NearTarget(target) if target is not None else Overlong(maximum or 0, cache)
    return Length(rule, _counter(unit, tokenizer))


def _counter(unit: Unit, tokenizer: str | None) -> Callable[[Sequence[str]], list[int]]:
    if tokenizer is not None:
        from truing.policies.loading import load_tokenizer

        return Tokens(load_tokenizer(tokenizer))
    return words if unit == "words" else characters
