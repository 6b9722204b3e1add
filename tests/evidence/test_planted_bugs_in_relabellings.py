"""Every claim about a relabelling fails on each of the bugs that it is paired with here."""

from __future__ import annotations

import pytest

from tests.evidence.bugs import must_fail, planted
from tests.evidence.test_janus_bugs import BUGS as JANUS
from truing.data.derive import DATA_METHODS, ask_for, in_context, reward_augmented
from truing.data.derive.context import with_context
from truing.evidence import CLAIMS


def one_goal_only(row):
    """The pair under the score of its chosen answer, and no more."""
    return list(reward_augmented(row))[:1]


def never_exchanged(row):
    """The better answer is chosen whatever the goal is."""
    return [{**new, "chosen": row["chosen"], "rejected": row["rejected"]} for new in reward_augmented(row)]


def goals_exchanged(row):
    """Each pair under the goal of the other one."""
    first, second = reward_augmented(row)
    return [{**first, "prompt": second["prompt"]}, {**second, "prompt": first["prompt"]}]


def goal_forgotten(row):
    """Both pairs under the plain prompt."""
    return [{**new, "prompt": row["prompt"]} for new in reward_augmented(row)]


def highest_goal_only(row):
    """Both pairs under the best score of all."""
    return [{**new, "prompt": ask_for(row["prompt"], 10)} for new in reward_augmented(row)]


def context_dropped(row):
    """The prompt as it is."""
    return [{**row}]


def context_of_everybody(row):
    """One context for all rows."""
    return [{**new, "prompt": in_context(row["prompt"], "Prefer long answers.")} for new in with_context(row)]


def answer_given_away(row):
    """What is preferred stands in the prompt."""
    return [{**new, "prompt": f"{new['prompt']} {row['chosen']}"} for new in with_context(row)]


BUGS = {
    "context-aware-pm/reads-the-context": [context_dropped, context_of_everybody],
    "context-aware-pm/without-contexts-it-is-chance": [answer_given_away],
    "context-aware-pm/new-wordings": [context_dropped, context_of_everybody],
    "context-aware-pm/the-sum-over-contexts-is-the-mixture": [answer_given_away],
    "context-aware-pm/answers-for-one-context": [context_dropped, context_of_everybody],
    "reward-augmented/ranks-by-the-goal": [one_goal_only, never_exchanged, goals_exchanged, goal_forgotten],
    "reward-augmented/good-losers-are-kept": [never_exchanged, goals_exchanged, goal_forgotten, highest_goal_only],
    "reward-augmented/nothing-is-learned-without-the-goal": [one_goal_only, never_exchanged],
}


def test_every_claim_has_a_planted_bug():
    assert {entry.name for entry in CLAIMS if entry.method in DATA_METHODS} == {*BUGS, *JANUS}


@pytest.mark.parametrize("method", list(DATA_METHODS), ids=lambda method: method.name)
def test_every_relabelling_has_a_claim_and_an_explanation(method):
    assert any(entry.method == method.name for entry in CLAIMS)
    assert all(": " in line for line in method.legend)
    assert method.use_when.endswith(".")
    assert method.avoid_when.endswith(".")


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug)
