"""RPO (2405.16436): DPO plus the likelihood of the chosen answer, which makes the reward pessimistic.

The paper derives L_DPO + eta·beta·E[−log π(y)] over a baseline distribution, for which the chosen answers stand,
from a reward that is adversarial within its confidence set. ``sft_weight`` is the whole coefficient; the paper's
published models have 0.005 for the sum over tokens. A coefficient for the mean is larger by the length of an
answer; other codes take 1.0 with the mean over the tokens of the batch, ``dpo() + nll("tokens")``.
"""

from typing import Annotated, Literal

from truing.objectives.algebra import Objective
from truing.objectives.method import objective
from truing.objectives.methods.dpo import dpo
from truing.objectives.methods.sft import with_likelihood
from truing.objectives.parameters import Beta
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper


@objective(
    name="rpo",
    slug="rpo",
    paper=Paper(
        "Provably Mitigating Overoptimization in RLHF: Your SFT Loss is Implicitly an Adversarial Regularizer",
        2024,
        "2405.16436",
    ),
    summary="DPO that also imitates the chosen answers, so that answers outside the data gain no probability.",
    use_when="Data cover few of the answers that the model could give: plain DPO then moves mass to the rest.",
    avoid_when="The chosen answers are worse than what the model writes already: imitating them pulls it down.",
)
def rpo(
    beta: Beta = 0.1,
    sft_weight: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "coefficient of the likelihood of the chosen answer (the theory's eta·beta)",
            "sft_weight >= 0; 0 is dpo, below 0 the chosen answer would be unlearned",
        ),
    ] = 0.005,
    sft_reduction: Annotated[
        Literal["sum", "mean"],
        Doc("how the tokens of the chosen answer are reduced", '"sum" or "mean"; nothing else is defined'),
    ] = "sum",
) -> Objective:
    """−log σ(beta (r_w − r_l)) + eta (−log π(y_w))."""
    return with_likelihood(dpo(beta), sft_weight, sft_reduction)
