"""Answers to a prompt against each other: a judge of pairs as a reward, for objectives of games."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ObjectiveError
from truing.parameters import Doc
from truing.rewards.algebra import AnswerScorer, Differences, PairScorer, Prompt, Rewards, prompt_key, skew
from truing.rewards.judges.local import LocalJudge, load_policy
from truing.rewards.judges.pairs import Tables
from truing.rewards.models.model import RewardModel
from truing.rewards.models.texts import placed_trees
from truing.rewards.plain import plain
from truing.rewards.scorers import load_scorer


@dataclass(frozen=True)
class ModelTables:
    """A reward model as a pair scorer: embeddings of a skew-symmetric model, or differences of rewards; log-odds.

    Args:
        model: gives every answer its numbers.
        max_length: tokens of prompt plus answer.
    """

    model: RewardModel
    max_length: int

    def __call__(self, prompt: Prompt, completions: Sequence[str]) -> Float[Tensor, "m m"]:
        """See :class:`~truing.rewards.algebra.PairScorer`; ``nan`` where an answer is empty."""
        count = len(completions)
        table = torch.full((count, count), torch.nan, dtype=torch.float64)
        placed = placed_trees(self.model.policy.tokenizer, self.max_length, [prompt] * count, completions)
        if placed:
            (own,) = placed
            (values,) = self.model.values([own.tree])
            place = torch.tensor(own.places)
            table[place[:, None], place] = self.model.form.table(values.double()).cpu()
        return table


@dataclass(frozen=True)
class AgainstGroup:
    """Each answer's mean score against the answers to the same prompt that are judged with it.

    What an answer gets depends on the others, on purpose: they are draws from the policy, and so the mean is the score
    against the policy. The whole table goes along as :attr:`Rewards.versus`.

    Args:
        pairs: compares answers.
        give: ``"score"``: mean log-odds over all, itself included, at 0, so that a group's scores add up to 0;
            ``"win-rate"``: mean probability of a win over the others.
    """

    pairs: PairScorer
    give: Literal["score", "win-rate"]
    names: tuple[str, ...] = ("against-group",)

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        groups: dict[str, list[int]] = {}
        for row, prompt in enumerate(prompts):
            groups.setdefault(prompt_key(prompt), []).append(row)
        width = max(map(len, groups.values()), default=0)
        values = torch.full((len(completions),), torch.nan, dtype=torch.float64)
        versus = torch.full((len(completions), width), torch.nan, dtype=torch.float64)
        for rows in groups.values():
            table = self.pairs(prompts[rows[0]], [completions[row] for row in rows]).double().cpu()
            skew(table.nan_to_num())
            versus[rows, : len(rows)] = table
            values[rows] = self._means(table)
        return Rewards(values[:, None], self.names, values.isfinite()[:, None], versus)

    def _means(self, table: Tensor) -> Tensor:
        """``nan`` for answers that were compared with nobody."""
        alone = torch.eye(len(table), dtype=torch.bool)
        known = ~table.isnan() & ~alone
        met = known.sum(1)
        if self.give == "score":
            # An answer met itself as well, with 0.
            mean = table.masked_fill(~known, 0.0).sum(1) / (met + 1)
        else:
            mean = torch.sigmoid(table).masked_fill(~known, 0.0).sum(1) / met.clamp(min=1)
        return mean.masked_fill(met == 0, torch.nan)


@plain(
    kind="reward",
    name="against-group",
    summary="How an answer does against the others that were drawn for its prompt, by a model or judge that compares.",
)
def against_group(
    model: Annotated[
        str | None,
        Doc("folder or hub name of a reward model, e.g. one trained with gpm", "one of model, scorer, judge"),
    ] = None,
    scorer: Annotated[
        str | None, Doc("scorer of the package, whose scores are subtracted: sentiment or harmlessness")
    ] = None,
    judge: Annotated[
        str | None, Doc("folder or hub name of a language model that is asked which answer is better")
    ] = None,
    give: Annotated[
        Literal["score", "win-rate"], Doc("mean log-odds, or mean probability of a win", "score or win-rate")
    ] = "score",
    max_length: Annotated[int, Doc("tokens of prompt plus answer, for model", "max_length >= 2")] = 2048,
) -> AgainstGroup:
    """mean_j s(y, y_j), or mean_j σ(s(y, y_j)).

    Raises:
        ObjectiveError: if not one of model, scorer and judge is named.
        ModelError: if it cannot be loaded.
    """
    named = [name for name, value in (("model", model), ("scorer", scorer), ("judge", judge)) if value is not None]
    if len(named) != 1:
        raise ObjectiveError(
            f"against-group has {' and '.join(named) or 'nothing'} to compare answers with",
            allowed="one of model, scorer and judge",
            fix="e.g. model: runs/gpm/model",
        )
    pairs: PairScorer
    if model is not None:
        pairs = ModelTables(RewardModel.load(model), max_length)
    elif judge is not None:
        pairs = Tables(LocalJudge(load_policy(judge)))
    else:
        assert scorer is not None
        pairs = Differences(AnswerScorer(load_scorer(scorer)))
    return AgainstGroup(pairs, give)
