"""What a recipe may say of answers that the model draws in training, and of their rewards."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from truing.recipe.section import Section


class RewardsSection(Section):
    rewards: Annotated[list[Any], Field(min_length=1)]
    """What judges answers: names, or mappings {name: NAME, as: OBJECTIVE, ...}; `truing methods reward` lists them."""
    transform: list[Any] = Field(default=[])
    """What is done to the scores, in order: names, or mappings {name: NAME, on: [OBJECTIVES], ...}."""
    combine: Any = None
    """What makes one reward of several: a name, or a mapping {name: NAME, ...}."""
    weights: Any = None
    """What each objective counts: a mapping {name: constant, weights: {...}}, or another weighter."""
    missing: Literal["mask", "present"] = "mask"
    """Answers that lack an objective: mask gives them no reward, present combines what is known."""

    @field_validator("rewards", "transform", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        """``rewards: NAME`` stands for the list with that name."""
        return [value] if isinstance(value, str | dict) else value


class OpponentsSection(Section):
    history: list[Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(default=[1.0])
    """Weights of the policy as it was at the start of this round, of the round before, and so on."""
    start: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Weight of the policy as training began."""
    models: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(default={})
    """Weights of other models, by folder or hub name; they must have the policy's tokenizer."""
    every: Annotated[int, Field(gt=0)] | None = None
    """Optimiser steps in a round; by default those of a rollout."""


class SamplerSection(Section):
    name: Literal["vllm"]
    """A server of vLLM that answers with the trained adapter; it must see the run's folder at the same path."""
    url: Annotated[str, Field(min_length=1)]
    """Endpoint up to and without /completions, e.g. http://localhost:8000/v1; no key in it."""
    key_from: str | None = None
    """Environment variable that holds the server's key; the key itself has no place in a recipe."""
    concurrency: Annotated[int, Field(gt=0, le=1024)] = 64
    """Prompts that are answered at a time."""
    attempts: Annotated[int, Field(gt=0, le=100)] = 6
    """How often a request is made before the run stops."""
    timeout: Annotated[float, Field(gt=0)] = 600.0
    """Seconds for one attempt."""
    first_wait: Annotated[float, Field(ge=0)] = 1.0
    """Seconds before the second attempt; doubled up to a minute."""


class OnlineSection(RewardsSection):
    answers: Annotated[int, Field(gt=0)] = 4
    """Answers drawn for each prompt."""
    max_new_tokens: Annotated[int, Field(gt=0)] = 64
    """Length of an answer."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """Sampling temperature; 1 draws from the model as it is."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Smallest probability mass that is drawn from."""
    steps_per_rollout: Annotated[int, Field(gt=0)] = 1
    """Optimiser steps that are made with the same answers."""
    batch: Annotated[int, Field(gt=0)] = 64
    """Answers that are drawn in one pass."""
    unfinished: float | None = None
    """Reward of answers that did not end within max_new_tokens; by default what the rewards say of them."""
    redraw: Annotated[int, Field(ge=0)] = 0
    """Times that prompts whose answers are all worth the same are replaced by others (dynamic sampling of DAPO)."""
    reference_answers: Annotated[int, Field(gt=1)] = 32
    """Answers of the starting model to each prompt, for transforms that compare with them."""
    condition: Literal["direction", "complaint"] | None = None
    """What the model is told in front of each prompt: the direction in which `dpa-direction` weighs its rewards; or,
    while it draws and not while it learns, the logged answer that a user complained about, and the complaint."""
    opponents: OpponentsSection | None = None
    """Population that mnpo, inpo and gpo are trained against; by default the policy that drew the answers."""
    sampler: SamplerSection | None = None
    """What draws the answers; by default the trained model itself, in the same process."""
    ahead: Annotated[int, Field(ge=0, le=1)] = 0
    """1 draws the next answers while a step is made, with a sampler that is not the trained model itself."""
