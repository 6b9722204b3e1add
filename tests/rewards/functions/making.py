"""Rewards by name, as recipes make them."""

from typing import Any

from truing.recipe.online import RewardsSection
from truing.rewards.build import build
from truing.rewards.pipeline import Pipeline


def made(name: str, **settings: Any) -> Pipeline:
    """A pipeline of one reward."""
    return build(RewardsSection.model_validate({"rewards": [{"name": name, **settings}]}))


def scores(name: str, completions: list[str], columns: dict[str, list[Any]] | None = None, **settings: Any):
    """What it says of answers to one prompt."""
    return made(name, **settings).judge(["p"] * len(completions), completions, columns=columns).reward.tolist()
