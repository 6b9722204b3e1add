"""SFT-DPO (2406.07327): DPO plus the likelihood of the chosen answer, averaged over its tokens.

RPO arrives at the same sum from another side and takes the sum over tokens.
"""

from typing import Annotated

from truing.objectives.algebra import Objective
from truing.objectives.method import objective
from truing.objectives.methods.flex_dpo import PAPER
from truing.objectives.methods.rpo import rpo
from truing.objectives.parameters import Beta
from truing.parameters import POSITIVE, Doc


@objective(
    name="sft-dpo",
    slug="3d-dpo",
    paper=PAPER,
    summary="DPO with the chosen answer imitated token by token, which keeps mass from unseen answers.",
    use_when="Pairs were not written by the model itself, and both likelihoods fall under DPO.",
    avoid_when="Pairs are the model's own samples: mass does not disperse then, and imitation only costs contrast.",
)
def sft_dpo(
    beta: Beta = 0.1,
    sft_weight: Annotated[
        float,
        POSITIVE,
        Doc(
            "coefficient of the mean log-likelihood of the chosen answer; 0.1 to 1 is usual",
            "sft_weight > 0; at 0 it is dpo, below 0 the chosen answer would be unlearned",
        ),
    ] = 0.1,
) -> Objective:
    """−log σ(beta (r_w − r_l)) + lambda (−log π(y_w)/|y_w|)."""
    return rpo(beta, sft_weight, "mean")
