"""A reward model on repaired labels (2401.06080): uncertain ones count both ways, strong ones demand a lead."""

from typing import Annotated

from pydantic import Field

from truing.objectives.algebra import Objective
from truing.objectives.algebra.ahead import LookAhead, SamplesApart
from truing.objectives.algebra.beliefs import Believed
from truing.objectives.algebra.contrast import GapContrast
from truing.objectives.algebra.term import Term
from truing.objectives.algebra.values import Centred, HeadValue
from truing.objectives.method import objective
from truing.objectives.parameters import Centre
from truing.parameters import NON_NEGATIVE, POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="secrets-rm",
    slug="secrets-rm",
    paper=Paper("Secrets of RLHF in Large Language Models Part II: Reward Modeling", 2024, "2401.06080"),
    kind="reward model",
    summary="Bradley–Terry with a probability for every label and a margin for every pair, as data.repair leaves them; "
    "optionally states are contrasted, and gradients taken a step ahead on samples of a policy (MetaRM).",
    use_when="Labels are probabilities, or were repaired: `data.repair` or `truing data repair` make the columns; or "
    "states should keep pairs apart (contrast); or the policy has moved away from the labelled answers (ahead).",
    avoid_when="All labels are certain, no pair has a margin, nothing is contrasted and there are no samples: it is "
    "Bradley–Terry then.",
)
def secrets_rm(
    centre: Centre = 0.01,
    contrast: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "weight of the contrastive term: of all pairs in the batch, a pair should find itself by the difference of "
            "its two states under other dropout. Every step then scores its batch twice",
            "contrast >= 0; at 0 there is no such term",
        ),
    ] = 0.0,
    temperature: Annotated[
        float,
        POSITIVE,
        Doc(
            "what cosines of the contrastive term are divided by",
            "temperature > 0; small ones see the nearest pairs",
        ),
    ] = 0.05,
    dropout: Annotated[
        float,
        Field(gt=0, lt=1),
        Doc(
            "share of a state's components that a view of the contrastive term lacks",
            "0 < dropout < 1; at 0 both views are the same, at 1 nothing is left",
        ),
    ] = 0.1,
    seed: Annotated[
        int,
        Field(ge=0, le=4294967295),
        Doc(
            "of the masks of the contrastive term",
            "0 <= seed <= 4294967295; runs that differ in it alone show what masks matter",
        ),
    ] = 0,
    ahead: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "η of MetaRM: the gradient is taken where a step along η times the gradient of the difference loss leads, "
            "which makes the samples in data.parts.samples differ more",
            "ahead >= 0; at 0 there is no such step, and no samples are needed",
        ),
    ] = 0.0,
) -> Objective:
    """−p log σ(R_w − R_l − m) − (1 − p) log σ(m − R_w + R_l) + centre · (R_w + R_l)² + contrast · InfoNCE(h_w − h_l).

    The contrastive term is the paper's SimCSE form on differences. One thing is otherwise than there: the two views of
    a pair are not two passes through a model with dropout, because models are trained without it here. They are one
    pass, whose states at the reward head are put under two masks, one mask for every answer and view. What the layers
    below do is the same in both.

    With ``ahead`` the gradient is taken at θ + η ∇J(θ), J = (2/k²) Σ_{i<j} σ(|R(s_i) − R(s_j)|) over k samples of a
    policy, and moves θ (MetaRM, section 4; also 2405.00438). At rest θ is thus the plain optimum less η ∇J: samples
    differ *less* than under plain training. Where rewards are linear this is a theorem, which `truing verify` measures;
    the paper reports that its reward models tell samples apart better.
    """
    score = HeadValue()
    terms: list[tuple[float, Term]] = [(1.0, Believed(score))]
    if centre:
        terms.append((centre, Centred(score)))
    if contrast:
        terms.append((contrast, GapContrast(temperature, dropout, seed)))
    look = LookAhead("samples", SamplesApart(score), ahead) if ahead else None
    return Objective("secrets-rm", tuple(terms), score, 1.0, ahead=look)
