"""MEET (2310.00819): control codes for good and bad answers, learned before the model that obeys them.

A code is a run of virtual tokens in front of the prompt. In the first part of the run only the codes learn, so that
what tells good from bad is in them; then the model learns too. Both parts have one loss, the likelihood of each answer
under the code of its own quality (equations 1 and 2, which differ in what is trained). At inference the good code is
put in front. The paper learns codes as soft prompts or as LoRA; here they are soft prompts.
"""

from typing import Annotated, Literal

from pydantic import Field

from truing.objectives.algebra import Objective
from truing.objectives.algebra.control import CodeRequest, ControlledLikelihood
from truing.objectives.method import objective
from truing.parameters import Doc
from truing.registry import Paper


@objective(
    name="meet",
    slug="meet",
    paper=Paper("Parameter-Efficient Tuning Helps Language Model Alignment", 2023, "2310.00819"),
    summary="Likelihood of good and of bad answers, each under a learned code; the codes learn first, then the model.",
    use_when="Answers are labelled one by one, or rejected answers are worth learning from as what bad ones look like, "
    "and a code in front of every prompt is no burden when the model is used.",
    avoid_when="The model must be better without a code in front, or will run where prompts are text only: dpo changes "
    "the model itself.",
)
def meet(
    tokens: Annotated[
        int,
        Field(ge=1, le=1000),
        Doc(
            "virtual tokens of each code",
            "1 <= tokens <= 1000; without one there is no code, and each takes a place in the model's context",
        ),
    ] = 20,
    codes_first: Annotated[
        float,
        Field(ge=0, lt=1, allow_inf_nan=False),
        Doc(
            "share of the steps in which the codes learn alone; at 0 codes and model learn together from the start",
            "0 <= codes_first < 1; at 1 the model would never learn",
        ),
    ] = 0.5,
    code_rate: Annotated[
        float,
        Field(gt=0, le=1, allow_inf_nan=False),
        Doc(
            "peak learning rate of the codes, 1e-3 to 1e-2 as a rule; that of the model is training.learning_rate",
            "0 < code_rate <= 1; at 0 the codes never learn",
        ),
    ] = 5e-3,
    reduction: Annotated[
        Literal["sum", "mean", "tokens"],
        Doc(
            "how the tokens of an answer are reduced; tokens is the paper's likelihood, divided by the batch's tokens",
            '"sum", "mean" (per answer) or "tokens" (per batch); nothing else is defined',
        ),
    ] = "tokens",
) -> Objective:
    """−log π(y_w | c_w) − log π(y_l | c_l), over all tokens of the batch."""
    term = ControlledLikelihood(CodeRequest(tokens, codes_first, code_rate), reduction)
    return Objective("meet", ((1.0, term),), reward=None)
