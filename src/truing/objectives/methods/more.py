"""MORE (2312.07401): one reward model of several sources of preferences, weighed by their gradients."""

from typing import Annotated, Literal

from pydantic import Field

from truing.objectives.algebra import Objective
from truing.objectives.algebra.sources import MinNormInAllWeights, MinNormSources
from truing.objectives.method import objective
from truing.objectives.methods.bradley_terry import bradley_terry
from truing.objectives.parameters import Centre
from truing.parameters import Doc
from truing.registry import Paper


@objective(
    name="more",
    slug="more-calibration",
    paper=Paper("On Diversified Preferences of Large Language Model Alignment", 2023, "2312.07401"),
    kind="reward model",
    summary="Bradley–Terry on several sources of preferences; each step weighs them so that all gain.",
    use_when="Preferences of several sources (helpful, harmless, summaries) are mixed in one reward model, and its "
    "confidence will be used.",
    avoid_when="There is one source, of which it makes Bradley–Terry at twice the forward passes; or sources should "
    "count by their sizes. With over: all a step costs twice as much, and memory holds a gradient for each source.",
)
def more(
    by: Annotated[
        Literal["source", "annotator", "context"],
        Doc("column of the data that names a pair's source", "source, annotator or context"),
    ] = "source",
    momentum: Annotated[
        float,
        Field(ge=0, lt=1),
        Doc("weight of the past in the weights of sources", "0 <= momentum < 1; near 1 they hardly move"),
    ] = 0.99,
    unit: Annotated[
        bool,
        Doc(
            "whether sources' gradients are divided by their length before they are weighed; else sources that are "
            "fitted already, whose gradients are short, take the weight",
            "true or false",
        ),
    ] = True,
    over: Annotated[
        Literal["head", "all"],
        Doc(
            "weights in which gradients are compared: those of the reward head, for a forward pass, or all that learn, "
            "for a backward pass of each source",
            "head or all",
        ),
    ] = "head",
    centre: Centre = 0.01,
) -> Objective:
    """Σ_s λ_s · mean over source s of −log σ(R(y_w) − R(y_l)), λ by the shortest combination of gradients.

    The authors' code averages gradients over steps; the paper's momentum on weights is what is done here. That no
    source's loss rises, to first order, holds for the weights in which gradients are compared.
    """
    plain = bradley_terry(centre=centre)
    kind = MinNormSources if over == "head" else MinNormInAllWeights
    term = kind(plain.terms, by, momentum, unit)
    return Objective("more", ((1.0, term),), plain.reward, plain.reward_scale)
