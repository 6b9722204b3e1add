"""Claims about loops of curation fail on planted bugs."""

from __future__ import annotations

from tests.evidence import curation_mutants as m
from tests.evidence.bugs import must_fail, planted
from truing.diagnostics.audits import self_consuming

BUGS = {
    "self-consuming-curation/ends-at-the-maximisers": [m.nobody_chooses, m.worst_kept],
    "self-consuming-curation/many-candidates-tilt": [m.always_tilted, m.always_pairs, m.other_temperature],
    "self-consuming-curation/one-candidate-changes-nothing": [m.always_tilted, m.one_more_candidate],
    "self-consuming-curation/real-data-hold-it": [m.real_data_ignored, m.nobody_chooses],
    "self-consuming-curation/rises-at-least-by-the-variance": [m.nobody_chooses, m.worst_kept],
    "self-consuming-curation/the-rarer-mode-dies": [m.worst_kept, m.nobody_chooses],
}


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug, bug(self_consuming))
