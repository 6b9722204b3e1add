"""Comparisons between a record and its parts, or between two parts: other prompts, or other samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from jaxtyping import Float, Int
from torch import Tensor

from truing.objectives.algebra.formula import minus, scaled
from truing.objectives.algebra.parts import part_of
from truing.objectives.algebra.scores import (
    ANY_DATA,
    PAIRS,
    SAMPLES,
    UNWANTED,
    WITH_LIKED,
    Batch,
    DataKind,
    Scores,
)
from truing.objectives.algebra.sequence_scores import SequenceScore
from truing.objectives.algebra.terms import Pairwise

_ONE_LIKED: frozenset[DataKind] = WITH_LIKED - {"unpaired"}


class PartPairing(Protocol):
    """A pairing that looks at parts; see :class:`~truing.objectives.algebra.pairings.Pairing`."""

    @property
    def coupled(self) -> bool: ...

    @property
    def cancels(self) -> bool:
        """Whether a constant of the prompt, added to all scores under it, leaves the gap as it is."""
        ...

    @property
    def data(self) -> frozenset[DataKind]:
        """Layouts that the records themselves may have."""
        ...

    @property
    def part_data(self) -> Mapping[str, frozenset[DataKind]]:
        """Layouts that the parts may have."""
        ...

    def __call__(
        self, score: SequenceScore, scores: Scores, batch: Batch
    ) -> tuple[Float[Tensor, " gaps"], Int[Tensor, " gaps"] | None]: ...

    def count(self, batch: Batch) -> Tensor: ...

    def sides(self, score: SequenceScore, better: str = "w", worse: str = "l") -> tuple[str, str]: ...


@dataclass(frozen=True)
class BetweenParts:
    """Score of the answer of one part minus that of another: one answer under two prompts (MAPL, 2505.12845).

    Args:
        up: the part whose answer is pushed up.
        down: the part whose answer is pushed down.
    """

    up: str
    down: str
    coupled = False
    cancels = False

    @property
    def data(self) -> frozenset[DataKind]:
        return ANY_DATA

    @property
    def part_data(self) -> Mapping[str, frozenset[DataKind]]:
        return {self.up: WITH_LIKED, self.down: WITH_LIKED}

    def __call__(
        self, score: SequenceScore, scores: Scores, batch: Batch
    ) -> tuple[Float[Tensor, " gaps"], Int[Tensor, " gaps"]]:
        up, down = part_of(batch, self.up), part_of(batch, self.down)
        values = score(scores, up)
        return values[up.chosen] - values[down.chosen], batch.example[up.chosen]

    def count(self, batch: Batch) -> Tensor:
        return batch.weights.sum()

    def sides(self, score: SequenceScore, better: str = "w", worse: str = "l") -> tuple[str, str]:
        own = score.text("w")
        return f"⟨{own}⟩_{self.up}", f"⟨{own}⟩_{self.down}"


@dataclass(frozen=True)
class AgainstPart:
    """Score of the record's answer minus that of a part's: one answer under the record's own prompt and another one.

    Args:
        part: the part whose answer is pushed down.
    """

    part: str
    coupled = False
    cancels = False

    @property
    def data(self) -> frozenset[DataKind]:
        return _ONE_LIKED

    @property
    def part_data(self) -> Mapping[str, frozenset[DataKind]]:
        return {self.part: _ONE_LIKED}

    def __call__(
        self, score: SequenceScore, scores: Scores, batch: Batch
    ) -> tuple[Float[Tensor, " gaps"], Int[Tensor, " gaps"]]:
        other = part_of(batch, self.part)
        values = score(scores, batch)
        return values[batch.chosen] - values[other.chosen], batch.example[batch.chosen]

    def count(self, batch: Batch) -> Tensor:
        return batch.weights.sum()

    def sides(self, score: SequenceScore, better: str = "w", worse: str = "l") -> tuple[str, str]:
        own = score.text("w")
        return own, f"⟨{own}⟩_{self.part}"


@dataclass(frozen=True)
class GapOfGaps:
    """The gap of a pair under one prompt minus its gap under another (MAPL, 2505.12845).

    Args:
        wide: the part under whose prompt the gap should be the larger.
        narrow: the other.
    """

    wide: str
    narrow: str
    coupled = False
    cancels = True

    @property
    def data(self) -> frozenset[DataKind]:
        return ANY_DATA

    @property
    def part_data(self) -> Mapping[str, frozenset[DataKind]]:
        return {self.wide: PAIRS, self.narrow: PAIRS}

    def __call__(
        self, score: SequenceScore, scores: Scores, batch: Batch
    ) -> tuple[Float[Tensor, " gaps"], Int[Tensor, " gaps"]]:
        wide, narrow = part_of(batch, self.wide), part_of(batch, self.narrow)
        gaps = [score(scores, part)[part.chosen] - score(scores, part)[part.rejected] for part in (wide, narrow)]
        return gaps[0] - gaps[1], batch.example[wide.chosen]

    def count(self, batch: Batch) -> Tensor:
        return batch.weights.sum()

    def sides(self, score: SequenceScore, better: str = "w", worse: str = "l") -> tuple[str, str]:
        gap = minus(score.text("w"), score.text("l"))
        return f"⟨{gap}⟩_{self.wide}", f"⟨{gap}⟩_{self.narrow}"


@dataclass(frozen=True)
class SamplesAgainst:
    """Mean score of a part's samples minus the score of the unwanted answer (D2O, 2403.03419, eq. 8).

    Args:
        part: the part with the samples.
        share: weight of the unwanted answer's score against that of the samples.
    """

    part: str
    share: float = 1.0
    coupled = False

    @property
    def cancels(self) -> bool:
        return self.share == 1

    @property
    def data(self) -> frozenset[DataKind]:
        return UNWANTED

    @property
    def part_data(self) -> Mapping[str, frozenset[DataKind]]:
        return {self.part: SAMPLES}

    def __call__(
        self, score: SequenceScore, scores: Scores, batch: Batch
    ) -> tuple[Float[Tensor, " gaps"], Int[Tensor, " gaps"]]:
        samples = part_of(batch, self.part)
        values = score(scores, batch)
        drawn = values[samples.chosen]
        count = samples.per_example(drawn.new_ones(len(drawn)), samples.chosen)
        mean = samples.per_example(drawn, samples.chosen) / count.clamp(min=1)
        owners = batch.example[batch.rejected]
        return mean[owners] - self.share * values[batch.rejected], owners

    def count(self, batch: Batch) -> Tensor:
        return batch.weights.sum()

    def sides(self, score: SequenceScore, better: str = "w", worse: str = "l") -> tuple[str, str]:
        return f"mean_k {score.text('k')}", scaled(self.share, score.text("l"))


@dataclass(frozen=True)
class AcrossParts(Pairwise):
    """A pairwise term whose pairing looks at parts of the records."""

    pairing: PartPairing = field(default_factory=lambda: SamplesAgainst("samples"))

    @property
    def requires(self) -> frozenset[str]:
        return super().requires | {f"part:{name}" for name in self.pairing.part_data}

    @property
    def data(self) -> frozenset[DataKind]:
        return self.pairing.data & self.score.data

    @property
    def part_data(self) -> Mapping[str, frozenset[DataKind]]:
        return self.pairing.part_data
