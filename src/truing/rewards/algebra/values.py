"""Rewards: what each answer is worth in each of several named respects, and what is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from truing.errors import DataError, did_you_mean


@dataclass(frozen=True)
class Rewards:
    """K numbers for each of N answers.

    An objective that an answer was not judged by is masked. Its value is then ``nan``, so that code that forgets the
    mask gives ``nan`` and not a score of 0.

    Args:
        values: float32 or float64, shape ``[N, K]``; what stands where ``valid`` is false does not matter.
        names: what each column measures.
        valid: where a value is known, shape ``[N, K]``.
        versus: log-odds that an answer is preferred to the first, second, ... answer to its prompt, shape ``[N, G]``,
            from a scorer that compares; ``nan`` where there is none. Lost where rewards are changed or combined.

    Raises:
        DataError: if shapes do not fit, a name is there twice, or a valid value is not finite.
    """

    values: Float[Tensor, "answers objectives"]
    names: tuple[str, ...]
    valid: Bool[Tensor, "answers objectives"]
    versus: Float[Tensor, "answers group"] | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names) or not self.names:
            raise DataError(
                f"rewards of shape {tuple(self.values.shape)} do not fit the objectives {list(self.names)}",
                allowed="one row for each answer, one column for each objective, at least one objective",
            )
        if not self.values.is_floating_point() or self.values.dtype in (torch.float16, torch.bfloat16):
            raise DataError(
                f"rewards are of type {self.values.dtype}", allowed="float32 or float64", fix="call .double()"
            )
        twice = [name for name in self.names if self.names.count(name) > 1]
        if twice:
            raise DataError(f"two objectives are called {twice[0]!r}", fix="give one of them another name")
        if self.valid.shape != self.values.shape or self.valid.dtype != torch.bool:
            raise DataError(
                f"the mask has shape {tuple(self.valid.shape)} and type {self.valid.dtype}",
                allowed=f"booleans of shape {tuple(self.values.shape)}",
            )
        wrong = self.valid & ~self.values.isfinite()
        if wrong.any():
            row, column = wrong.nonzero()[0].tolist()
            raise DataError(
                f"the score is {float(self.values[row, column])}, which is no finite number",
                where=f"answer {row}, objective {self.names[column]!r}",
                fix="mask it, if it is not known; a missing score is not 0",
            )
        object.__setattr__(self, "values", self.values.masked_fill(~self.valid, torch.nan))

    @classmethod
    def of(cls, values: Tensor, names: Sequence[str], valid: Tensor | None = None) -> Rewards:
        """Rewards from scores that are all known, unless ``valid`` says otherwise.

        Args:
            values: shape ``[N, K]``, or ``[N]`` for one objective.
            names: K names.
            valid: of the same shape.
        """
        table = values[:, None] if values.ndim == 1 else values
        mask = torch.ones_like(table, dtype=torch.bool) if valid is None else valid.reshape(table.shape)
        return cls(table, tuple(names), mask)

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str) -> Float[Tensor, " answers"]:
        """One objective; ``nan`` where it is not known.

        Raises:
            DataError: if there is none of that name.
        """
        return self.values[:, self.places([name])[0]]

    def places(self, names: Sequence[str]) -> list[int]:
        """Columns of the named objectives, in the order asked for.

        Raises:
            DataError: if one is not there.
        """
        for name in names:
            if name not in self.names:
                raise DataError(
                    f"there is no objective {name!r}",
                    allowed=", ".join(self.names),
                    fix=did_you_mean(name, self.names),
                )
        return [self.names.index(name) for name in names]

    def only(self, names: Sequence[str]) -> Rewards:
        """The named objectives, in the order asked for."""
        columns = self.places(names)
        return Rewards(self.values[:, columns], tuple(names), self.valid[:, columns])

    def rows(self, index: Tensor | Sequence[int]) -> Rewards:
        """Some answers, in the order asked for."""
        chosen = torch.as_tensor(index, device=self.values.device)
        return Rewards(self.values[chosen], self.names, self.valid[chosen])

    def with_values(self, values: Tensor) -> Rewards:
        """Other numbers for the same answers and objectives; ``nan`` where they are not defined."""
        return Rewards(values, self.names, self.valid & ~values.isnan())

    def replaced(self, other: Rewards) -> Rewards:
        """These rewards, with the columns that ``other`` has taken from there."""
        values, valid = self.values.clone(), self.valid.clone()
        columns = self.places(other.names)
        values[:, columns], valid[:, columns] = other.values.to(values.dtype), other.valid
        return Rewards(values, self.names, valid)


def beside(parts: Sequence[Rewards]) -> Rewards:
    """The same answers, judged by several scorers, as one table.

    Raises:
        DataError: if the numbers of answers differ, or two objectives have the same name.
    """
    if len({len(part) for part in parts}) != 1:
        raise DataError(f"scorers judged different numbers of answers: {[len(part) for part in parts]}")
    if len(parts) == 1:
        return parts[0]
    return Rewards(
        torch.cat([part.values for part in parts], 1),
        tuple(name for part in parts for name in part.names),
        torch.cat([part.valid for part in parts], 1),
    )


def below(parts: Sequence[Rewards]) -> Rewards:
    """Further answers with the same objectives, as one table.

    Raises:
        DataError: if the objectives differ.
    """
    first = parts[0]
    for part in parts:
        if part.names != first.names:
            raise DataError(f"batches have different objectives: {list(first.names)} and {list(part.names)}")
    return Rewards(
        torch.cat([part.values for part in parts]), first.names, torch.cat([part.valid for part in parts])
    )
