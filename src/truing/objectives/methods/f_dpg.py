"""f-DPG (2302.08215): policy gradient towards a reward-tilted reference, under any f-divergence.

Reverse KL is RLHF with a KL penalty, forward KL is distributional control; Jensen–Shannon lies between. Samples are
the policy's own, from a copy of it that is as old as ``data.self_samples.refresh_every`` steps at most. Z is estimated
from the samples of the prompt, which centres the pseudo-rewards of all but forward KL already: there the baseline of
the others lowers the variance to a third, elsewhere it adds the noise of a mean of few.
"""

from typing import Annotated

from truing.objectives.algebra import Objective, log_ratio
from truing.objectives.algebra.policy_gradient import Distributional, FDivergence
from truing.objectives.method import objective
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="f-dpg",
    slug="f-dpg",
    paper=Paper("Aligning Language Models with Preferences through f-divergence Minimization", 2023, "2302.08215"),
    summary="Moves the policy towards the reference tilted by a reward, under any f-divergence, on its own samples.",
    use_when="A reward is at hand and no pairs, and it matters whether modes are covered (forward-kl) or sought.",
    avoid_when="Samples are few or old: importance weights then rest on a handful of them.",
    kind="online-training",
)
def f_dpg(
    divergence: Annotated[
        FDivergence,
        Doc(
            "the divergence from the target",
            "forward-kl, reverse-kl, total-variation, jensen-shannon, chi-square or reverse-chi-square",
        ),
    ] = "jensen-shannon",
    beta: Annotated[
        float,
        POSITIVE,
        Doc(
            "temperature of the target: the reference times e^(reward/beta)",
            "beta > 0; at 0 only the best answer is left, below 0 the worst",
        ),
    ] = 1.0,
    baseline: Annotated[bool, Doc("subtract the mean pseudo-reward of the other samples", "true or false")] = True,
) -> Objective:
    """−mean_k (π/q) (−f'(t) − B) log π(y_k), t = π·Z/(ref·e^(reward/beta))."""
    term = Distributional(divergence, beta, baseline=baseline)
    return Objective("f-dpg", ((1.0, term),), reward=log_ratio(), reward_scale=beta)
