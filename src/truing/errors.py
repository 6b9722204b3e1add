"""Errors that teach.

Every mistake a user can make ends in a :class:`TruingError`: what was wrong, where (file, row, key),
what is allowed, and the likely fix. The command line prints it on one screen and exits with status 2;
Python code can catch it like any exception.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TruingError(Exception):
    """A mistake in what the user gave us (recipe, data, model, arguments), not a defect of Truing.

    Args:
        what: one sentence that says what is wrong.
        where: file, row, key or argument in which it was found.
        allowed: the values or shapes that would have been accepted.
        fix: the most likely remedy, in the imperative.
    """

    exit_code = 2

    def __init__(
        self, what: str, *, where: str | None = None, allowed: str | None = None, fix: str | None = None
    ) -> None:
        self.what = what
        self.where = where
        self.allowed = allowed
        self.fix = fix
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [self.what]
        for label, value in (("where", self.where), ("allowed", self.allowed), ("fix", self.fix)):
            if value:
                lines.append(f"  {label}: {value}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments are lost by the default pickling of exceptions (worker processes).
        return (_rebuild, (type(self), self.what, self.where, self.allowed, self.fix))


def _rebuild(
    kind: type[TruingError], what: str, where: str | None, allowed: str | None, fix: str | None
) -> TruingError:
    return kind(what, where=where, allowed=allowed, fix=fix)


class RecipeError(TruingError):
    """The recipe, or an override on the command line, cannot be used."""


class DataError(TruingError):
    """A data set, or one of its rows, cannot be used."""


class ModelError(TruingError):
    """A model, tokenizer or checkpoint cannot be used."""


class ObjectiveError(TruingError):
    """An objective, or one of its hyper-parameters, cannot be used."""


class RunError(TruingError):
    """A run cannot start, continue or be read."""


def missing_dependency(feature: str, package: str, extra: str) -> TruingError:
    """The error to raise where ``feature`` needs an optional package that is not installed."""
    return TruingError(
        f"{feature} needs the package {package!r}, which is not installed",
        fix=f'pip install "truing[{extra}]"',
    )


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known names that look most like ``name``, best first."""
    return difflib.get_close_matches(name, list(known), n=limit, cutoff=0.5)


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A sentence that suggests the nearest known names, or ``None`` when none is near."""
    close = nearest(name, known)
    return f"did you mean {' or '.join(repr(c) for c in close)}?" if close else None


def check_name(kind: str, name: str, known: Iterable[str], where: str) -> None:
    """Refuse a name that is none of those there are.

    Args:
        kind: what it names, e.g. "variant".
        name: that was given.
        known: all there are.
        where: option or key in which it was given.

    Raises:
        DataError: if it is none of them.
    """
    names = list(known)
    if name not in names:
        raise DataError(
            f"there is no {kind} {name!r}", where=where, allowed=", ".join(names), fix=did_you_mean(name, names)
        )
