"""What a recipe of a prefix scorer may say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from truing.decoding.prefix.fit import ObjectiveName
from truing.decoding.recipe import AskedRecipe, DecodeRecipe
from truing.recipe.load import from_file, from_mapping


class PrefixRecipe(AskedRecipe):
    answers: Annotated[int, Field(gt=0, le=10_000)] = 8
    """Answers drawn to each prompt."""
    objective: ObjectiveName = "fudge"
    """What a beginning is to say: fudge, the reward of its own answer; q, what is expected one token later. With q a
    beginning can know no more than the state at an answer's end tells of its reward."""
    branches: Annotated[int, Field(ge=0, le=1000)] = 0
    """Of q: likeliest next tokens that the expectation is over; 0 takes the token that was drawn."""
    ridge: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-3
    """How much values are shrunk, as a share of the mean square of the states."""
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the prompts that the scorer is measured on."""
    output: str
    """Folder for the scorer."""

    def drawing(self) -> DecodeRecipe:
        """The recipe by which its answers are drawn and judged."""
        own = set(PrefixRecipe.model_fields) - set(AskedRecipe.model_fields)
        return DecodeRecipe(**self.model_dump(exclude=own), decode={"name": "best-of-n", "n": self.answers})


def load_prefix_recipe(path: str | Path | None, overrides: Iterable[str] = ()) -> PrefixRecipe:
    """Read and check a recipe of a prefix scorer.

    Args:
        path: the YAML file; ``None`` where overrides say everything.
        overrides: ``key=value`` texts.

    Raises:
        RecipeError: on anything that is wrong; the message names file, line and key.
    """
    return from_file(path, overrides, PrefixRecipe)


def parse_prefix_recipe(value: Mapping[str, Any]) -> PrefixRecipe:
    """Check a recipe that is given as a mapping.

    Raises:
        RecipeError: on anything that is wrong.
    """
    return from_mapping(value, (), PrefixRecipe)
