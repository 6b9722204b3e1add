"""Pieces of rewards applied to tables of answers, as exact worlds have them."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from truing.rewards.algebra import Combiner, Context, Origin, ReferenceStats, Rewards, Transform

Table = Float[Tensor, "prompts answers objectives"]


def transformed(transform: Transform, rewards: Table, samples: Table) -> Table:
    """What a transform makes of every answer.

    Args:
        transform: any.
        rewards: shape ``[P, A, K]``.
        samples: rewards of the reference's samples, shape ``[P, S, K]``.
    """
    prompts, answers, objectives = rewards.shape
    names = tuple(str(number) for number in range(objectives))
    texts = [str(number) for number in range(prompts)]
    stats = ReferenceStats.of(samples, names, texts, Origin("exact world", "exact reward"))
    context = Context.of([text for text in texts for _ in range(answers)], stats)
    return transform(Rewards.of(rewards.reshape(-1, objectives), names), context).values.reshape(rewards.shape)


def combined(combiner: Combiner, rewards: Float[Tensor, "... objectives"]) -> Float[Tensor, ...]:
    """What a combiner makes of every answer."""
    objectives = rewards.shape[-1]
    names = tuple(str(number) for number in range(objectives))
    return combiner(Rewards.of(rewards.reshape(-1, objectives), names)).reshape(rewards.shape[:-1])
