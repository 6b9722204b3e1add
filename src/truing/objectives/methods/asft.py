"""ASFT (2409.10571): supervised fine-tuning plus two absolute terms on odds, in place of ORPO's relative one.

The odds are those of p = exp(mean log π), as in ORPO. Since σ(log odds) = p, the two terms without reference are
exactly −log p_w − log(1 − p_l), and ASFT exceeds ORPO by −log(p_w (1 − p_l) + p_l (1 − p_w)), times lambda. The
push on the rejected answer is lambda·p_l/(1 − p_l), which vanishes with p_l. The variant with a reference takes
beta (log odds_π − log odds_ref). Not to be confused with *Anchored* SFT, which is shortened in the same way.
"""

from typing import Annotated

from truing.objectives.algebra import Absolute, Likelihood, Logistic, LogOdds, Objective
from truing.objectives.method import objective
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper


@objective(
    name="asft",
    slug="asft-likelihood",
    aliases=("aligned-sft",),
    paper=Paper("ASFT: Aligned Supervised Fine-Tuning through Absolute Likelihood", 2024, "2409.10571"),
    summary="Supervised fine-tuning that raises the odds of the chosen answer and lowers those of the rejected, "
    "each on its own.",
    use_when="A base model is tuned in a single stage, and rejected answers must not be driven to zero.",
    avoid_when="Rejected answers are improbable already: they are hardly pushed, and what is left is sft.",
)
def asft(
    odds_weight: Annotated[
        float,
        POSITIVE,
        Doc(
            "coefficient of the two odds terms (the paper's lambda); 0.1 to 1 is usual",
            "odds_weight > 0; at 0 it is sft, below 0 the preference is reversed",
        ),
    ] = 0.1,
    beta: Annotated[
        float | None,
        POSITIVE,
        Doc(
            "scale of the log-odds relative to the reference; without it there is no reference",
            "beta > 0, or none; at 0 the odds terms are constants, below 0 the preference is reversed",
        ),
    ] = None,
) -> Objective:
    """−log π(y_w)/|y_w| + lambda (−log σ(log odds(y_w)) − log σ(−log odds(y_l)))."""
    score, link = LogOdds(reference=beta is not None), Logistic(1.0 if beta is None else beta)
    terms = (
        (1.0, Likelihood("mean")),
        (odds_weight, Absolute("chosen", score, link, +1)),
        (odds_weight, Absolute("rejected", score, link, -1)),
    )
    return Objective("asft", terms, reward=score, reward_scale=link.beta)
