"""Whole distributions over the vocabulary, position by position: divergences from, and advantages under, other models.

Some losses look at every possible next token and not at the one that was written: a KL divergence from the reference
at each position, distillation from a teacher. The other model's states at the scored positions are passed along with
the request; logits of both exist for a chunk of positions at a time, and are computed again in the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from truing.errors import ObjectiveError
from truing.policies.head import HeadSpec, chunks

LogProbs = Float[Tensor, "scored vocabulary"]


@dataclass(frozen=True)
class Other:
    """Another model at the scored positions.

    Attributes:
        hidden: its states that predict the scored tokens, detached, shape ``[M, H]``.
        head: its output head.
        spec: what happens to its logits.
    """

    hidden: Tensor
    head: nn.Module
    spec: HeadSpec

    @torch.no_grad()
    def log_probs(self, part: slice) -> LogProbs:
        """Log-probability of every token at some positions, nats, float32."""
        return torch.log_softmax(self.spec.finish(self.head(self.hidden[part])), dim=-1)


@dataclass(frozen=True)
class Comparison:
    """A number per position that depends on whole distributions.

    Attributes:
        name: what it is asked for by, e.g. ``"kl:reference"``.
        others: the models that it involves.
    """

    name: str
    others: tuple[Other, ...]


def forward_kl(own: LogProbs, other: LogProbs) -> Float[Tensor, " scored"]:
    """KL(other ‖ own), nats."""
    return (other.exp() * (other - own)).sum(-1)


def expected_advantage(own: LogProbs, better: LogProbs, worse: LogProbs) -> Float[Tensor, " scored"]:
    """Σ_a own(a) · [log better(a) − log worse(a)], nats: the advantage that the policy can expect (2502.17927)."""
    return (own.exp() * (better - worse)).sum(-1)


FUNCTIONALS: dict[str, Callable[..., Tensor]] = {"kl": forward_kl, "advantage": expected_advantage}
"""By the part of a comparison's name before the first colon; called with the policy's log-probabilities first."""


def compared_models(name: str) -> list[str]:
    """The models in the name of a comparison: ``"kl:reference"``, ``"advantage:ALIGNED|STARTING"``."""
    return name.partition(":")[2].split("|")


def comparison_values(
    hidden: Float[Tensor, "scored hidden"], head: nn.Module, spec: HeadSpec, comparisons: Sequence[Comparison]
) -> list[Float[Tensor, " scored"]]:
    """One value per scored position for each comparison, differentiable in the policy.

    Args:
        hidden: the policy's states that predict the scored tokens.
        head: its output head.
        spec: what happens to its logits.
        comparisons: what is wanted.

    Raises:
        ObjectiveError: if another model has another vocabulary.
    """
    found: list[list[Tensor]] = [[] for _ in comparisons]
    width = getattr(head, "out_features", spec.vocabulary)
    for part in chunks(len(hidden), spec.vocabulary, hidden.device):

        def chunk(states: Tensor, part: slice = part) -> tuple[Tensor, ...]:
            own = torch.log_softmax(spec.finish(head(states)), dim=-1)
            values = []
            for comparison in comparisons:
                others = [other.log_probs(part) for other in comparison.others]
                if any(other.shape != own.shape for other in others):
                    raise ObjectiveError(
                        "the models that are compared have different vocabularies",
                        where=comparison.name,
                        allowed=f"models with {width:,} tokens, the same ones as the policy's",
                        fix="take a teacher of the same family, with the same tokenizer",
                    )
                values.append(FUNCTIONALS[comparison.name.partition(":")[0]](own, *others))
            return tuple(values)

        for column, value in zip(found, checkpoint(chunk, hidden[part], use_reentrant=False), strict=True):
            column.append(value)
    return [torch.cat(column) if column else hidden.new_zeros(0) for column in found]
