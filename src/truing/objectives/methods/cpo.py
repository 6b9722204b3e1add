"""CPO (2401.08417, eq. 6) and CPO-SimPO: reference-free comparison plus likelihood of the chosen answer.

``alpha`` multiplies the token-mean negative log-likelihood of each chosen answer, averaged over pairs. The paper
sums over tokens; the authors' code and TRL average over all tokens of the batch, ``cpo(alpha=0) + nll("tokens")``.
"""

from truing.objectives.algebra import Logistic, Objective, mean_logp, pairwise, sum_logp
from truing.objectives.method import objective
from truing.objectives.methods.sft import with_likelihood
from truing.objectives.parameters import Scale, SftWeight, TargetMargin
from truing.registry import Paper

PAPER = Paper(
    "Contrastive Preference Optimization: Pushing the Boundaries of LLM Performance in Machine Translation",
    2024,
    "2401.08417",
)


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
    return with_likelihood(compare, alpha)


@objective(
    name="cpo-simpo",
    slug="baseline-reference-free",
    paper=PAPER,
    summary="SimPO plus behaviour cloning on the chosen answers, which keeps SimPO from collapsing.",
    use_when="SimPO's chosen likelihood falls too far.",
    avoid_when="The chosen answers are not worth imitating word by word.",
)
def cpo_simpo(beta: Scale = 2.0, gamma: TargetMargin = 1.0, alpha: SftWeight = 1.0) -> Objective:
    """SimPO + alpha · (−log π(y_w)/|y_w|)."""
    compare = pairwise(name="cpo-simpo", score=mean_logp(), link=Logistic(beta), margin=gamma / beta)
    return with_likelihood(compare, alpha)
