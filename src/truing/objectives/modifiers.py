"""Modifiers: registered functions from an objective and hyper-parameters to a changed objective.

A recipe lists them under ``modify``; Python calls them, ``ld(dpo(), alpha=0.5)``. A combination without
effect is refused, never ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from truing.errors import ObjectiveError
from truing.objectives.algebra import (
    DensityRatio,
    LengthMargin,
    Objective,
    OnPolicyWeight,
    RecordMargin,
    SharedPrefix,
)
from truing.objectives.methods.f_dpo import order
from truing.objectives.methods.lcpo import PAPER as LCPO
from truing.objectives.parameters import FlipRate, Momentum, Order, Reliability, Smoothing, TailWeight, TokenPrice
from truing.parameters import POSITIVE, Doc, Parameter, bound_values, checked, parameters_of
from truing.registry import Paper, Registry


@dataclass(frozen=True)
class Modifier:
    """A registered change of an objective; calling it with an objective applies it."""

    name: str
    paper: Paper
    summary: str
    apply: Callable[..., Objective]
    parameters: tuple[Parameter, ...]
    aliases: tuple[str, ...] = ()
    kind: str = "modifier"

    def __call__(self, objective: Objective, *args: Any, **kwargs: Any) -> Objective:
        return self.configure(objective, bound_values(f"modifier {self.name!r}", self.parameters, args, kwargs))

    def configure(self, objective: Objective, values: Mapping[str, Any], where: str | None = None) -> Objective:
        """Apply it with hyper-parameters from a mapping.

        Args:
            objective: what is changed; it stays as it is itself.
            values: hyper-parameters by name; what is left out keeps its default.
            where: key path in a recipe, for error messages.

        Raises:
            ObjectiveError: on an unknown name, a value out of bounds, or an objective that it does not fit.
        """
        return self.apply(objective, **checked(f"modifier {self.name!r}", self.parameters, values, where))


MODIFIERS: Registry[Modifier] = Registry("modifier", ObjectiveError)


def modifier(
    *, name: str, paper: Paper, summary: str, aliases: tuple[str, ...] = ()
) -> Callable[[Callable[..., Objective]], Modifier]:
    """Register a function from an objective and hyper-parameters to an objective.

    Args:
        name: what recipes call it.
        paper: where it was published.
        summary: one sentence on what it changes.
        aliases: other names that are understood.
    """

    def register(apply: Callable[..., Objective]) -> Modifier:
        found = Modifier(name, paper, summary, apply, parameters_of(apply, skip=1), aliases)
        object.__setattr__(found, "__doc__", apply.__doc__)
        return MODIFIERS.add(found)

    return register


@modifier(
    name="ld",
    paper=Paper("Length Desensitization in Direct Preference Optimization", 2024, "2409.06411"),
    summary="Tokens beyond the shorter answer's length count alpha, so that length is not learned.",
    aliases=("length-desensitised",),
)
def ld(objective: Objective, alpha: TailWeight = 0.5) -> Objective:
    """Score the first min(|y_w|, |y_l|) tokens fully and the rest with weight alpha."""
    return objective.with_token_weights(SharedPrefix(alpha))


@modifier(
    name="length",
    paper=Paper("Disentangling Length from Quality in Direct Preference Optimization", 2024, "2403.19159"),
    summary="Charges alpha per token of extra length, so that length is not mistaken for quality.",
    aliases=("length-regularised",),
)
def length(objective: Objective, alpha: TokenPrice = 0.01) -> Objective:
    """Add alpha (|y_w| − |y_l|), in units of reward, inside the link."""
    return objective.with_margin(LengthMargin(-alpha / objective.reward_scale))


@modifier(
    name="wpo",
    paper=Paper("WPO: Enhancing RLHF with Weighted Preference Optimization", 2024, "2406.11827"),
    summary="Weights a pair by how likely the current policy is to write both answers itself.",
)
def wpo(objective: Objective) -> Objective:
    """Multiply the loss of a pair by min(1, w(y_w)·w(y_l))."""
    return objective.weighted(OnPolicyWeight())


@modifier(
    name="divergence",
    paper=Paper(
        "Beyond Reverse KL: Generalizing Direct Preference Optimization with Diverse Divergence Constraints",
        2023,
        "2309.16240",
    ),
    summary="Exchanges the reverse KL behind the log-ratio for another f-divergence.",
    aliases=("f-divergence",),
)
def divergence(
    objective: Objective,
    name: Annotated[
        Literal["forward-kl", "jensen-shannon", "alpha"],
        Doc("the divergence", "forward-kl, jensen-shannon or alpha; reverse-kl is what objectives have anyway"),
    ] = "jensen-shannon",
    alpha: Order = None,
) -> Objective:
    """Replace the log-ratio r by f'(e^r)."""
    return objective.with_divergence(name, order(name, alpha))


