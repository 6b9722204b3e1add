"""The mean score of an answer over several critiques that a model writes of it (MM-RLHF, 2502.10391, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Protocol

import torch
from pydantic import Field

from truing.errors import ObjectiveError
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper
from truing.rewards.algebra import Prompt, Rewards, Scorer
from truing.rewards.method import reward
from truing.rewards.models.critiques import CritiqueModel, Drawing, critique_model
from truing.rewards.models.scorer import ModelScorer


class Critical(Protocol):
    """Something that writes critiques of answers, and scores what it has read of both."""

    def at(self, turn: int) -> Scorer:
        """Scores after a critique of each answer; after another one at another turn, where it draws them."""
        ...


@dataclass(frozen=True)
class CriticalModel:
    """A trained model.

    Args:
        model: writes and scores.
        max_length: tokens of prompt, answer and critique.
    """

    model: CritiqueModel
    max_length: int

    def at(self, turn: int) -> Scorer:
        """Scores after critiques that are drawn with the turn's seed."""
        drawing = replace(self.model.drawing, seed=self.model.drawing.seed + turn)
        return ModelScorer(replace(self.model, drawing=drawing), self.max_length)


@dataclass(frozen=True)
class CritiqueScorer:
    """The mean score of an answer over several critiques of it.

    Args:
        model: writes and scores.
        samples: critiques of each answer.
    """

    model: Critical
    samples: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        return self.model.at(0).names

    def each(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[Rewards]:
        """Scores after each critique by itself."""
        return [self.model.at(turn)(prompts, completions) for turn in range(self.samples)]

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        """Mean scores; one critique without a score leaves the mean unknown."""
        parts = self.each(prompts, completions)
        known = torch.stack([part.valid for part in parts]).all(0)
        return replace(parts[0], values=torch.stack([part.values for part in parts]).mean(0), valid=known)


@reward(
    name="critique-reward",
    slug="mm-rlhf-critique-rm",
    paper=Paper("MM-RLHF: The Next Step Forward in Multimodal LLM Alignment", 2025, "2502.10391"),
    summary="A model writes a critique of the answer, reads it, and gives the score: the mean over several critiques.",
    formula="R(x, y) = mean_i R(x, y, c_i), c_i from p(c | x, y)",
    legend=(
        "c_i: critiques that the model draws with its output head",
        "R(x, y, c): its reward head, at the end of prompt, answer and critique",
    ),
    use_when="A model was trained with critique-and-score, and one critique of an answer says too little: the mean "
    "over several is steadier. For one critique, the likeliest, reward-model gives the same.",
    avoid_when="Rewards must be cheap, or the model writes wrong critiques: a score that trusts them is worse than one "
    "without. Evaluate with the model's own critiques, not with those of people.",
    requires=("a reward model that was trained with critique-and-score",),
    cost="one critique of each answer, times samples, and one pass over each",
    aliases=("mm-rlhf-critique-rm",),
)
def critique_reward(
    model: Annotated[
        str | None, Doc("folder of a reward model that writes critiques", "trained with critique-and-score")
    ] = None,
    samples: Annotated[int, Field(ge=1, le=64), Doc("critiques of each answer", "1 <= samples <= 64")] = 1,
    temperature: Annotated[float, NON_NEGATIVE, Doc("of critiques", "temperature >= 0; 0 is greedy")] = 0.0,
    max_length: Annotated[
        int, Field(ge=2), Doc("tokens of prompt, answer and critique", "max_length >= 2")
    ] = 2048,
    max_new_tokens: Annotated[
        int | None,
        Field(ge=1),
        Doc(
            "longest critique, tokens",
            "max_new_tokens >= 1; as long as the longest in training where it is left out",
        ),
    ] = None,
    seed: Annotated[int, Field(ge=0), Doc("of the critiques that are drawn", "seed >= 0")] = 0,
) -> CritiqueScorer:
    """The mean over critiques of what the model says of prompt, answer and critique.

    In Python, ``model`` may be anything :class:`Critical`.

    Raises:
        ObjectiveError: without a model, or if several equal critiques would be written.
        ModelError: if it cannot be loaded, or writes no critiques.
    """
    if not model:
        raise ObjectiveError(
            "critique-reward has no model",
            allowed="the `model` folder of a run of `truing reward` with the objective critique-and-score",
        )
    if samples > 1 and temperature == 0 and isinstance(model, str):
        raise ObjectiveError(
            f"{samples} critiques at temperature 0 are all the same",
            allowed="samples: 1, or a temperature above 0",
        )
    drawing = Drawing(temperature, max_new_tokens, seed)
    return CritiqueScorer(_loaded(model, drawing, max_length), samples)


def _loaded(model: Any, drawing: Drawing, max_length: int) -> Critical:
    if not isinstance(model, str):
        own: Critical = model
        return own
    return CriticalModel(critique_model(model, drawing), max_length)
