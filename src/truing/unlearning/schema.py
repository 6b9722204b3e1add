"""What the recipe of ``truing unlearn`` may say. Every field has one description; unknown keys are errors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from truing.recipe.schema import (
    AlarmSection,
    EvaluationSection,
    ModelSection,
    PartSection,
    ReferenceSection,
    SourceSection,
    TrainingSection,
)
from truing.recipe.section import Section, expanded


class BothSection(Section):
    chat_template: str | None = None
    """Name, file or text of a chat template, for tokenizers that have none."""
    system: str | None = None
    """System message put before every conversation that has none."""
    max_length: Annotated[int, Field(gt=1)] | None = 1024
    """Longest prompt plus completion, in tokens; the prompt is shortened from the left first."""
    max_prompt_length: Annotated[int, Field(gt=0)] | None = None
    """Longest prompt, in tokens."""
    eval_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of prompts that is held out; by default none, since all of it is to be forgotten."""


class MaskSection(Section):
    rule: str = "wagle"
    """wagle, gradient, magnitude, wanda, feed-forward, random or none."""
    keep: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Share of the weights that may change."""
    gamma: float | str = 1e-6
    """Curvature of the retain loss, for wagle: a number above 0, inf (no retain term) or gauss-newton."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of the random rule."""


class MeasureSection(Section):
    data: str
    """Folder that `truing unlearn data` wrote."""
    retrained: str | None = None
    """Model that was trained without what is to be forgotten; forget quality compares with it."""
    relearn: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of the forget set that is taught again, to see whether the rest comes back."""
    max_new_tokens: Annotated[int, Field(ge=0)] = 64
    """Longest generated answer; 0 leaves ROUGE out."""
    averaging: Literal["arithmetic", "geometric"] = "arithmetic"
    """Of wrong answers in the truth ratio."""


class UnlearnTraining(TrainingSection):
    epochs: Annotated[float, Field(gt=0)] = 5.0
    """Passes over the forget set."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-5
    """Peak learning rate; about 1e-5 for full fine-tuning of billions of parameters."""
    schedule: Literal["cosine", "linear", "constant"] = "linear"
    """Learning rate after the warm-up."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Decoupled weight decay."""
    global_batch: Annotated[int, Field(gt=0)] = 32
    """Records of the forget set in one optimiser step, over all processes."""


class UnlearnRecipe(Section):
    """A whole recipe of ``truing unlearn``."""

    model: ModelSection
    """The model that shall forget."""
    forget: SourceSection
    """What it shall forget: questions with their answers, or preferences whose rejected answers are meant."""
    retain: PartSection | None = None
    """What it shall keep."""
    method: Any
    """ga, graddiff, npo, simnpo, rmu, idk, dpo-refusal, or any objective as in a recipe of `truing align`."""
    retain_loss: Literal["nll", "kl", "none"] | None = None
    """What keeps the retain set; by default nll, or none where the method does so itself or there is no retain set."""
    retain_weight: Annotated[float, Field(gt=0)] | None = None
    """Coefficient of that loss; 1 by default."""
    mask: MaskSection | str | None = None
    """Which weights may change: a rule, or a file that `truing unlearn mask` wrote."""
    measure: MeasureSection | None = None
    """What is measured afterwards."""
    data: BothSection = BothSection()
    """How both sets are read."""
    training: UnlearnTraining = UnlearnTraining()
    """How it learns to forget."""
    reference: ReferenceSection = ReferenceSection()
    """What it is compared with."""
    evaluation: EvaluationSection = EvaluationSection()
    """How held-out records are measured, where there are any."""
    alarms: AlarmSection = AlarmSection()
    """What is watched during training."""
    output: str
    """Folder for everything that the run writes."""

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """A text stands for the mapping with that name or path."""
        return expanded(value, model="name", forget="path", retain="path", measure="data")