@modifier(
    name="match-prompts",
    paper=Paper("Binary Classifier Optimization for Large Language Model Alignment", 2024, "2404.04656"),
    summary="Weights disliked answers so that their prompts are distributed as those of the liked ones.",
    aliases=("udm",),
)
def match_prompts(
    objective: Objective,
    low: Annotated[
        float,
        Field(gt=0, le=1, allow_inf_nan=False),
        Doc("smallest weight", "0 < low <= 1; above 1 every disliked answer would count more than a liked one"),
    ] = 0.5,
    high: Annotated[
        float,
        Field(ge=1, allow_inf_nan=False),
        Doc("largest weight", "high >= 1; below 1 every disliked answer would count less than a liked one"),
    ] = 10.0,
) -> Objective:
    """Multiply the loss of a disliked answer by p(x|liked)/p(x|disliked), kept within the bounds."""
    if low == high:
        raise ObjectiveError(
            f"low = high = {low:g}: every disliked answer would weigh the same, whatever its prompt",
            allowed="low < high",
        )
    return objective.matched(DensityRatio(low, high))


@modifier(
    name="robust",
    paper=Paper("Provably Robust DPO: Aligning Language Models with Noisy Feedback", 2024, "2403.00409"),
    summary="Removes the bias that labels flipped at a known rate bring in.",
)
def robust(objective: Objective, flip_rate: FlipRate = 0.1) -> Objective:
    """[(1 − eps) l(pair) − eps l(exchanged pair)] / (1 − 2 eps)."""
    return objective.robust(flip_rate)


@modifier(
    name="smooth",
    paper=Paper("Provably Robust DPO: Aligning Language Models with Noisy Feedback", 2024, "2403.00409"),
    summary="Smooths labels, so that the margin has a finite target.",
    aliases=("label-smoothing",),
)
def smooth(objective: Objective, eps: Smoothing = 0.1) -> Objective:
    """(1 − eps) l(pair) + eps l(exchanged pair)."""
    return objective.smoothed(eps)


@modifier(
    name="margin",
    paper=Paper("Direct Preference Optimization with an Offset", 2024, "2402.10571"),
    summary="Demands of each pair the margin that its record states.",
    aliases=("offset",),
)
def margin(
    objective: Objective,
    scale: Annotated[
        float,
        POSITIVE,
        Doc(
            "reward per unit of the margin column",
            "scale > 0; at 0 nothing changes, below 0 clear pairs would count as close ones",
        ),
    ] = 1.0,
) -> Objective:
    """Subtract scale · margin, in units of reward, from the gap."""
    return objective.with_margin(RecordMargin(scale / objective.reward_scale))


@modifier(
    name="lcpo",
    paper=LCPO,
    summary="Weighs each label by the reliability of its annotator, which is estimated in training.",
    aliases=("re-po",),
)
def lcpo(objective: Objective, start: Reliability = 0.9, momentum: Momentum = 0.9) -> Objective:
    """−log(η e^(−l(pair)) + (1 − η) e^(−l(exchanged pair)))."""
    return objective.with_latent_order(start, momentum)
