"""What labelled pairs tell about a reward."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from truing.rewards.evaluation.ensemble import ensemble_pairs
from truing.rewards.evaluation.findings import pair_findings
from truing.rewards.evaluation.mistakes import surest_mistakes
from truing.rewards.evaluation.pairs import JudgedPairs, judge_pairs


def judged(log_odds: list[float], lengths: list[tuple[int, int]] | None = None, subsets: str = "") -> JudgedPairs:
    count = len(log_odds)
    given = lengths or [(3, 3)] * count
    names = list(subsets) or [""] * count
    half = np.array(log_odds) / 2
    return JudgedPairs([str(i) for i in range(count)], np.stack([half, -half], 1), np.array(given), names)


def test_subsets_count_alike_in_the_macro_average() -> None:
    """a: 3 of 3 right; b: 0 of 1. Pooled ¾, mean of subsets ½."""
    report = judge_pairs(judged([1, 2, 3, -1], subsets="aaab"))
    assert report.accuracy.value == 0.75
    assert report.macro_accuracy == 0.5
    assert {name: (e.value, e.n) for name, e in report.subsets.items()} == {"a": (1.0, 3), "b": (0.0, 1)}


def test_gaps_that_are_no_log_odds_say_no_confidence() -> None:
    """Points of a rating: 3 of 4 in order, but a gap of 20 points is not 100 % sure."""
    own = replace(judged([20, 30, 5, -10]), odds=False)
    report = judge_pairs(own)
    assert report.accuracy.value == 0.75
    assert report.calibration.bins == ()
    assert [found.name for found in pair_findings(report)] == [
        found.name for found in pair_findings(judge_pairs(judged([20, 30, 5, -10]))) if found.name != "calibration"
    ]
    together = ensemble_pairs({"a": own, "b": judged([1, 2, 3, -1])})
    assert {e.odds for e in together.values()} == {False}


def test_what_was_not_measured_is_not_said() -> None:
    """All right, so that no finite scale is best; three pairs, too few for a correlation; none is shorter."""
    few = " ".join(found.sentence for found in pair_findings(judge_pairs(judged([0.1, 0.2, 0.3]))))
    assert "nan" not in few
    assert "dividing" not in few
    lengths = [(9, 1), (8, 2), (7, 3), (6, 4), (5, 4)]
    found = pair_findings(judge_pairs(judged([0.1, 0.2, 0.5, -0.4, 0.3], lengths)))[-1]
    assert found.name == "length"
    assert found.sentence.endswith("; where the chosen answer is the longer one it is right in 80.0%.")


def test_ties_are_half_right() -> None:
    report = judge_pairs(judged([0.0, 0.0, 1.0, -1.0]))
    assert report.accuracy.value == 0.5
    assert report.ties == 2
    assert report.macro_accuracy == 0.5


def test_a_reward_that_counts_tokens_is_found_out() -> None:
    """Log-odds are the difference of lengths: right where the chosen answer is longer, wrong where it is shorter."""
    lengths = [(9, 1), (8, 2), (1, 4), (2, 7), (5, 4), (3, 9)]
    report = judge_pairs(judged([float(a - b) for a, b in lengths], lengths))
    assert report.length_correlation.value == pytest.approx(1)
    assert (report.chosen_longer.value, report.chosen_longer.n) == (1.0, 3)
    assert (report.chosen_shorter.value, report.chosen_shorter.n) == (0.0, 3)
    (length,) = [f for f in pair_findings(report) if f.name == "length"]
    assert length.verdict == "changed"
    assert "follow length (rank correlation 1.00" in length.sentence


@pytest.mark.parametrize(("right", "wrong", "verdict"), [(90, 10, "better"), (10, 90, "worse"), (51, 49, "same")])
def test_the_verdict_follows_the_interval(right: int, wrong: int, verdict: str) -> None:
    report = judge_pairs(judged([1.0] * right + [-1.0] * wrong))
    assert pair_findings(report)[0].verdict == verdict


def test_the_report_is_json_without_nan() -> None:
    text = json.dumps(judge_pairs(judged([1.0, 2.0])).as_dict(), allow_nan=False)
    assert json.loads(text)["length_correlation"]["value"] is None


def test_accuracy_by_length_keeps_equal_differences_together() -> None:
    """20 pairs, ten of them 5 tokens shorter and wrong, ten 3 longer and right: two parts, cut between them."""
    report = judge_pairs(judged([-1.0] * 10 + [1.0] * 10, [(1, 6)] * 10 + [(5, 2)] * 10))
    assert [(part.low, part.high, part.accuracy.value, part.accuracy.n) for part in report.by_length] == [
        (-5, -5, 0.0, 10),
        (3, 3, 1.0, 10),
    ]


def test_few_pairs_are_not_cut_by_length() -> None:
    assert judge_pairs(judged([1.0] * 19)).by_length == ()


def test_the_surest_mistakes_come_first_with_their_texts() -> None:
    from datasets import Dataset

    from truing.data.records import Records

    message = [{"role": "user", "content": "q"}]
    rows = [
        {
            "id": str(i),
            "prompt": [{"role": "system", "content": "s"}, *message],
            "chosen": message,
            "rejected": message,
        }
        for i in reversed(range(4))
    ]
    records = Records(Dataset.from_list(rows), "pairs", True, "x", "y")
    found = surest_mistakes(judged([-1.0, 2.0, -3.0, 0.0], [(1, 2), (3, 4), (5, 6), (7, 8)], "abcd"), records)
    assert [(m.id, m.subset, m.log_odds, m.tokens) for m in found] == [
        ("2", "c", -3.0, (5, 6)),
        ("0", "a", -1.0, (1, 2)),
    ]
    assert (found[0].prompt, found[0].chosen) == ("system: s\n\nuser: q", "q")
