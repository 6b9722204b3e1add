"""A trained reward model as a reward: named in recipes by its folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any

import torch

from truing.data.chat import ChatRenderer
from truing.data.row_encoder import RowEncoder
from truing.data.token_tally import TokenTally
from truing.errors import ModelError, ObjectiveError
from truing.parameters import Doc
from truing.policies.packing import Tree
from truing.rewards.algebra import Prompt, Rewards
from truing.rewards.models.model import RewardModel
from truing.rewards.plain import plain

BATCH = 256
"""Prompts that are tokenised at a time."""


@dataclass(frozen=True)
class ModelScorer:
    """Judges text with a reward model; answers to the same prompt that follow each other share its tokens.

    Args:
        model: gives one reward an answer.
        max_length: tokens of prompt plus answer.
    """

    model: RewardModel
    max_length: int

    def __post_init__(self) -> None:
        if self.model.form.kind != "scalar":
            raise ModelError(
                "this reward model compares answers and gives none a reward of its own",
                where=self.model.name,
                allowed="reward models such as those trained with bradley-terry",
            )

    @property
    def names(self) -> tuple[str, ...]:
        return ("reward-model",)

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        """Rewards of ``completions[i]`` as an answer to ``prompts[i]``; an empty answer has none."""
        found = torch.full((len(completions),), torch.nan, dtype=torch.float64)
        places = [i for i, text in enumerate(completions) if text]
        runs = [list(run) for _, run in groupby(places, key=lambda i: repr(prompts[i]))]
        rows = [_row(number, prompts[run[0]], [completions[i] for i in run]) for number, run in enumerate(runs)]
        trees: dict[int, Tree] = {}
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            for talk in (False, True):
                own = [row for row in part if isinstance(row["prompt"], list) == talk]
                for tokens in self._encoder(talk)(own, "ranked", TokenTally()) if own else ():
                    trees[int(tokens.row["id"])] = Tree(tokens.prompt, tokens.completions)
        order = sorted(trees)
        for number, values in zip(order, self.model.rewards([trees[n] for n in order]), strict=True):
            found[torch.tensor(runs[number])] = values
        return Rewards.of(found, self.names, found.isfinite())

    def _encoder(self, talk: bool) -> RowEncoder:
        tokenizer = self.model.policy.tokenizer
        return RowEncoder(tokenizer, ChatRenderer(tokenizer, None, None) if talk else None, self.max_length, None)


def _row(number: int, prompt: Prompt, completions: Sequence[str]) -> dict[str, Any]:
    if isinstance(prompt, str):
        return {"id": str(number), "prompt": prompt, "completions": list(completions), "scores": []}
    said = [[{"role": "assistant", "content": text}] for text in completions]
    return {"id": str(number), "prompt": list(prompt), "completions": said, "scores": []}


@plain(kind="reward", name="reward-model", summary="The reward of a trained reward model, by its folder.")
def reward_model(
    model: Annotated[
        str | None, Doc("folder or hub name of a reward model", "as `truing reward` writes them")
    ] = None,
    max_length: Annotated[int, Doc("tokens of prompt plus answer", "max_length >= 2")] = 2048,
) -> ModelScorer:
    """R(x, y).

    Raises:
        ObjectiveError: without a model.
        ModelError: if it is no reward model, or gives answers no reward of their own.
    """
    if model is None:
        raise ObjectiveError(
            "reward-model has no model", allowed="a folder, or a hub name", fix="e.g. model: runs/reward/model"
        )
    return ModelScorer(RewardModel.load(model), max_length)
