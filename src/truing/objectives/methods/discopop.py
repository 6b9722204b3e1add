"""DiscoPOP (2406.08414, eq. 5): a loss found by a language model; beta and tau 0.05 as in the paper."""

from typing import Annotated

from truing.objectives.algebra import Blend, Objective, log_ratio, pairwise
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="discopop",
    slug="baseline-pairwise",
    paper=Paper(
        "Discovering Preference Optimization Algorithms with and for Large Language Models", 2024, "2406.08414"
    ),
    summary="Blends the logistic and the exponential loss by the size of the margin; not convex by design.",
    use_when="A comparison with a discovered loss is wanted.",
    avoid_when="The order of close pairs matters: between the reference and a local maximum at a small positive gap "
    "the gradient points the wrong way, so that a pair can end reversed.",
)
def discopop(
    beta: Beta = 0.05,
    tau: Annotated[
        float, POSITIVE, Doc("temperature of the blend", "tau > 0; at 0 the blend is a step without gradient")
    ] = 0.05,
) -> Objective:
    """(1 − m)(−log σ(u)) + m e^(−u), u = beta d, m = σ(u/tau)."""
    return pairwise(name="discopop", score=log_ratio(), link=Blend(beta, tau))
