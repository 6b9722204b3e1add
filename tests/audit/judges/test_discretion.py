"""Discretion by hand, by simulation, and on real annotators."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.judges.chats import Scripted
from tests.evidence.bugs import claims_of, must_fail, must_hold, planted
from truing.audit.judges.discretion import Annotator
from truing.audit.judges.discretion_of import audit_discretion
from truing.audit.judges.principles import COUNTED_PRINCIPLES, asked_votes, parse_principles
from truing.audit.judges.priorities import kendall_distance, strengths
from truing.audit.judges.votes import read_votes
from truing.diagnostics.audits import discretion
from truing.errors import TruingError
from truing.judging.comparers import TextVerdicts
from truing.statistics import rate

VOTES = np.array(
    [
        [1, 1, 0],  # consensus for the first
        [-1, 0, 0],  # consensus for the second
        [1, -1, 0],  # conflict
        [1, -1, -1],  # conflict
        [0, 0, 0],  # indifference
        [-1, 1, 0],  # conflict
    ]
)
CHOICES = np.array([1, 1, 1, -1, 1, 1])


def test_six_pairs_by_hand() -> None:
    """Two of six agree, of which the second is overruled; three conflict, one is silent.

    a beats b in row 2; b and c beat a in row 3; b beats a in row 5. Row 1 is no conflict.
    """
    (own,) = discretion(VOTES, CHOICES, "abc", draws=2).annotators
    assert [
        round(6 * share.value) for share in (own.room.consensus, own.room.conflict, own.room.indifference)
    ] == [
        2,
        3,
        1,
    ]
    assert own.room.required.value == pytest.approx(4 / 6)
    assert (own.arbitrariness.value, own.arbitrariness.n) == (0.5, 2)
    assert own.wins.tolist() == [[0, 1, 0], [2, 0, 0], [1, 0, 0]]
    assert own.supremacy(0, 1).value == pytest.approx(1 / 3)
    assert own.supremacy(1, 0).value == pytest.approx(2 / 3)
    assert np.isnan(own.supremacy(1, 2).value)
    assert [priority.n for priority in own.priorities] == [4, 3, 1]
    assert own.order[-1] == 0


def test_a_principle_without_conflicts_has_no_priority() -> None:
    votes = np.array([[1, -1, 0]] * 6)
    (own,) = discretion(votes, [1, 1, 1, 1, -1, -1], "abc", draws=2).annotators
    assert np.isnan(own.priorities[2].value)
    assert own.order == [0, 1]


def test_strengths_solve_their_equations() -> None:
    """At the maximum wins are what is expected of them, less the ridge; tables beside each other as each alone."""
    rng = np.random.default_rng(0)
    wins = rng.integers(1, 30, (3, 4, 4)).astype(float)
    found = strengths(wins, ridge=0.5)
    games = wins + wins.transpose(0, 2, 1)
    chance = 1 / (1 + np.exp(found[:, None, :] - found[:, :, None]))
    np.testing.assert_allclose((wins - games * chance).sum(2), 0.5 * found, atol=1e-8)
    np.testing.assert_allclose(found.sum(1), 0, atol=1e-9)
    np.testing.assert_allclose(found[1], strengths(wins[1], ridge=0.5), atol=1e-9)


def test_who_never_loses_stays_finite() -> None:
    found = strengths(np.array([[0.0, 1000.0], [0.0, 0.0]]))
    assert np.isfinite(found).all()
    assert found[0] > 3


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([3, 2, 1], [30, 20, 10], 0),
        ([3, 2, 1], [1, 2, 3], 1),
        ([3, 2, 1], [3, 1, 2], 1 / 3),
        ([3, 2, 1], [2, 2, 1], 1 / 6),  # one of three pairs is tied
        ([3, 2, np.nan], [1, 2, 3], 1),
    ],
)
def test_kendall_distance_by_hand(one: list, other: list, expected: float) -> None:
    assert kendall_distance(np.array(one, float), np.array(other, float)) == pytest.approx(expected)
    assert kendall_distance(np.array(other, float), np.array(one, float)) == pytest.approx(expected)


def test_one_principle_has_no_order() -> None:
    assert np.isnan(kendall_distance(np.array([1.0]), np.array([2.0])))


@given(st.integers(0, 1000))
def test_supremacies_add_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    votes, choices = rng.integers(-1, 2, (30, 3)), rng.choice([-1, 1], 30)
    (own,) = discretion(votes, choices, "abc", draws=1).annotators
    for i, j in ((0, 1), (0, 2), (1, 2)):
        if own.wins[i, j] + own.wins[j, i]:
            assert own.supremacy(i, j).value + own.supremacy(j, i).value == pytest.approx(1)


def test_rows_without_votes_or_choice_are_counted() -> None:
    votes = VOTES.astype(float)
    votes[0, 0] = np.nan
    found = discretion(votes, [1, 0, np.nan, -1, 1, 1], "abc", draws=1)
    assert found.undecided == 3
    assert found.annotators[0].room.consensus.n == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"votes": VOTES[:3]}, "votes have shape"),
        ({"votes": 2 * VOTES}, "is not −1, 0 or 1"),
        ({"choices": np.zeros(6)}, "no row has a choice"),
        ({"annotators": ["x"]}, "one annotator and one group"),
        ({"ridge": 0.0}, "ridge = 0"),
    ],
)
def test_what_is_refused(change: dict, message: str) -> None:
    with pytest.raises(TruingError, match=message):
        discretion(**{"votes": VOTES, "choices": CHOICES, "principles": "abc", **change})


def test_oracles_vote_only_where_both_orders_agree() -> None:
    """One prefers the answer with the mark, one whatever stands first."""

    def marked(text: str) -> str:
        return (
            '{"verdict": "A"}'
            if "*" in text.split("<<< answer A >>>")[1].split("<<< end", maxsplit=1)[0]
            else '{"verdict": "B"}'
        )

    oracles = {
        "marks": TextVerdicts(Scripted(marked)),
        "places": TextVerdicts(Scripted(lambda text: '{"verdict": "A"}')),
    }
    asked = asked_votes(oracles, ["?"] * 2, ["x*", "y"], ["x", "y*"])
    assert asked.votes.tolist() == [[1, 0], [-1, 0]]
    assert asked.consistent["marks"].value == 1
    assert asked.consistent["places"].value == 0


def test_counted_principles_change_sign_with_the_places() -> None:
    texts = ["Please stay. I cannot help with that, sorry.", "word " * 30 + "why?"]
    for name, principle in COUNTED_PRINCIPLES.items():
        one, other = principle.votes(["stay?"] * 2, texts, texts[::-1])
        assert one == -other, name
    assert COUNTED_PRINCIPLES["thorough"].votes([""], ["a b"], ["a"])[0] == 0


def test_principles_by_text() -> None:
    assert parse_principles(["safe: does no harm: none"]) == {"safe": "does no harm: none"}
    for wrong, message in (
        (["safe"], "is no principle"),
        ([": x"], "is no principle"),
        (["a: x", "a: y"], "twice"),
    ):
        with pytest.raises(TruingError, match=message):
            parse_principles(wrong)


def test_a_scorer_of_their_own_labels_leads_the_priorities_of_people(shared_data: Path) -> None:
    """No finding about people: the packaged scorer was trained on labels of this set. Another scorer differs."""
    votes = read_votes(str(shared_data / "hh-rlhf" / "harmless-base-test.jsonl.gz"), sample=300)
    found = audit_discretion(votes, scorers=["sentiment"], draws=20).discretion
    people, scorer = found.annotators
    assert found.principles[people.order[0]] == "harmless"
    assert found.principles[scorer.order[0]] == "positive"
    assert found.discrepancy["labels", "sentiment"].low > 0.2


def test_three_annotators_of_pandalm(shared_data: Path) -> None:
    found = audit_discretion(read_votes(str(shared_data / "pandalm" / "testset-v1.json"), sample=150), draws=5)
    assert len(found.discretion.annotators) == 3
    assert len(found.discretion.discrepancy) == 3
    assert found.sentences()


def choices_ignored(votes, choices, *args, **options):
    return discretion(votes, np.ones_like(choices), *args, **options)


def one_draw_of_luck(votes, choices, *args, **options):
    """Consensus pairs are decided by it, as if nobody erred."""
    agreed = (votes > 0).any(1) ^ (votes < 0).any(1)
    return discretion(votes, np.where(agreed, np.sign(votes.sum(1)), choices), *args, **options)


def indifference_is_a_vote(votes, choices, *args, **options):
    return discretion(np.where(votes == 0, 1.0, votes), choices, *args, **options)


def heavy_ridge(votes, choices, *args, **options):
    return discretion(votes, choices, *args, **{**options, "ridge": 1e4})


@dataclass(frozen=True)
class OverAll(Annotator):
    """Supremacies as shares of all pairs, not of the conflicts of two principles."""

    def supremacy(self, i, j):
        return rate(float(self.wins[i, j]), self.room.consensus.n)


def wrong_denominator(*args, **options):
    found = discretion(*args, **options)
    annotators = tuple(OverAll(**{f.name: getattr(own, f.name) for f in fields(own)}) for own in found.annotators)
    return replace(found, annotators=annotators)


BUGS = {
    "discretion/arbitrariness-is-the-noise": [choices_ignored, one_draw_of_luck],
    "discretion/supremacies-add-up": [wrong_denominator],
    "discretion/priorities-are-log-odds": [heavy_ridge, choices_ignored],
    "discretion/discrepancy-tells-priorities-apart": [choices_ignored],
    "discretion/places-do-not-matter": [choices_ignored, indifference_is_a_vote],
}


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug)


def test_every_claim_holds_and_has_a_bug():
    assert claims_of("discretion") == set(BUGS)
    for name in BUGS:
        must_hold(name)
