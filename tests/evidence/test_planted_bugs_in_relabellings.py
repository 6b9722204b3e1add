"""Every claim about a relabelling fails on each of the bugs that it is paired with here."""

from __future__ import annotations

import pytest

from truing.data.derive import DATA_METHODS, ask_for, reward_augmented
from truing.evidence import CLAIMS, verify


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


BUGS = {
    "reward-augmented/ranks-by-the-goal": [one_goal_only, never_exchanged, goals_exchanged, goal_forgotten],
    "reward-augmented/good-losers-are-kept": [never_exchanged, goals_exchanged, goal_forgotten, highest_goal_only],
    "reward-augmented/nothing-is-learned-without-the-goal": [one_goal_only, never_exchanged],
}


def test_every_claim_has_a_planted_bug():
    assert {entry.name for entry in CLAIMS if entry.method in DATA_METHODS} == set(BUGS)


@pytest.mark.parametrize("method", list(DATA_METHODS), ids=lambda method: method.name)
def test_every_relabelling_has_a_claim_and_an_explanation(method):
    assert any(entry.method == method.name for entry in CLAIMS)
    assert all(": " in line for line in method.legend)
    assert method.use_when.endswith(".")
    assert method.avoid_when.endswith(".")


@pytest.mark.parametrize(
    ("name", "bug"),
    [pytest.param(name, bug, id=f"{name}-{bug.__name__}") for name, bugs in BUGS.items() for bug in bugs],
)
def test_claim_fails_on_the_bug(name, bug):
    (result,) = verify(name, factory=bug)
    assert not result.passed, f"{name} holds on {bug.__name__}: measured {result.measured_text}"
