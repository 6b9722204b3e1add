"""Every claim about an audit fails on each of the bugs that it is paired with here."""

from __future__ import annotations

import pytest

from tests.evidence import audit_mutants as m
from tests.evidence import mode_seeking_mutants as s
from tests.evidence.bugs import must_fail, planted, with_planted_bugs
from truing.diagnostics.audits import AUDITS
from truing.evidence import CLAIMS

BUGS = {
    "ches/ranks-displacement": [m.exchanged, m.not_centred, m.negated, m.another_pair],
    "ches/better-than-text": [m.not_centred, m.negated, m.another_pair],
    "ranking-accuracy/reached-by-the-optimum": [m.odds_times_beta, m.reference_ignored],
    "ranking-accuracy/short-training-falls-short": [m.relative_accuracy],
    "ranking-accuracy/difficulty-predicts-flips": [m.easiest_first],
    "ranking-accuracy/needed-loss": [m.loss_of_the_right, m.relative_accuracy],
    "3d-properties/disperses-off-policy": [m.seen_instead, m.not_a_change],
    "3d-properties/does-not-disperse-on-policy": [m.seen_instead, m.not_a_change, m.sides_exchanged],
    "3d-properties/drop-outgrows-the-gain": [m.sides_exchanged],
    "likelihood-overopt/stopping-saves-quality": [m.never, m.only_mass],
    "likelihood-overopt/comes-after-the-best": [m.never, m.at_once],
    "likelihood-overopt/costs-where-more-is-better": [m.never],
    "on-policy-negative-gradient/reverse-kl-leads-early": [
        s.divergences_exchanged,
        s.always_maximum_likelihood,
        s.larger_steps,
    ],
    "on-policy-negative-gradient/forward-kl-overtakes-late": [
        s.divergences_exchanged,
        s.always_maximum_likelihood,
        s.stops_early,
    ],
    "on-policy-negative-gradient/weak-tilts-coincide": [s.fixed_beta, s.labels_exchanged],
    "on-policy-negative-gradient/order-where-the-optimum-is-far": [
        s.never_drawn_again,
        s.no_negatives,
        s.labels_exchanged,
    ],
    "on-policy-negative-gradient/little-to-gain-where-the-optimum-is-near": [s.never_drawn_again, s.no_negatives],
    "on-policy-negative-gradient/skewed-pairs-mislead": [s.labels_exchanged, s.pairs_of_the_start],
    "on-policy-negative-gradient/reuse-wears-out-on-policy-pairs": [s.never_drawn_again, s.always_drawn_again],
    "on-policy-negative-gradient/clipping-saves-reuse": [s.clip_ignored],
    "on-policy-negative-gradient/displacement-needs-shared-features": [
        s.nothing_shared,
        s.labels_exchanged,
        s.no_negatives,
    ],
}


def test_every_claim_has_a_planted_bug():
    assert {entry.name for entry in CLAIMS if entry.method in AUDITS} <= with_planted_bugs()


@pytest.mark.parametrize("audit", list(AUDITS), ids=lambda audit: audit.name)
def test_every_audit_has_a_claim_and_an_explanation(audit):
    assert any(entry.method == audit.name for entry in CLAIMS)
    assert all(": " in line for line in audit.legend)
    assert audit.use_when.endswith(".")
    assert audit.avoid_when.endswith(".")


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    audit = AUDITS.get(name.split("/")[0])
    must_fail(name, bug, bug(audit.compute))
