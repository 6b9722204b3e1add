"""What people may want of an answer: dimensions, and values of each (Janus, 2405.17977)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from truing.errors import DataError

Combination = tuple[str, ...]
"""One value of each dimension, by name, in the order of the dimensions."""


@dataclass(frozen=True)
class Value:
    """Something that may be wanted.

    Attributes:
        name: short.
        says: how a system message asks for it, one sentence.
        apply: makes an answer obey it, for values that a rule can give.
        holds: whether an answer obeys it, for values that a rule can check.
    """

    name: str
    says: str
    apply: Callable[[str], str] | None = None
    holds: Callable[[str], bool] | None = None


@dataclass(frozen=True)
class Taxonomy:
    """Values by dimension; an answer has one value of each.

    Attributes:
        dimensions: values of each dimension, by its name.

    Raises:
        DataError: if a dimension offers no choice, or a value is there twice.
    """

    dimensions: Mapping[str, tuple[Value, ...]]

    def __post_init__(self) -> None:
        if not self.dimensions:
            raise DataError("the taxonomy has no dimensions", fix="e.g. {style: {formal: Write formally.}}")
        names = [value.name for values in self.dimensions.values() for value in values]
        for dimension, values in self.dimensions.items():
            if len(values) < 2:
                raise DataError(
                    "a dimension with one value leaves no choice", where=dimension, allowed="2 or more values"
                )
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise DataError(f"the value {twice[0]!r} is there twice", fix="give one of them another name")

    @cached_property
    def values(self) -> dict[str, Value]:
        """All values, by name."""
        return {value.name: value for values in self.dimensions.values() for value in values}

    @property
    def size(self) -> int:
        """How many combinations there are."""
        return int(np.prod([len(values) for values in self.dimensions.values()]))

    def combinations(self, count: int, rng: np.random.Generator) -> list[Combination]:
        """Different combinations, drawn at random; all of them where there are no more.

        Raises:
            DataError: if fewer than one is asked for.
        """
        if count < 1:
            raise DataError(f"{count} combinations are asked for", allowed="at least 1")
        names = [[value.name for value in values] for values in self.dimensions.values()]
        if count >= self.size:
            return [tuple(one) for one in product(*names)]
        found: dict[Combination, None] = {}
        while len(found) < count:
            found[tuple(own[int(rng.integers(len(own)))] for own in names)] = None
        return list(found)

    def applied(self, answer: str, combination: Combination) -> str:
        """The answer, made to obey every value of a combination.

        Raises:
            DataError: if no rule gives a value.
        """
        for name in combination:
            apply = self.values[name].apply
            if apply is None:
                raise DataError(
                    f"no rule gives answers the value {name!r}",
                    fix="name a model that answers under system messages",
                )
            answer = apply(answer)
        return answer


def read_taxonomy(path: Path) -> Taxonomy:
    """A taxonomy from YAML or JSON: ``{dimension: {value: sentence}}``.

    Raises:
        DataError: if the file is not there or says something else.
    """
    import yaml

    if not path.is_file():
        raise DataError("there is no such file", where=str(path))
    try:
        found: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise DataError("the taxonomy is neither YAML nor JSON", where=f"{path}: {error}") from None
    if not isinstance(found, dict):
        raise DataError("the taxonomy is no mapping", where=str(path), allowed="{dimension: {value: sentence}}")
    dimensions = {}
    for dimension, values in found.items():
        if not isinstance(values, dict) or not all(
            isinstance(says, str) and says.strip() for says in values.values()
        ):
            raise DataError(
                "a dimension has no values with a sentence each",
                where=f"{path}: {dimension}",
                allowed="{value: sentence}",
                fix="e.g. {formal: Write formally., casual: Write as to a friend.}",
            )
        dimensions[str(dimension)] = tuple(Value(str(name), says.strip()) for name, says in values.items())
    return Taxonomy(dimensions)


# -- values that rules give and check
# ----------------------------------------------------------------------------------

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _sentences(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"(?<=[.!?])\s+", text.strip()) if part.strip()]


def _spelled(text: str) -> str:
    return re.sub(r"\d", lambda digit: f" {_DIGITS[int(digit[0])]} ", text).replace("  ", " ").strip()


def by_rules() -> Taxonomy:
    """Six dimensions of form, two values each, all of which rules can give to any answer and check in it."""

    def opened(text: str) -> str:
        return text if text.lower().startswith("hello!") else f"Hello! {text}"

    def ended(text: str) -> str:
        return text if text.lower().rstrip().endswith("hope that helps.") else f"{text.rstrip()} Hope that helps."

    def lines(text: str) -> str:
        return "\n".join(_sentences(text))

    # In the order in which rules are applied: case comes last, because others add words.
    return Taxonomy(
        {
            "length": (
                Value(
                    "short",
                    "Answer in one sentence.",
                    lambda t: (_sentences(t) or [t])[0],
                    lambda t: _body(t) == 1,
                ),
                Value("full", "Answer at length.", str, lambda t: _body(t) > 1),
            ),
            "numbers": (
                Value("digits", "Leave numbers as they are.", str),
                Value("spelled", "Write no digits.", _spelled, lambda t: not re.search(r"\d", t)),
            ),
            "opening": (
                Value("greeting", "Begin with a greeting.", opened, lambda t: t.lower().startswith("hello!")),
                Value("direct", "Begin with the answer.", str, lambda t: not t.lower().startswith("hello!")),
            ),
            "ending": (
                Value("closing", "End with a kind word.", ended, lambda t: "hope that helps." in t.lower()[-20:]),
                Value("bare", "End when all is said.", str, lambda t: "hope that helps." not in t.lower()[-20:]),
            ),
            "layout": (
                Value("lines", "Put each sentence on a line.", lines, lambda t: not re.search(r"[.!?] +\S", t)),
                Value(
                    "running",
                    "Write one paragraph.",
                    lambda t: " ".join(t.split()),
                    lambda t: "\n" not in t.strip(),
                ),
            ),
            "case": (
                Value("lower", "Use no capital letters.", str.lower, lambda t: t == t.lower()),
                Value("upper", "Use capital letters only.", str.upper, lambda t: t == t.upper()),
            ),
        }
    )


def _body(text: str) -> int:
    """Sentences beside greeting and closing."""
    lowered = [sentence.lower() for sentence in _sentences(text)]
    return len([s for s in lowered if s not in ("hello!", "hope that helps.")])


def compliance(
    taxonomy: Taxonomy, combinations: Sequence[Combination], answers: Sequence[str]
) -> dict[str, list[bool]]:
    """Whether each answer obeys each value that it was asked for.

    Args:
        taxonomy: whose values can be checked by rules; others are left out.
        combinations: what was asked for.
        answers: as many.

    Returns:
        Verdicts by dimension, one an answer; empty where no value of it can be checked.
    """
    found: dict[str, list[bool]] = {dimension: [] for dimension in taxonomy.dimensions}
    for combination, answer in zip(combinations, answers, strict=True):
        for dimension, name in zip(taxonomy.dimensions, combination, strict=True):
            holds = taxonomy.values[name].holds
            if holds is not None:
                found[dimension].append(bool(holds(answer)))
    return found
