"""KTO (2402.01306, eq. 8).

z0 is estimated once per global batch from *mismatched* completions (each prompt with another prompt's answer),
detached and averaged over all processes. The mismatch is drawn once, when the data is prepared, and never
pairs a prompt with an answer to the same prompt.
"""

from typing import Annotated

from truing.objectives.algebra import UNPAIRED, Absolute, Complement, MismatchedKL, Objective, log_ratio
from truing.objectives.method import objective
from truing.objectives.parameters import Beta
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper

Lambda = Annotated[
    float,
    POSITIVE,
    Doc(
        "weight of this side; keep desirable·n_desirable / (undesirable·n_undesirable) within 1 and 4/3",
        "> 0; at 0 this side is ignored, below 0 its label is reversed",
    ),
]


@objective(
    name="kto",
    slug="baseline-unpaired",
    paper=Paper("KTO: Model Alignment as Prospect Theoretic Optimization", 2024, "2402.01306"),
    summary="Maximises the utility of single completions labelled good or bad, relative to a KL baseline.",
    use_when="Feedback is thumbs-up / thumbs-down, or classes are imbalanced (set the two weights).",
    avoid_when="Clean pairs are at hand; and global batches of one, where the baseline is a single sample.",
)
def kto(beta: Beta = 0.1, desirable: Lambda = 1.0, undesirable: Lambda = 1.0) -> Objective:
    """lambda_D [1 − σ(beta (r − z0))] for desirable, lambda_U [1 − σ(beta (z0 − r))] for undesirable."""
    link, score, shift = Complement(beta), log_ratio(), MismatchedKL()
    terms = (
        (1.0, Absolute("chosen", score, link, +1, desirable, shift, UNPAIRED)),
        (1.0, Absolute("rejected", score, link, -1, undesirable, shift, UNPAIRED)),
    )
    return Objective("kto", terms, reward=score, reward_scale=beta)
