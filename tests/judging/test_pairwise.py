"""Presentations, merging of what is said in them, and the registered judge of pairs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.judging.judges import PAIRS, Saying, longer
from truing.errors import TruingError
from truing.judging.merging import conservative, plurality, soft
from truing.judging.presentation import LABELS, ORDERS, ORDERS_AND_LABELS, SINGLE, Pair, Presentation
from truing.judging.protocols import pairwise_judge
from truing.judging.verdict import ABSTAINED, UNREAD, Opinion

PAIR = Pair("q", "one", "two")


def test_a_judge_of_content_is_consistent() -> None:
    judge = Saying(longer)
    verdicts = pairwise_judge(judge, PAIRS)
    assert [verdict.winner for verdict in verdicts] == ["A", "B", "tie"]
    assert [verdict.consistent for verdict in verdicts] == [True] * 3
    assert [(item.first, item.second) for item in judge.seen[:2]] == [
        ("long answer", "short"),
        ("short", "long answer"),
    ]


def test_a_judge_of_places_is_never_consistent_and_all_ties() -> None:
    verdicts = pairwise_judge(Saying(lambda _: 1.0), PAIRS)
    assert {verdict.winner for verdict in verdicts} == {"tie"}
    assert {verdict.consistent for verdict in verdicts} == {False}


def test_a_judge_of_letters_is_undone_by_permuted_labels() -> None:
    """Whoever is called A wins: with both orders alone it looks like a judge of places, with labels it cancels."""
    judge = Saying(lambda item: float(item.labels[0] == "A"))
    (verdict,) = pairwise_judge(judge, [PAIR], presentations=ORDERS_AND_LABELS, merge=soft)
    assert verdict.winner == "tie"
    assert verdict.share == 0.5
    assert len({(item.first, item.labels) for item in judge.seen}) == 4


def test_soft_by_hand() -> None:
    """0.9 for A where it stands first, 0.4 for the answer that stands first where that is B: (0.9 + 0.6)/2 = 0.75."""
    verdict = soft(ORDERS, [Opinion(0.9), Opinion(0.4)])
    assert (verdict.winner, verdict.share, verdict.confidence) == ("A", pytest.approx(0.75), pytest.approx(0.75))


def test_a_verdict_in_one_order_alone_is_a_tie_if_merged_conservatively() -> None:
    verdict = conservative(ORDERS, [Opinion(1.0), Opinion(0.5)])
    assert (verdict.winner, verdict.share, verdict.consistent) == ("tie", 0.5, False)


@pytest.mark.parametrize("merge", [conservative, soft])
@pytest.mark.parametrize("lost", [UNREAD, ABSTAINED])
def test_what_could_not_be_read_is_no_tie(merge, lost) -> None:
    verdict = merge(ORDERS, [Opinion(1.0), lost])
    assert verdict.winner == "abstain"
    assert math.isnan(verdict.share)
    assert (verdict.unread, verdict.abstained) == ((1, 0) if lost is UNREAD else (0, 1))
    assert verdict.consistent is None


def test_plurality_by_hand() -> None:
    """Two for A, one for B, one unread: A, with confidence 2/3. One each: a tie. None: no verdict."""
    shown = (Presentation(), Presentation(swapped=True), Presentation(), Presentation())
    verdict = plurality(shown, [Opinion(1.0), Opinion(0.0), Opinion(0.0), UNREAD])
    assert (verdict.winner, verdict.share, verdict.confidence) == ("A", 1.0, pytest.approx(2 / 3))
    assert verdict.unread == 1
    assert plurality(shown[:2], [Opinion(1.0), Opinion(1.0)]).winner == "tie"
    assert plurality(shown[:2], [UNREAD, UNREAD]).winner == "abstain"


opinions = st.one_of(st.floats(0, 1).map(Opinion), st.sampled_from([UNREAD, ABSTAINED, Opinion(0.5)]))


@pytest.mark.parametrize("merge", [conservative, soft, plurality])
@given(said=st.lists(opinions, min_size=4, max_size=4))
def test_exchanging_the_answers_exchanges_the_verdict(merge, said) -> None:
    """The shared law of judge protocols: a merged verdict is antisymmetric."""
    own = merge(ORDERS_AND_LABELS, said)
    # The judge sees the same texts, of which A and B have changed places.
    other = merge([Presentation(not one.swapped, one.labels) for one in ORDERS_AND_LABELS], said)
    assert other.share == pytest.approx(1 - own.share, nan_ok=True)
    assert other.confidence == pytest.approx(own.confidence, nan_ok=True)
    if abs(own.share - 0.5) > 1e-9 or math.isnan(own.share):
        assert other.winner == own.swapped().winner


@given(said=st.permutations([0.9, 0.2, 0.5, 0.7]))
def test_merging_does_not_know_the_order_of_presentations(said) -> None:
    """Invariance under the group: the same opinions in another sequence are the same verdict."""
    table = dict(zip([0.9, 0.2, 0.5, 0.7], ORDERS_AND_LABELS, strict=True))
    merged = soft([table[value] for value in said], [Opinion(value) for value in said])
    assert merged.share == pytest.approx((0.9 + 0.8 + 0.5 + 0.3) / 4)


def test_parts_are_exchanged_with_their_answers() -> None:
    parts = (("on", "tw"), ("e", "o"))
    shown = Presentation(swapped=True, labels=LABELS[::-1]).show(PAIR, parts)
    assert shown.parts == (("tw", "on"), ("o", "e"))
    assert (shown.first, shown.labels) == ("two", ("B", "A"))


def test_no_presentation_and_a_judge_that_says_too_little() -> None:
    with pytest.raises(TruingError, match="shown in no presentation"):
        pairwise_judge(Saying(longer), PAIRS, presentations=())

    class Short:
        name = "short"

        def __call__(self, shown):
            return []

    with pytest.raises(TruingError, match="'short' was asked 3 questions and said 0 things"):
        pairwise_judge(Short(), PAIRS, presentations=SINGLE)
    assert pairwise_judge(Short(), []) == []


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_an_opinion_is_a_probability(value) -> None:
    with pytest.raises(TruingError, match="is no opinion of two answers"):
        Opinion(value)
