"""CPO (2401.08417, eq. 6) and CPO-SimPO: reference-free comparison plus likelihood of the chosen answer.

``alpha`` multiplies the token-mean negative log-likelihood of each chosen answer, averaged over pairs.
"""

from typing import Annotated

from truing.objectives.algebra import Likelihood, Logistic, Objective, mean_logp, pairwise, sum_logp
from truing.objectives.method import NON_NEGATIVE, Doc, Scale, objective
from truing.registry import Paper

PAPER = Paper(
    "Contrastive Preference Optimization: Pushing the Boundaries of LLM Performance in Machine Translation",
    2024,
    "2401.08417",
)

SftWeight = Annotated[
    float, NON_NEGATIVE, Doc("coefficient of the likelihood of the chosen answer", "alpha >= 0; 0 leaves it out")
]


@objective(
    name="cpo",
    slug="baseline-reference-free",
    paper=PAPER,
    summary="DPO with a uniform reference, plus behaviour cloning on the chosen answers.",
    use_when="Memory is short, or a base model is tuned in one stage.",
    avoid_when="The model must stay close to where it started: nothing anchors it but the cloning term.",
)
def cpo(beta: Scale = 0.1, alpha: SftWeight = 1.0) -> Objective:
    """−log σ(beta (log π(y_w) − log π(y_l))) + alpha · (−log π(y_w)/|y_w|)."""
    compare = pairwise(name="cpo", score=sum_logp(), link=Logistic(beta))
    return Objective(
        "cpo", (*compare.terms, (alpha, Likelihood("mean"))), reward=compare.reward, reward_scale=beta
    )


@objective(
    name="cpo-simpo",
    slug="baseline-reference-free",
    paper=PAPER,
    summary="SimPO plus behaviour cloning on the chosen answers, which keeps SimPO from collapsing.",
    use_when="SimPO's chosen likelihood falls too far.",
    avoid_when="The chosen answers are not worth imitating word by word.",
)
def cpo_simpo(
    beta: Scale = 2.0,
    gamma: Annotated[float, NON_NEGATIVE, Doc("target margin, outside beta as in the paper", "gamma >= 0")] = 1.0,
    alpha: SftWeight = 1.0,
) -> Objective:
    """SimPO + alpha · (−log π(y_w)/|y_w|)."""
    compare = pairwise(name="cpo-simpo", score=mean_logp(), link=Logistic(beta), margin=gamma / beta)
    return Objective(
        "cpo-simpo", (*compare.terms, (alpha, Likelihood("mean"))), reward=compare.reward, reward_scale=beta
    )
