"""Control codes: what an objective asks for when every answer is read under a code for its quality."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.scores import PAIRS, UNPAIRED, Batch, DataKind, Scores
from truing.objectives.algebra.sequence_scores import LogProb
from truing.objectives.algebra.term import Stateless, TermLoss

_PREFIX = "codes:"


@dataclass(frozen=True)
class CodeRequest:
    """Virtual tokens in front of the prompt: one sequence of them for wanted answers, one for unwanted ones.

    Args:
        tokens: virtual tokens of each code.
        alone: share of the steps, the first ones, in which the codes learn and the model does not.
        rate: peak learning rate of the codes.
    """

    tokens: int
    alone: float
    rate: float

    @property
    def name(self) -> str:
        """As it stands in :attr:`Objective.requires`."""
        return f"{_PREFIX}{self.tokens}:{self.alone!r}:{self.rate!r}"


def code_request(requires: Iterable[str]) -> CodeRequest | None:
    """The codes among what an objective requires; ``None`` where it asks for none.

    Raises:
        ObjectiveError: if it asks for codes of two kinds.
    """
    names = sorted(name for name in requires if name.startswith(_PREFIX))
    if len(names) > 1:
        raise ObjectiveError(
            "two parts of the objective ask for control codes of different kinds",
            where=", ".join(names),
            fix="give them the same hyper-parameters, or leave one of them out",
        )
    if not names:
        return None
    tokens, alone, rate = names[0].removeprefix(_PREFIX).split(":")
    return CodeRequest(int(tokens), float(alone), float(rate))


@dataclass(frozen=True)
class ControlledLikelihood(Stateless):
    """Negative log-likelihood of all answers of a record, each read under the code of its own quality.

    The code stands in front of the prompt when the answer is scored; here it is only asked for.

    Args:
        codes: what is asked for.
        reduction: as of :class:`~truing.objectives.algebra.terms.Likelihood`; the answers of a record are summed.
    """

    codes: CodeRequest
    reduction: Literal["sum", "mean", "tokens"] = "tokens"

    @property
    def requires(self) -> frozenset[str]:
        return frozenset({self.codes.name})

    @property
    def data(self) -> frozenset[DataKind]:
        return PAIRS | UNPAIRED

    @property
    def compares(self) -> bool:
        return False

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        index = torch.cat([batch.chosen, batch.rejected])
        values = -LogProb("mean" if self.reduction == "mean" else "sum")(scores, batch)[index]
        owners = batch.example[index]
        return TermLoss(values, batch.weights[owners].to(values.dtype), owners)

    def denominator(self, batch: Batch, lengths: Float[Tensor, " sequences"]) -> Tensor:
        if self.reduction != "tokens":
            return batch.weights.sum()
        index = torch.cat([batch.chosen, batch.rejected])
        return (batch.weights[batch.example[index]] * lengths[index]).sum()

    def text(self) -> str:
        return {
            "sum": "−log π(y_w | c_w) − log π(y_l | c_l)",
            "mean": "−log π(y_w | c_w)/|y_w| − log π(y_l | c_l)/|y_l|",
            "tokens": "−Σ (log π(y_w | c_w) + log π(y_l | c_l))/Σ (|y_w| + |y_l|)",
        }[self.reduction]
