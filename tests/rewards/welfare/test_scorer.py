"""Utilities of answers in four blocks, from text and from recipes."""

from __future__ import annotations

import pytest
import torch

from truing.errors import DataError, ObjectiveError, RecipeError, TruingError
from truing.evidence.claims.gtalign import answer, matrix
from truing.recipe.online import RewardsSection
from truing.rewards.algebra import Rewards
from truing.rewards.build import build
from truing.rewards.methods import gtalign
from truing.rewards.welfare.tagged import Tagged

RIGHT = {"name": "keywords", "all_of": ["right"]}
GOOD = answer("Short.", "That is right.")


def judged(answers: list[str], **section: object) -> torch.Tensor:
    made = build(RewardsSection.model_validate({"rewards": {"name": "gtalign", "accuracy": RIGHT}, **section}))
    return made.judge(["Is it?"] * len(answers), answers).reward


def test_an_answer_is_taken_apart() -> None:
    found = Tagged.parse(f"\n{GOOD}\n")
    assert (found.thinking, found.analyze, found.response) == ("Short.", "DQ_DA", "That is right.")
    assert found.payoffs == matrix()
    assert found.reasoning + f"<response>{found.response}</response>" == GOOD


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 times <thinking>"),
        (GOOD + "<response>again</response>", "2 times <response>"),
        (GOOD + " bye", "follows the response"),
        ("Well, " + GOOD, "other than <thinking>"),
        (GOOD.replace("</payoff>", "</payoff>, so "), "other than <analyze>"),
        (GOOD.replace("<analyze>DQ_DA</analyze>", "") + "<analyze></analyze>", "other than <analyze>"),
        (GOOD.replace("VQ_DA", "VQ_D"), "unknown entry 'VQ_D'"),
        ("</thinking><thinking>" + GOOD.replace("<thinking>Short.</thinking>", ""), "other than <thinking>"),
    ],
)
def test_what_is_not_in_form_says_why_and_is_worth_nothing(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Tagged.parse(text)
    assert float(judged([text], combine="geometric-mean")) == 0.0


def test_combiners_of_the_ablations() -> None:
    """The geometric mean with all weight on one side is that side."""
    answers = [GOOD, answer("x" * 400, "wrong"), answer("", "right " * 90)]
    user, llm = gtalign.gtalign(accuracy=RIGHT)(["Is it?"] * 3, answers).values.unbind(1)
    torch.testing.assert_close(judged(answers, combine="geometric-mean"), (user * llm).sqrt())
    torch.testing.assert_close(judged(answers, combine="mean"), (user + llm) / 2)
    for side, alone in (("user", user), ("llm", llm)):
        weights = {"name": "constant", "weights": {"user": 0, "llm": 0, side: 1}}
        torch.testing.assert_close(judged(answers, combine="geometric-mean", weights=weights), alone)
        torch.testing.assert_close(judged(answers, combine="weighted-sum", weights=weights), alone)
    scaled = sum((side - side.mean()) / side.std(correction=0) for side in (user, llm)) / 2
    torch.testing.assert_close(judged(answers, combine="mean", transform="batch-z-score"), scaled)


def test_scaled_utilities_have_no_geometric_mean() -> None:
    with pytest.raises(DataError, match="no negative rewards"):
        judged([GOOD, answer("x" * 400, "wrong")], combine="geometric-mean", transform="batch-z-score")


def test_accuracy_is_of_the_response_alone() -> None:
    """What is said in the thinking is not yet an answer."""
    found = gtalign.gtalign(accuracy=RIGHT)(["Is it?"] * 2, [answer("right", "so"), answer("so---", "right")])
    assert float(found.column("user")[1] - found.column("user")[0]) == pytest.approx(0.5, abs=0.01)


def test_a_column_of_the_records_reaches_the_answers_in_form_only() -> None:
    scorer = gtalign.gtalign(accuracy={"name": "exact-match", "column": "answer"})
    found = scorer(
        ["?"] * 3, ["no form", answer("", "Rome"), answer("", "Rome")], {"answer": ["Rome", "Rome", "Oslo"]}
    )
    user = found.column("user")
    assert float(user[0]) == 0
    assert float(user[1] - user[2]) == pytest.approx(0.5)


def test_another_accuracy_for_the_user() -> None:
    scorer = gtalign.gtalign(accuracy=RIGHT, user_accuracy={"name": "keywords", "all_of": ["kind"]})
    found = scorer(["?"] * 2, [answer("", "right ok"), answer("", "kind ok")])
    assert float(found.column("user")[1] - found.column("user")[0]) == pytest.approx(0.5)
    assert float(found.column("llm")[0] - found.column("llm")[1]) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({}, ObjectiveError, "does not know how right"),
        ({"accuracy": "no-such"}, RecipeError, "unknown reward 'no-such'"),
        ({"accuracy": {"name": "gtalign", "accuracy": RIGHT}}, ObjectiveError, "2 objectives"),
        ({"accuracy": {"name": "keywords", "words": []}}, TruingError, "accuracy.words"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        gtalign.gtalign(**settings)


def test_accuracy_is_a_rate() -> None:
    with pytest.raises(DataError, match=r"accuracy is -0\.\d+"):
        gtalign.gtalign(accuracy={"name": "length", "target": 1000})(["?"], [GOOD])


def test_what_does_not_differ_is_worth_the_same_in_a_batch() -> None:
    transform = build(
        RewardsSection.model_validate({"rewards": ["sentiment"], "transform": "batch-z-score"})
    ).transforms[0]
    same = Rewards.of(torch.tensor([[2.0], [2.0]]), ("a",))
    assert transform(same, None).values.tolist() == [[0.0], [0.0]]  # type: ignore[arg-type]
