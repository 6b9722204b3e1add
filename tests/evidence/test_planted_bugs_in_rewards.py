"""Every claim about a transform, a combiner or a weighter fails on each of the bugs that it is paired with here."""

from __future__ import annotations

import pytest

from tests.evidence import reward_mutants as m
from tests.evidence.bugs import must_fail, planted
from truing.evidence import CLAIMS
from truing.rewards.methods import REWARDS

KINDS = ("reward transform", "reward combiner", "reward weighter")
PIECES = [entry for entry in REWARDS if entry.kind in KINDS]
AGGREGATES = ("mean", "median", "min", "mean-minus-std", "uncertainty-weighted")
CAUTIOUS = AGGREGATES[3:]

BUGS = {
    "lsc-transform/excess-cannot-pay": [
        m.centred_only,
        m.lower_tail,
        m.mean_as_level,
        m.other_side,
        m.probability,
    ],
    "lsc-transform/conjunction-at-equal-kl": [m.centred_only, m.other_side],
    "lsc-transform/ignores-the-prompts-constant": [m.level_ignored, m.level_of_all_prompts],
    "lsc-transform/plain-far-below": [m.other_side, m.probability],
    "lsc-transform/more-prompts-get-better": [m.centred_only, m.other_side],
    "lsc-transform/raises-the-worse-objective": [m.centred_only, m.other_side],
    "conjunction/fair-answer-at-equal-kl": [m.plain_sum, m.bad_in_all],
    "conjunction/is-conditioning-on-all": [m.plain_sum, m.mean_of_logs, m.good_in_any, m.bad_in_all],
    "conjunction/excess-saturates": [m.plain_sum, m.mean_of_logs, m.bad_in_all],
    "calibrate/single-answers-at-03": [m.raw, m.tilted_to_the_best, m.upside_down],
    "calibrate/matches-the-closed-form": [m.raw, m.tilted_to_the_worst, m.between_least_and_most],
    "calibrate/ignores-monotone-changes": [m.raw, m.between_least_and_most, m.tilted_to_the_worst],
    "calibrate/half-against-itself": [m.ties_lose, m.between_least_and_most, m.raw],
    "infalign-best-of-n/best-of-four-at-03": [m.not_tilted, m.not_calibrated, m.weak_tilt, m.tilted_to_the_worst],
    "infalign-best-of-n/best-of-four-at-1": [m.not_tilted, m.not_calibrated, m.weak_tilt, m.tilted_to_the_worst],
    "infalign-best-of-n/wins-where-the-best-is-used": [m.not_tilted, m.weak_tilt, m.tilted_to_the_worst],
    "infalign-best-of-n/loses-elsewhere": [m.not_tilted, m.weak_tilt, m.tilted_to_the_worst],
    "infalign-best-of-n/calibrated-for-small-tilts": [m.not_calibrated, m.upside_down],
    "infalign-worst-of-n/worst-of-four-at-03": [m.not_tilted, m.raw, m.weak_tilt, m.tilted_to_the_best],
    "infalign-worst-of-n/worst-of-four-at-1": [m.not_tilted, m.raw, m.weak_tilt, m.tilted_to_the_best],
    "infalign-worst-of-n/loses-where-the-best-is-used": [m.not_tilted, m.raw, m.tilted_to_the_best],
    "geometric-mean/balanced-is-best": [m.arithmetic, m.harmonic],
    "geometric-mean/balance-at-equal-kl": [m.arithmetic, m.negated],
    "geometric-mean/units-do-not-matter": [m.arithmetic, m.harmonic],
    "dpa-direction/uniform-by-angle": [m.one_for_all, m.one_sided, m.uniform_by_height],
    "dpa-direction/unit-length": [m.sum_of_one],
    "dpa-direction/choice-follows-the-direction": [m.one_for_all],
    "dpa-direction/nothing-follows-a-shuffled-direction": [m.one_for_all],
    "dpa-direction/one-policy-covers-an-arc": [m.one_for_all],
    "dpa-direction/rounds-move-the-arc-outward": [m.one_for_all],
    "dpa-direction/told-other-directions-there-is-no-arc": [m.one_for_all],
    "preference-orchestrator/beats-every-fixed-weight": [m.prompt_ignored, m.objectives_exchanged],
    "preference-orchestrator/loses-nothing-where-all-wish-the-same": [m.winner_takes_all],
    "preference-orchestrator/softer-than-the-wishes": [m.wishes_known],
    "preference-orchestrator/equal-for-large-tau": [m.tau_inverted, m.tau_ignored],
    "preference-orchestrator/scale-does-not-decide": [m.not_normalised, m.not_centred, m.tau_inverted],
    **{f"{name}/pretraining-seeds-help-more": [m.first_member, m.only_disagreement] for name in AGGREGATES},
    **{f"{name}/better-than-one": [m.first_member, m.only_disagreement] for name in AGGREGATES},
    **{f"{name}/shared-errors-remain": [m.only_disagreement, m.negated] for name in AGGREGATES},
    **{f"{name}/of-one-member-nothing-changes": [m.one_too_many, m.spread_of_one] for name in AGGREGATES},
    **{f"{name}/sees-where-members-part": [m.arithmetic, m.disagreement_rewarded] for name in CAUTIOUS},
}


def test_every_claim_has_a_planted_bug():
    names = {entry.name for entry in PIECES}
    assert {entry.name for entry in CLAIMS if entry.method in names} == set(BUGS)


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.name)
def test_every_piece_has_a_claim_and_an_explanation(piece):
    assert any(entry.method == piece.name for entry in CLAIMS)
    assert all(": " in line for line in piece.legend)
    assert piece.use_when.endswith(".")
    assert piece.avoid_when.endswith(".")


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug, bug(REWARDS.get(name.split("/")[0])))
