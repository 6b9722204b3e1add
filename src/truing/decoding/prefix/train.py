"""Learn a prefix scorer: draw answers of the model itself, let rewards judge them, solve for values of beginnings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from truing.decoding.answers import Cost
from truing.decoding.foresight import Most
from truing.decoding.prefix.fit import OBJECTIVES, Sums, explained
from truing.decoding.prefix.recipe import PrefixRecipe
from truing.decoding.prefix.scorer import PrefixScorer, fingerprint
from truing.decoding.prefix.walk import Walk, check_sampling, walk
from truing.decoding.run import Foreseen, Report, Setup, prompts_of, setup_of
from truing.errors import DataError, RecipeError
from truing.policies.generation import Sampling
from truing.prompting.transform import Shown

_THIRDS = ("first third", "second third", "last third")


@dataclass(frozen=True)
class Learned:
    """A scorer, and how well it does on prompts that it did not see.

    Attributes:
        scorer: also in the folder of the recipe.
        explained: share of the variance of rewards that values explain, for beginnings in each third of answers, and
            for whole answers (``end``).
        prompts: learned from.
        held_out: prompts that it was measured on.
        prefixes: beginnings that were learned from.
        cost: of drawing and judging.
    """

    scorer: PrefixScorer
    explained: dict[str, float]
    prompts: int
    held_out: int
    prefixes: int
    cost: Cost


def learn(recipe: PrefixRecipe, *, progress: Report | None = None) -> Learned:
    """Learn a prefix scorer, and write it.

    Args:
        recipe: what to do.
        progress: told of (prompts done, prompts in all).

    Raises:
        TruingError: on anything in the recipe or the data that cannot be.
    """
    setup, asked = _given(recipe)
    cut = len(asked) - _held_out(recipe, asked)
    objective = OBJECTIVES[recipe.objective]
    sums: Sums | None = None
    held: list[Walk] = []
    prefixes, cost = 0, Cost()
    for first in range(0, len(asked), recipe.together):
        for part, learns in _sides(asked, first, recipe.together, cut):
            task = setup.task(part, first=first)
            before = setup.engine.work.model_tokens
            with setup.engine.policy.evaluating():
                found = walk(task, recipe.answers, recipe.branches)
            spent = task.cost()
            cost = cost + Cost(spent.model_tokens - before, spent.answer_tokens, spent.reward_calls)
            if learns:
                sums = objective(found) if sums is None else sums + objective(found)
                prefixes += len(found.rewards)
            else:
                held.append(found)
        if progress:
            progress(min(first + recipe.together, len(asked)), len(asked))
    assert sums is not None
    weights = sums.solved(recipe.ridge)
    shares = _measured(held, weights)
    about = {
        "objective": recipe.objective,
        "rewards": [] if setup.pipeline is None else list(setup.pipeline.names),
        "prompts": cut,
        "answers": recipe.answers,
        "explained": shares,
    }
    scorer = PrefixScorer(weights, fingerprint(setup.engine), about)
    scorer.save(Path(recipe.output))
    return Learned(scorer, shares, cut, len(asked) - cut, prefixes, cost)


def foreseen(recipe: PrefixRecipe) -> Foreseen:
    """What learning would take; refuses what :func:`learn` would refuse, and draws nothing.

    Raises:
        TruingError: as :func:`learn`.
    """
    setup, asked = _given(recipe)
    found = setup.foreseen(asked)
    tried = Most(tokens=recipe.branches * recipe.answers * recipe.sampling.max_new_tokens * len(asked))
    most = None if found.most is None else found.most + tried
    return Foreseen(found.prompts, found.tokens, found.longest, most, found.changed)


def _given(recipe: PrefixRecipe) -> tuple[Setup, list[Shown]]:
    if recipe.objective != "q" and recipe.branches:
        raise RecipeError(
            "branches have no effect on fudge, which looks at no next tokens",
            where="branches",
            fix="remove branches, or use objective: q",
        )
    drawing = recipe.drawing()
    check_sampling(Sampling(**recipe.sampling.model_dump()))
    setup = setup_of(drawing)
    asked = prompts_of(drawing)
    if len(asked) < 2:
        raise DataError(
            "a scorer needs prompts to learn from and prompts to be measured on",
            where="prompts",
            allowed="2 or more",
        )
    return setup, asked


def _held_out(recipe: PrefixRecipe, asked: Sequence[Shown]) -> int:
    return min(len(asked) - 1, max(1, round(recipe.held_out * len(asked))))


def _sides(asked: Sequence[Shown], first: int, together: int, cut: int) -> list[tuple[Sequence[Shown], bool]]:
    """Prompts that are answered together, those to learn from apart from those that are held out."""
    last = first + together
    sides = [(asked[first : min(last, cut)], True), (asked[max(first, cut) : last], False)]
    return [(part, learns) for part, learns in sides if part]


def _measured(held: Sequence[Walk], weights: torch.Tensor) -> dict[str, float]:
    if not held:
        return {}
    whole = Walk(*(torch.cat(values) for values in zip(*(vars(one).values() for one in held), strict=True)))
    lengths = whole.place[whole.last]
    share = whole.place / lengths.repeat_interleave(lengths.long())
    found: dict[str, Any] = {
        name: explained(whole.of((share > third / 3) & (share <= (third + 1) / 3)), weights)
        for third, name in enumerate(_THIRDS)
    }
    return {**found, "end": explained(whole.of(whole.last), weights)}
