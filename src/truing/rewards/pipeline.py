"""From answers to one number each: scorers, then transforms, then a combiner with weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from truing.errors import RecipeError
from truing.rewards.algebra import (
    Columns,
    Combiner,
    Context,
    Prompt,
    RecordScorer,
    ReferenceStats,
    Rewards,
    Scorer,
    Transform,
    Weighter,
    beside,
    score,
)
from truing.rewards.judges.usage import usage_in

Missing = Literal["mask", "present"]


@dataclass(frozen=True)
class Judgement:
    """What N answers are worth.

    Attributes:
        reward: one number each; ``nan`` where it is not known, shape ``[N]``.
        raw: what the scorers said.
        transformed: what was combined.
        weights: of the objectives, shape ``[N, K]``; ``None`` where all count alike.
    """

    reward: Float[Tensor, " answers"]
    raw: Rewards
    transformed: Rewards
    weights: Float[Tensor, "answers objectives"] | None

    @property
    def valid(self) -> Bool[Tensor, " answers"]:
        """Where the reward is known."""
        return ~self.reward.isnan()


@dataclass(frozen=True)
class Pipeline:
    """Scorers, transforms and a combiner.

    Args:
        scorers: their objectives stand beside each other.
        transforms: applied in this order. One that compares with the reference compares with the reference's scores as
            the transforms before it have changed them.
        combiner: may be left out where there is one objective.
        weighter: weights for a combiner that takes them.
        missing: ``mask``: an answer of which an objective with weight is not known has no reward. ``present``: what is
            known is combined.
        stages: statistics of the reference before each transform; see :meth:`with_reference`.

    Raises:
        RecipeError: if the pieces do not fit together.
    """

    scorers: tuple[Scorer | RecordScorer, ...]
    transforms: tuple[Transform, ...] = ()
    combiner: Combiner | None = None
    weighter: Weighter | None = None
    missing: Missing = "mask"
    stages: tuple[ReferenceStats | None, ...] = ()

    def __post_init__(self) -> None:
        if self.combiner is None and len(self.names) != 1:
            raise RecipeError(
                f"there are {len(self.names)} objectives and nothing that makes one reward of them",
                where="combine",
                allowed="one objective, or a combiner",
                fix="add e.g. `combine: mean`",
            )
        if self.weighter is not None and not (self.combiner is not None and self.combiner.weighted):
            raise RecipeError(
                "weights have no effect on this combination",
                where="weights",
                allowed="a combiner that takes them: weighted-sum, geometric-mean, product",
                fix="use `combine: weighted-sum`, or remove weights",
            )
        if self.missing == "present" and not (self.combiner is not None and self.combiner.partial):
            raise RecipeError(
                "answers with fewer known objectives could not be compared with the others",
                where="missing",
                allowed="present with a combiner that is a mean, or the least; mask with any",
                fix="use `missing: mask`",
            )
        loose = [place for place, transform in enumerate(self.transforms) if not transform.pointwise]
        if loose and any(transform.needs_reference for transform in self.transforms[loose[0] :]):
            raise RecipeError(
                "a transform that compares with the reference follows one that depends on the batch, which the "
                "reference's samples are not in",
                where=f"transform[{loose[0]}]",
                fix="put rank last",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The objectives."""
        return tuple(name for scorer in self.scorers for name in scorer.names)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the records that scorers read, each once."""
        read = [name for scorer in self.scorers if isinstance(scorer, RecordScorer) for name in scorer.columns]
        return tuple(dict.fromkeys(read))

    @property
    def needs_reference(self) -> bool:
        """Whether samples of a reference policy are needed."""
        return any(transform.needs_reference for transform in self.transforms)

    def usage(self) -> dict[str, dict[str, Any]]:
        """What asking judges cost so far, by the first objective of each, see :class:`Usage`."""
        found = {scorer.names[0]: usage_in(scorer) for scorer in self.scorers}
        return {name: usage.as_dict() for name, usage in found.items() if usage is not None}

    def with_reference(self, stats: ReferenceStats) -> Pipeline:
        """The same, comparing with a reference.

        Args:
            stats: of the raw scores of the reference's samples.

        Raises:
            DataError: if they lack an objective.
        """
        last = max((place for place, t in enumerate(self.transforms) if t.needs_reference), default=-1)
        stages: list[ReferenceStats | None] = [None] * len(self.transforms)
        current = stats.only(self.names)
        for place in range(last + 1):
            stages[place] = current
            if place < last:
                current = current.through(self.transforms[place])
        return replace(self, stages=tuple(stages))

    def score(
        self, prompts: Sequence[Prompt], completions: Sequence[str], columns: Columns | None = None
    ) -> Rewards:
        """What the scorers say of ``completions[i]`` as an answer to ``prompts[i]``.

        Args:
            prompts, completions: of equal number.
            columns: those named by :attr:`columns`, one value an answer.

        Raises:
            DataError: if a scorer reads a column that is not there.
        """
        return beside([score(scorer, prompts, completions, columns) for scorer in self.scorers])

    def judge(
        self,
        prompts: Sequence[Prompt],
        completions: Sequence[str],
        *,
        columns: Columns | None = None,
        embeddings: Tensor | None = None,
        round: int = 0,
    ) -> Judgement:
        """The reward of ``completions[i]`` as an answer to ``prompts[i]``.

        Args:
            prompts, completions: of equal number.
            columns: of the records, see :meth:`score`.
            embeddings: of the prompts, where the weighter reads them, shape ``[N, D]``.
            round: how many rounds of sampling went before.
        """
        context = Context.of(prompts, embeddings=embeddings, round=round)
        return self.combine(self.score(prompts, completions, columns), context)

    def combine(self, raw: Rewards, context: Context) -> Judgement:
        """The reward of answers that are scored already.

        Args:
            raw: with this pipeline's objectives.
            context: of the same answers; the reference is the pipeline's own.
        """
        rewards = raw.only(self.names)
        stages = self.stages or (None,) * len(self.transforms)
        for transform, stats in zip(self.transforms, stages, strict=True):
            rewards = transform(rewards, context.under(stats))
        if self.combiner is None:
            return Judgement(rewards.values[:, 0], raw, rewards, None)
        weights = None if self.weighter is None else self.weighter(rewards.names, context).to(rewards.values)
        reward = self.combiner(rewards, weights)
        if self.missing == "mask":
            counts = rewards.valid if weights is None else rewards.valid | (weights == 0)
            reward = reward.masked_fill(~counts.all(1), torch.nan)
        return Judgement(reward, raw, rewards, weights)
