"""Pieces for reward models: scores that a head gives (``Scores.values``), and what is asked of them.

The same links, margins, weights and modifiers serve policies and reward models; only the score differs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from truing.errors import ObjectiveError
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.scores import ANY_DATA, PAIRS, Batch, DataKind, Scores
from truing.objectives.algebra.sequence_scores import SequenceScore
from truing.objectives.algebra.term import Stateless, TermLoss


def head_values(scores: Scores, width: int) -> Float[Tensor, "sequences outputs"]:
    """What the head says of every completion.

    Raises:
        ObjectiveError: if there is no head, or one of another width.
    """
    if scores.values is None:
        raise ObjectiveError(
            "this objective trains a reward model, and what is scored has no reward head",
            fix="`truing reward` trains reward models; for a policy choose an objective such as dpo",
        )
    if scores.values.shape[1] != width:
        raise ObjectiveError(
            f"the reward head has {scores.values.shape[1]} outputs, and the objective needs {width}",
            fix="start from a language model, which gets a new head, or change the objective's width",
        )
    return scores.values


def head_width(requires: frozenset[str]) -> int | None:
    """How many outputs a reward head must have for an objective; ``None`` where it needs no head.

    Raises:
        ObjectiveError: if its parts need heads of different widths.
    """
    widths = sorted({int(r.removeprefix("value:")) for r in requires if r.startswith("value:")})
    if len(widths) > 1:
        raise ObjectiveError(
            f"parts of the objective need reward heads of different widths: {', '.join(map(str, widths))}",
            fix="combine objectives of one width",
        )
    return widths[0] if widths else None


def as_values(rewards: Float[Tensor, " sequences"], width: int) -> Float[Tensor, "sequences outputs"]:
    """Outputs of a head of which the first is a reward, the second 1, and all others 0.

    Under a skew-symmetric form, s of two such outputs is the difference of their rewards.
    """
    constant = torch.zeros(width - 1, dtype=rewards.dtype, device=rewards.device)
    constant[:1] = 1.0
    return torch.cat([rewards[:, None], constant.expand(len(rewards), -1)], dim=1)


@dataclass(frozen=True)
class HeadValue:
    """R(x, y): one output of a reward model's head.

    Args:
        index: which output.
        width: how many the head has.
    """

    index: int = 0
    width: int = 1

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({f"value:{self.width}"})

    @property
    def data(self) -> frozenset[DataKind]:
        return ANY_DATA

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        return head_values(scores, self.width)[:, self.index]

    def text(self, side: str) -> str:
        return f"R(y_{side})" if self.width == 1 else f"R_{self.index + 1}(y_{side})"


@dataclass(frozen=True)
class SkewValue:
    """GPM (2410.02197, section 4): ±s/2 for the two answers of a pair, s = Σ_l (v_2l u_2l+1 − v_2l+1 u_2l).

    v and u are the head's outputs for chosen and rejected. s turns its sign when the two are exchanged, and needs no
    order among all answers.

    Args:
        width: outputs of the head, even.
        unit: whether outputs are divided by their length first, so that |s| is at most width / 2.
    """

    width: int
    unit: bool = False

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({f"value:{self.width}"})

    @property
    def data(self) -> frozenset[DataKind]:
        return PAIRS

    def __call__(self, scores: Scores, batch: Batch) -> Float[Tensor, " sequences"]:
        values = head_values(scores, self.width)
        gaps = skew(values[batch.chosen], values[batch.rejected], unit=self.unit)
        halves = torch.zeros(scores.count, dtype=gaps.dtype, device=gaps.device)
        return halves.index_add(0, batch.chosen, gaps / 2).index_add(0, batch.rejected, -gaps / 2)

    def text(self, side: str) -> str:
        return f"s(y_{side})/2"


def skew(
    one: Float[Tensor, "*pairs width"], other: Float[Tensor, "*pairs width"], *, unit: bool = False
) -> Float[Tensor, "*pairs"]:
    """The skew-symmetric form of two embeddings: the sum over planes of their signed areas."""
    if unit:
        one, other = functional.normalize(one, dim=-1), functional.normalize(other, dim=-1)
    return (one[..., 0::2] * other[..., 1::2] - one[..., 1::2] * other[..., 0::2]).sum(-1)


@dataclass(frozen=True)
class Centred(Stateless):
    """(s(y_w) + s(y_l))²: ties the level of a prompt's rewards, which a comparison leaves open (2312.09244).

    Args:
        score: whose level is tied.
    """

    score: SequenceScore

    @property
    def requires(self) -> frozenset[str]:
        return self.score.requires

    @property
    def data(self) -> frozenset[DataKind]:
        return PAIRS

    @property
    def compares(self) -> bool:
        return False

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        values = self.score(scores, batch)
        owners = batch.example[batch.chosen]
        levels = (values[batch.chosen] + values[batch.rejected]).square()
        return TermLoss(levels, batch.weights[owners].to(levels.dtype), owners)

    def denominator(self, batch: Batch, lengths: Tensor) -> Tensor:
        return batch.weights[batch.example[batch.chosen]].sum()

    def text(self) -> str:
        return f"({self.score.text('w')} + {self.score.text('l')})²"
