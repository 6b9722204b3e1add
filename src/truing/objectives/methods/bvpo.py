"""BVPO (2510.05095): DPO on answers with their reasoning, mixed with DPO on answers without any.

A sampled trace makes the gradient noisy; without a trace it has no such noise and some bias. The mixture has the
variance alpha² times that of the first; :func:`best_mix` is the alpha of smallest mean squared error. With
``alpha: auto`` a run estimates it, as far as a run can: see :mod:`truing.objectives.algebra.mixture`.
"""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from truing.objectives.algebra import Logistic, Objective, log_ratio, pairwise
from truing.objectives.algebra.mixture import mixed, weight
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import Doc
from truing.registry import Paper

EMPTY_TRACE = "empty_trace"
"""Name of the part that holds the pairs without reasoning."""


@objective(
    name="bvpo",
    slug="bvpo",
    paper=Paper(
        "From Noisy Traces to Stable Gradients: Bias-Variance Optimized Preference Optimization for Aligning Large "
        "Reasoning Models",
        2025,
        "2510.05095",
    ),
    summary="DPO for models that reason before they answer: pairs with and without the reasoning, mixed.",
    use_when="Answers come with sampled reasoning, and pairs generated with reasoning switched off are at hand.",
    avoid_when="The model does not reason: then there is nothing to mix.",
)
def bvpo(
    beta: Beta = 0.1,
    alpha: Annotated[
        Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] | Literal["auto"],
        Doc(
            "share of the pairs with reasoning; the paper states none. auto estimates the one of smallest mean "
            "squared error from gradients of groups of records, at each of the first ten steps and every tenth after",
            '0 < alpha < 1, or "auto"; at 1 it is dpo',
        ),
    ] = 0.5,
) -> Objective:
    """Alpha · dpo(pairs with reasoning) + (1 − alpha) · dpo(pairs without)."""
    score, link = log_ratio(), Logistic(beta)
    both = pairwise(name="bvpo", score=score, link=link)
    if alpha == "auto":
        return mixed(both, both.on(EMPTY_TRACE))
    return alpha * both + (1 - alpha) * both.on(EMPTY_TRACE)


def best_mix(with_trace: Tensor, without_trace: Tensor, target: Tensor) -> float:
    """The mixing weight of smallest mean squared error, in closed form (2510.05095, theorem 2).

    Args:
        with_trace: gradients from sampled traces, shape ``[n, parameters]``.
        without_trace: gradients without any, for the same draws of the data, shape ``[n, parameters]``.
        target: the gradient of the marginal objective, or the mean over many traces, shape ``[parameters]``.

    Returns:
        In [0, 1]; a half where the two do not differ.
    """
    biases = [estimate.mean(0) - target for estimate in (with_trace, without_trace)]
    around = [estimate - estimate.mean(0) for estimate in (with_trace, without_trace)]
    variances = [deviation.square().sum(-1).mean() for deviation in around]
    shared = (around[0] * around[1]).sum(-1).mean()
    apart = biases[0] - biases[1]
    below = apart.square().sum() + variances[0] + variances[1] - 2 * shared
    return weight(float(biases[0] @ apart + variances[0] - shared), float(below))
