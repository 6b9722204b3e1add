"""A reward model on repaired labels (2401.06080): uncertain ones count both ways, strong ones demand a lead."""

from typing import Annotated

from truing.objectives.algebra import Objective
from truing.objectives.algebra.beliefs import Believed
from truing.objectives.algebra.values import Centred, HeadValue
from truing.objectives.method import objective
from truing.parameters import NON_NEGATIVE, Doc
from truing.registry import Paper


@objective(
    name="secrets-rm",
    slug="secrets-rm",
    paper=Paper("Secrets of RLHF in Large Language Models Part II: Reward Modeling", 2024, "2401.06080"),
    kind="reward model",
    summary="Bradley–Terry with a probability for every label and a margin for every pair, as data.repair leaves them.",
    use_when="Labels are probabilities, or were repaired: `data.repair` or `truing data repair` make the columns.",
    avoid_when="All labels are certain and no pair has a margin: it is Bradley–Terry then.",
)
def secrets_rm(
    centre: Annotated[
        float,
        NON_NEGATIVE,
        Doc(
            "weight of (R_w + R_l)², which puts all prompts' rewards at one level",
            "centre >= 0; below 0 levels would run away",
        ),
    ] = 0.01,
) -> Objective:
    """−p log σ(R_w − R_l − m) − (1 − p) log σ(m − R_w + R_l) + centre · (R_w + R_l)²."""
    score = HeadValue()
    terms = ((1.0, Believed(score)), *(((centre, Centred(score)),) if centre else ()))
    return Objective("secrets-rm", terms, score, 1.0)
