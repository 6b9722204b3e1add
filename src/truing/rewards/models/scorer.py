"""A trained reward model as a reward: named in recipes by its folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch

from truing.data.derive.context import in_context
from truing.errors import ModelError, ObjectiveError
from truing.parameters import Doc
from truing.rewards.algebra import Prompt, Rewards
from truing.rewards.models.model import RewardModel
from truing.rewards.models.texts import placed_trees
from truing.rewards.plain import plain


@dataclass(frozen=True)
class ModelScorer:
    """Judges text with a reward model; answers to the same prompt that follow each other share its tokens.

    Args:
        model: gives one reward an answer.
        max_length: tokens of prompt plus answer, and of what the model writes behind it.
        context: stands before every prompt, or in its system message, for models that were trained with contexts.
    """

    model: RewardModel
    max_length: int
    context: str | None = None

    def __post_init__(self) -> None:
        if self.model.form.kind == "skew":
            raise ModelError(
                "this reward model compares answers and gives none a reward of its own",
                where=self.model.name,
                allowed="reward models such as those trained with bradley-terry",
            )

    @property
    def names(self) -> tuple[str, ...]:
        return self.model.form.names

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        """Rewards of ``completions[i]`` as an answer to ``prompts[i]``; an empty answer has none."""
        if self.context is not None:
            prompts = [in_context(prompt, self.context) for prompt in prompts]
        found = torch.full((len(completions), len(self.names)), torch.nan, dtype=torch.float64)
        placed = placed_trees(
            self.model.policy.tokenizer, self.model.left_of(self.max_length), prompts, completions
        )
        for own, values in zip(placed, self.model.columns([own.tree for own in placed]), strict=True):
            found[torch.tensor(own.places)] = values
        return Rewards.of(found, self.names, found.isfinite())


@plain(kind="reward", name="reward-model", summary="The reward of a trained reward model, by its folder.")
def reward_model(
    model: Annotated[
        str | None, Doc("folder or hub name of a reward model", "as `truing reward` writes them")
    ] = None,
    max_length: Annotated[int, Doc("tokens of prompt plus answer", "max_length >= 2")] = 2048,
    context: Annotated[
        str | None,
        Doc("criterion or reader, for a model trained with contexts", "text that stands before prompts"),
    ] = None,
) -> ModelScorer:
    """R(x, y), or R(x, z, y) in a context z.

    Raises:
        ObjectiveError: without a model.
        ModelError: if it is no reward model, or gives answers no reward of their own.
    """
    if model is None:
        raise ObjectiveError(
            "reward-model has no model", allowed="a folder, or a hub name", fix="e.g. model: runs/reward/model"
        )
    return ModelScorer(RewardModel.load(model), max_length, context)
