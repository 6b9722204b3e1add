"""What arena.yaml may say. Every field has one description; unknown keys are errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from truing.recipe.section import Section

Seed = Annotated[int, Field(ge=0, lt=2**31)]


class ObjectiveEntry(Section):
    objective: Any
    """What a recipe takes under `objective`: a name, a mapping, or a list that is a weighted sum."""
    label: str | None = None
    """Name in tables; made from the objective by default."""
    training: dict[str, Any] = Field(default_factory=dict)
    """Keys of the base's training that differ for this objective, e.g. its own learning rate."""
    reference: dict[str, Any] = Field(default_factory=dict)
    """Keys of the base's reference that differ for this objective."""
    alarms: dict[str, Any] = Field(default_factory=dict)
    """Keys of the base's alarms that differ for this objective."""
    self_samples: dict[str, Any] = Field(default_factory=dict)
    """Keys of data.self_samples, for an objective that learns from the policy's own answers."""
    tracks: Annotated[list[str], Field(min_length=1)] | None = None
    """Labels of the tracks that it takes part in; all by default."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """An objective by itself stands for the mapping {objective: ...}."""
        return value if isinstance(value, Mapping) and "objective" in value else {"objective": value}


class GridSection(Section):
    seeds: list[Seed] = Field(default_factory=lambda: [0], min_length=1)
    """Seeds of training (order of the data, initialisation of adapters). Prompts and sampling stay the same."""
    beta: Annotated[list[float], Field(min_length=1)] | None = None
    """Values of beta for every objective that has one; the others run once."""
    settings: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)
    """Other keys of the recipe and their values, e.g. {training.learning_rate: [1e-5, 1e-4]}."""


class TrackSection(Section):
    label: str
    """Name in tables, e.g. flips-20."""
    perturb: list[Any] = Field(default_factory=list)
    """What is done to the training records, as data.perturb in a recipe; nothing for the clean track."""
    objectives: list[str] | None = None
    """Labels of the objectives that take part; all by default."""


class ArenaRecipe(Section):
    """A whole arena."""

    base: dict[str, Any]
    """A recipe without objective and output: model, data, training, evaluation and so on, the same for all."""
    objectives: Annotated[list[ObjectiveEntry], Field(min_length=1)]
    """What is compared."""
    grid: GridSection = GridSection()
    """Every objective runs with every seed and setting."""
    tracks: list[TrackSection] = Field(default_factory=lambda: [TrackSection(label="clean")], min_length=1)
    """Versions of the training data; one ranking each."""
    keep_models: bool = True
    """Whether trained models stay on disk."""
    output: str
    """Folder for everything that the arena writes."""
