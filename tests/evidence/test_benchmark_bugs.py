"""Claims about benchmarks of rewards fail on planted bugs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.rewards.evaluation.benchmarks import CONVENTIONS, benchmark_scores, rag_rewardbench
from truing.statistics import UNKNOWN


def pooled_for_the_mean(log_odds, scenarios, longer):
    found = rag_rewardbench(log_odds, scenarios, longer)
    return replace(found, average=found.pooled)


def sides_exchanged(log_odds, scenarios, longer):
    return rag_rewardbench(-log_odds, scenarios, longer)


def _with(right):
    return lambda log_odds, scenarios, longer: benchmark_scores(
        right(log_odds).astype(float), scenarios, longer, CONVENTIONS["rag-rewardbench"]
    )


def ties_are_wrong(log_odds, scenarios, longer):
    return _with(lambda odds: odds > 0)(log_odds, scenarios, longer)


def ties_are_right(log_odds, scenarios, longer):
    return _with(lambda odds: odds >= 0)(log_odds, scenarios, longer)


def scenarios_lost(log_odds, scenarios, longer):
    return rag_rewardbench(log_odds, [""] * len(scenarios), longer)


def one_scenario_shifted(log_odds, scenarios, longer):
    """Scenarios of the next pair: rows and their labels out of step."""
    return rag_rewardbench(log_odds, list(np.roll(np.array(scenarios), 30)), longer)


def longer_for_shorter(log_odds, scenarios, longer):
    return rag_rewardbench(log_odds, scenarios, -longer)


def length_forgotten(log_odds, scenarios, longer):
    return replace(rag_rewardbench(log_odds, scenarios, longer), chosen_shorter=UNKNOWN)


BUGS = {
    "rag-rewardbench/oracle-reaches-one": [sides_exchanged, scenarios_lost],
    "rag-rewardbench/counting-words-fails": [sides_exchanged, longer_for_shorter, length_forgotten],
    "rag-rewardbench/overlap-passes-citation-and-fails-conflict": [
        sides_exchanged,
        scenarios_lost,
        one_scenario_shifted,
    ],
    "rag-rewardbench/scenarios-count-alike": [pooled_for_the_mean, ties_are_wrong, ties_are_right],
    "rag-rewardbench/implicit-rewards-are-measured-alike": [sides_exchanged, scenarios_lost],
}


def test_every_claim_has_a_planted_bug():
    assert claims_of("rag-rewardbench") == set(BUGS)


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug)
