"""DRIFT (2510.02341): logged answers that users complained about, against fresh answers of the policy."""

from typing import Annotated

from truing.objectives.algebra import Objective, Pairwise
from truing.objectives.algebra.logged import AgainstLogged
from truing.objectives.method import objective
from truing.objectives.methods.dpo import dpo
from truing.objectives.methods.sft import with_likelihood
from truing.objectives.parameters import Beta
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper


@objective(
    name="drift",
    slug="drift",
    paper=Paper(
        "DRIFT: Learning from Abundant User Dissatisfaction in Real-World Preference Learning", 2025, "2510.02341"
    ),
    kind="online-training",
    summary="DPO of a fresh answer of the policy against one that a user complained about, with a little likelihood.",
    use_when="Logs hold complaints, and hardly any praise. Move the reference at the start of each iteration: "
    "`reference: {sync_every: N, sync_mix: 1}`.",
    avoid_when="The model's own answers are no better than those in the log: nothing then says what is good.",
)
def drift(
    beta: Beta = 0.1,
    sft_weight: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "coefficient of the mean log-likelihood of the fresh answer",
            "sft_weight >= 0; 0 leaves it out, below 0 the fresh answer would be unlearned",
        ),
    ] = 0.001,
) -> Objective:
    """−log σ(beta (r_w − r_l)) − sft_weight·log π(y_w)/|y_w|, y_w drawn, y_l logged."""
    plain = dpo(beta)
    terms = tuple(
        (c, AgainstLogged(**vars(term)) if isinstance(term, Pairwise) else term) for c, term in plain.terms
    )
    made = Objective("drift", terms, reward=plain.reward, reward_scale=plain.reward_scale)
    return with_likelihood(made, sft_weight, "mean")
