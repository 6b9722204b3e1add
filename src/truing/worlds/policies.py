"""Policies over a finite set of answers, whose probabilities can be listed completely.

An answer is named by two numbers: the prompt ``0..P-1`` and the output ``0..K-1``. All policies here are
float64, score any list of answers like every other policy, and can also state the log-probability of all
``P × K`` answers, which is what makes the results of training checkable.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from truing.errors import ModelError
from truing.objectives.algebra import Scores
from truing.worlds.preferences import as_table

Answer = tuple[int, int]
Answers = Sequence[Answer] | Int[Tensor, "answers 2"]

LOG_COLLISION = "log_collision"


class ExactPolicy(nn.Module, ABC):
    """A policy that can list the log-probability of every answer."""

    @abstractmethod
    def logps(self) -> Float[Tensor, "prompts outputs"]:
        """Log-probability of every answer, nats; each row sums to one."""

    @abstractmethod
    def score(self, items: Answers, *, signals: Sequence[str] = ()) -> Scores:
        """Token log-probabilities of ``items``, in order.

        Args:
            items: pairs (prompt, output).
            signals: further per-token values; only ``"log_collision"`` is known.

        Raises:
            ModelError: on an unknown signal.
        """

    def probabilities(self) -> Float[Tensor, "prompts outputs"]:
        """Probability of every answer, detached."""
        return self.logps().detach().exp()

    def frozen(self) -> Self:
        """A copy that does not learn, to serve as reference."""
        return copy.deepcopy(self).requires_grad_(False)


class SingleToken(ExactPolicy):
    """A softmax over outputs: every answer is one token."""

    @abstractmethod
    def logits(self) -> Float[Tensor, "prompts outputs"]:
        """Unnormalised log-probabilities."""

    def logps(self) -> Float[Tensor, "prompts outputs"]:
        return torch.log_softmax(self.logits(), dim=-1)

    def score(self, items: Answers, *, signals: Sequence[str] = ()) -> Scores:
        prompt, output = as_index(items).unbind(-1)
        table = self.logps()
        extra = {name: collision(name, table)[prompt] for name in signals}
        index = torch.arange(len(prompt))
        return Scores(table[prompt, output], index, len(prompt), signals=extra)


class Tabular(SingleToken):
    """One free logit for every answer, so that any distribution can be reached.

    Args:
        logits: starting point, nats up to a constant per prompt, shape ``[P, K]`` or ``[K]``.
    """

    def __init__(self, logits: Float[Tensor, "prompts outputs"] | Float[Tensor, " outputs"]) -> None:
        super().__init__()
        table = as_table(logits.detach()).clone()
        self.table = nn.Parameter(table)

    def logits(self) -> Float[Tensor, "prompts outputs"]:
        return self.table


class LogLinear(SingleToken):
    """Logits that are linear in a few shared parameters: answers with similar features move together.

    Args:
        features: shape ``[P, K, D]`` or ``[K, D]``.
        base: logits at zero parameters, shape ``[P, K]`` or ``[K]``; zeros if left out.
        parameters: starting point, shape ``[D]``; zeros if left out.
    """

    features: Tensor
    base: Tensor

    def __init__(self, features: Tensor, base: Tensor | None = None, parameters: Tensor | None = None) -> None:
        super().__init__()
        phi = features.to(torch.float64)
        phi = phi if phi.ndim == 3 else phi[None]
        start = torch.zeros(phi.shape[:2]) if base is None else as_table(base)
        theta = torch.zeros(phi.shape[-1]) if parameters is None else parameters
        self.register_buffer("features", phi)
        self.register_buffer("base", start.to(torch.float64))
        self.theta = nn.Parameter(theta.detach().to(torch.float64).clone())

    def logits(self) -> Float[Tensor, "prompts outputs"]:
        return self.base + self.features @ self.theta


def as_index(items: Answers) -> Int[Tensor, "answers 2"]:
    """``items`` as an integer tensor."""
    return items if isinstance(items, Tensor) else torch.tensor(items, dtype=torch.long).reshape(-1, 2)


def collision(signal: str, table: Float[Tensor, "... vocabulary"]) -> Float[Tensor, ...]:
    """Log of the sum of squared probabilities over the last dimension.

    Raises:
        ModelError: if ``signal`` is not the one that exact policies know.
    """
    if signal != LOG_COLLISION:
        raise ModelError(f"an exact policy has no signal {signal!r}", allowed=LOG_COLLISION)
    return torch.logsumexp(2 * table.detach(), dim=-1)
