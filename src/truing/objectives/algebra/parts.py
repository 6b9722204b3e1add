"""Terms over further sequences that come with every record.

Some losses look at more than one prompt a record: a pair and the explanation of its label, an answer to forget
and one to keep, the same pair with and without its reasoning. Each such group is a *part*: a batch of roles of
its own over the same scores. A term moved onto a part is the same term, on that part's roles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.scores import ANY_DATA, Batch, DataKind, Scores
from truing.objectives.algebra.term import Term, TermLoss


@dataclass(frozen=True)
class OnPart:
    """Another term, on the roles of a part.

    Args:
        part: its name, e.g. ``"retain"``.
        term: what is measured there.
    """

    part: str
    term: Term

    @property
    def requires(self) -> frozenset[str]:
        return self.term.requires | {f"part:{self.part}"}

    @property
    def data(self) -> frozenset[DataKind]:
        """Of the records themselves, of which nothing is asked."""
        return ANY_DATA

    @property
    def part_data(self) -> Mapping[str, frozenset[DataKind]]:
        """The data layouts that the part may have."""
        return {self.part: self.term.data}

    @property
    def coupling(self) -> str:
        return self.term.coupling

    @property
    def coupled(self) -> bool:
        return self.term.coupled

    @property
    def compares(self) -> bool:
        return self.term.compares

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        return self.term.losses(scores, part_of(batch, self.part), state)

    def denominator(self, batch: Batch, lengths: Float[Tensor, " sequences"]) -> Tensor:
        return self.term.denominator(part_of(batch, self.part), lengths)

    def init(self) -> dict[str, Tensor]:
        return self.term.init()

    def update(
        self, state: State, scores: Scores | None, batch: Batch, auxiliary: Scores | None, training: bool
    ) -> dict[str, Tensor]:
        return self.term.update(state, scores, part_of(batch, self.part), auxiliary, training)

    def report(self, state: State, names: Mapping[str, Sequence[str]]) -> dict[str, float]:
        return self.term.report(state, names)

    def text(self) -> str:
        return f"⟨{self.term.text()}⟩_{self.part}"


@dataclass(frozen=True)
class OnHead(OnPart):
    """A term on a part whose answers are scored by an output head of the part's own (MAH-DPO, 2510.01167)."""

    @property
    def requires(self) -> frozenset[str]:
        return super().requires | {f"head:{self.part}"}


def part_of(batch: Batch, name: str) -> Batch:
    """The roles of a part.

    Raises:
        ObjectiveError: if the batch has none of that name.
    """
    if name not in batch.parts:
        raise ObjectiveError(
            f"this objective needs the part {name!r} beside every record, and the batch has "
            f"{', '.join(sorted(batch.parts)) or 'none'}",
            fix=f"name the data under data.parts.{name} in the recipe, or pass it as `parts` of the batch",
        )
    return batch.parts[name]
