"""Who preferred which answer, as vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.errors import DataError


@dataclass(frozen=True)
class Comparisons:
    """N labelled pairs.

    Attributes:
        users: who chose, one name a pair.
        chosen, rejected: embeddings of the answers, shape ``[N, D]``.
        prompts: embeddings of the prompts, shape ``[N, D]``; zeros where nothing reads them.
    """

    users: tuple[str, ...]
    chosen: Float[Tensor, "pairs width"]
    rejected: Float[Tensor, "pairs width"]
    prompts: Float[Tensor, "pairs width"]

    @classmethod
    def of(
        cls, users: Sequence[str], chosen: Tensor, rejected: Tensor, prompts: Tensor | None = None
    ) -> Comparisons:
        """From embeddings.

        Raises:
            DataError: if there are no pairs, sizes differ, or a number is not finite.
        """
        prompts = torch.zeros_like(chosen) if prompts is None else prompts
        shapes = {tuple(part.shape) for part in (chosen, rejected, prompts)}
        if not users:
            raise DataError("there are no pairs", fix="give at least one")
        if len(shapes) > 1 or chosen.ndim != 2 or len(chosen) != len(users):
            raise DataError(
                f"{len(users)} users go with embeddings of shapes {sorted(shapes)}",
                allowed="one row [D] for each pair: of the chosen answer, the rejected one, and the prompt",
            )
        for name, part in (("chosen", chosen), ("rejected", rejected), ("prompts", prompts)):
            if not bool(part.isfinite().all()):
                row = int((~part.isfinite()).any(1).nonzero()[0])
                raise DataError(f"the embedding of pair {row} is not finite", where=name)
        return cls(tuple(users), chosen, rejected, prompts)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def width(self) -> int:
        """D."""
        return self.chosen.shape[1]

    @property
    def names(self) -> tuple[str, ...]:
        """The users, each once, in order."""
        return tuple(sorted(set(self.users)))

    def take(self, rows: Sequence[int]) -> Comparisons:
        """Some of the pairs."""
        place = torch.as_tensor(rows, dtype=torch.long)
        users = tuple(self.users[row] for row in rows)
        return Comparisons(users, self.chosen[place], self.rejected[place], self.prompts[place])

    def numbers(self, names: Sequence[str]) -> Int[Tensor, " pairs"]:
        """The place of each pair's user among ``names``.

        Raises:
            DataError: if somebody is not among them.
        """
        places = {name: number for number, name in enumerate(names)}
        absent = sorted(set(self.users) - set(places))
        if absent:
            shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
            raise DataError(
                f"nothing is known about the user {absent[0]!r}",
                allowed=shown,
                fix="add the user from a few labelled pairs first (`truing reward add-user`)",
            )
        return torch.tensor([places[user] for user in self.users])
