"""What a recipe of decoding may say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from truing.errors import RecipeError
from truing.recipe.load import from_file, from_mapping
from truing.recipe.online import RewardsSection
from truing.recipe.schema import ModelSection
from truing.recipe.section import Section, expanded


class PromptsSection(Section):
    path: str
    """File, folder, glob or hub data set with prompts; answers that it has are not looked at, but by rewards."""
    column: str | None = None
    """Column that holds the prompt, where no layout is to be detected."""
    limit: Annotated[int, Field(gt=0)] | None = None
    """Read only so many rows."""


class DecodeSamplingSection(Section):
    max_new_tokens: Annotated[int, Field(gt=0)] = 128
    """Longest answer, tokens."""
    temperature: Annotated[float, Field(ge=0)] = 1.0
    """1 draws from the model as it is; 0 takes the likeliest token."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Smallest probability mass that is drawn from."""
    top_k: Annotated[int, Field(ge=0)] = 0
    """So many of the likeliest tokens are drawn from; 0 is all."""
    seed: int = 0
    """Of all that is drawn."""
    batch: Annotated[int, Field(gt=0)] = 64
    """Answers that are held in one pass of the model, with continuations and tokens that are tried."""


class CodesSection(Section):
    path: str
    """Folder of a run of `truing align` whose objective is meet, or its codes.safetensors."""
    level: Literal["good", "bad"] = "good"
    """Which code stands in front of every prompt; bad is a control."""

    @property
    def file(self) -> Path:
        """The file itself."""
        from truing.policies.control_codes import FILE

        path = Path(self.path)
        return path / FILE if path.is_dir() else path


class AskedRecipe(RewardsSection):
    """What all recipes have that draw answers and let rewards judge them."""

    model: ModelSection
    """The model that answers."""
    prompts: PromptsSection | None = None
    """What is to be answered."""
    prompt: str | None = None
    """A single prompt in place of a file."""
    rewards: Annotated[list[Any], Field(default_factory=list)]
    """What judges answers: names, or mappings {name: NAME, ...}; `truing methods reward` lists them."""
    prompting: Annotated[list[Any], Field(default_factory=list)]
    """Changes of prompts, in turn: names, or mappings; rewards see the prompt as it was."""
    codes: CodesSection | None = None
    """Control codes of a model that was trained with meet; they stand in front of every prompt."""
    sampling: DecodeSamplingSection = DecodeSamplingSection()
    """How answers are drawn."""
    together: Annotated[int, Field(gt=0)] = 8
    """Prompts that are answered together."""

    @model_validator(mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        return expanded(value, model="name", prompts="path", codes="path")

    @field_validator("prompting", mode="before")
    @classmethod
    def _one_change(cls, value: Any) -> Any:
        return [value] if isinstance(value, str | dict) else value


class DecodeRecipe(AskedRecipe):
    decode: Any = "best-of-n"
    """How: a name, or a mapping {name: NAME, ...}; `truing methods decoding` lists them."""
    trace: bool = False
    """Keep what happened step by step."""
    output: str | None = None
    """JSONL file for the answers, one line a prompt."""

    @model_validator(mode="before")
    @classmethod
    def _best_of_n(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("decode"), dict):
            value = {**value, "decode": {"name": "best-of-n", **value["decode"]}}
        return value


def load_decode_recipe(path: str | Path | None, overrides: Iterable[str] = ()) -> DecodeRecipe:
    """Read and check a recipe of decoding.

    Args:
        path: the YAML file; ``None`` where overrides say everything.
        overrides: ``key=value`` texts.

    Raises:
        RecipeError: on anything that is wrong; the message names file, line and key.
    """
    return from_file(path, overrides, DecodeRecipe)


def parse_decode_recipe(value: Mapping[str, Any]) -> DecodeRecipe:
    """Check a recipe that is given as a mapping.

    Raises:
        RecipeError: on anything that is wrong.
    """
    return from_mapping(value, (), DecodeRecipe)


def asked_once(recipe: AskedRecipe) -> None:
    """Refuse a recipe without prompts, or with two sources of them.

    Raises:
        RecipeError: see above.
    """
    if (recipe.prompts is None) == (recipe.prompt is None):
        raise RecipeError(
            "there is nothing to answer"
            if recipe.prompt is None
            else "prompts and prompt say what is to be answered",
            where="prompts",
            allowed="one of prompts and prompt",
            fix="e.g. prompts: data/questions.jsonl, or prompt='How do magnets work?'",
        )
