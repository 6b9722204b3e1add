"""RMU (2403.03218, section 4): states on what is to be forgotten go astray, those on what is to be kept stay.

At one layer, L = mean_t ‖h_t − c·u‖² on the answers to forget + alpha · mean_t ‖h_t − h_ref,t‖² on those to keep, with
u a random direction of length 1 that is drawn once. As in the paper's text the norm is a sum over components; its code
takes their mean, which differs by a factor of the whole loss. The states are those that predict the tokens of an
answer; the paper takes every token of a document. Layers count from 1, where the code's layer_id counts from 0.
"""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Objective, sum_logp
from truing.objectives.algebra.distributional import TokenMean
from truing.objectives.algebra.scores import UNWANTED, WITH_LIKED
from truing.objectives.method import objective
from truing.objectives.methods.unlearning import RETAIN
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="rmu",
    slug="npo",
    paper=Paper("The WMDP Benchmark: Measuring and Reducing Malicious Use With Unlearning", 2024, "2403.03218"),
    summary="Pushes one layer's states on what is to be forgotten in a random direction, and holds the others.",
    use_when="A field of knowledge is to become unusable, wherever it is asked for; there is retain data near to it.",
    avoid_when="The answers themselves must become improbable, or the model must say that it does not know.",
    kind="unlearning",
)
def rmu(
    layer: Annotated[
        int,
        Field(ge=1),
        Doc("whose states, counted from 1", "layer >= 1; layers are counted from 1, up to those of the model"),
    ] = 7,
    coefficient: Annotated[
        float,
        POSITIVE,
        Doc("length of the target", "coefficient > 0; well above the length of the model's own states"),
    ] = 6.5,
    alpha: Annotated[
        float, POSITIVE, Doc("coefficient of retention", "alpha > 0; at 0 nothing keeps the rest in place")
    ] = 1200.0,
) -> Objective:
    """mean_t ‖h_t − c·u‖² over the tokens to forget + alpha · mean_t ‖h_t − h_ref,t‖² over those to keep."""
    astray = TokenMean(f"misdirection:{layer}:{coefficient:g}", "rejected", "‖h−c·u‖²_t", UNWANTED)
    held = TokenMean(f"retention:{layer}", "chosen", "‖h−h_ref‖²_t", WITH_LIKED)
    kept = Objective("rmu", ((alpha, held),), reward=sum_logp()).on(RETAIN)
    return (Objective("rmu", ((1.0, astray),), reward=sum_logp()) + kept).named("rmu")
