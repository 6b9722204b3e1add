"""Claims about protocols of judges fail on planted bugs."""

from __future__ import annotations

from tests.evidence import judging_mutants as m
from tests.evidence.bugs import claims_of, must_fail, planted
from truing.judging import protocols as p

METHODS = {
    "pairwise-judge": p.pairwise_judge,
    "judge-vote": p.judge_vote,
    "pointwise-judge": p.pointwise_judge,
    "reference-guided-judge": p.guided_judge,
    "self-reflection-judge": p.self_reflection,
    "portia": p.portia,
}
BUGS = {
    "pairwise-judge/a-judge-of-places-says-nothing": [m.one_order, m.not_mapped_back],
    "pairwise-judge/better-than-one-order": [m.one_order, m.first_wins_ties],
    "pairwise-judge/letters-are-told-from-places": [m.labels_not_permuted, m.one_order],
    "pairwise-judge/the-bias-cancels": [m.one_order, m.not_mapped_back],
    "judge-vote/both-orders-have-their-turn": [m.always_the_same_order, m.first_round_decides],
    "judge-vote/more-rounds-are-right-more-often": [m.first_round_decides],
    "pointwise-judge/grades-have-no-cycles": [m.higher_loses, m.grades_of_the_first],
    "reference-guided-judge/the-reference-is-shown": [m.next_reference, m.reference_is_dropped],
    "self-reflection-judge/reflection-is-told-apart-from-asking-again": [
        m.second_looks_exchanged,
        m.reflection_is_not_read,
    ],
    "portia/a-consistent-judge-costs-two-questions": [m.every_stage],
    "portia/consistent-verdicts-stay": [m.never_cut, m.letters_decide],
    "portia/more-consistent-than-before": [m.never_cut, m.parts_in_a_row],
    "portia/parts-are-the-answers": [m.stripped],
    "portia/the-search-is-exact": [m.by_length_alone],
}


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug) -> None:
    must_fail(name, bug, bug(METHODS[name.partition("/")[0]]))


def test_every_claim_has_a_bug() -> None:
    assert claims_of(*METHODS) == set(BUGS)
