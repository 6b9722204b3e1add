"""Statistics of a reference policy from its texts."""

from pathlib import Path

import pytest
import torch

from truing.errors import DataError
from truing.rewards.algebra import AnswerScorer, Origin, Rewards, beside, prompt_key
from truing.rewards.reference_scores import kept_reference_stats, reference_stats
from truing.rewards.scorers import load_scorer

SCORERS = [AnswerScorer(load_scorer(name)) for name in ("sentiment", "harmlessness")]
PROMPTS = ["How was it?", "And then?"]
SAMPLES = [["Wonderful.", "Dull."], ["We left early and were sorry."]]


def score(prompts, completions) -> Rewards:
    return beside([scorer(prompts, completions) for scorer in SCORERS])


def test_each_answer_is_scored_for_its_prompt() -> None:
    stats = reference_stats(score, PROMPTS, SAMPLES, Origin("p", "s"))
    assert stats.names == ("sentiment", "harmlessness")
    assert stats.counts.tolist() == [[2, 2], [1, 1]]
    scores = load_scorer("sentiment").scores(["Wonderful.", "Dull.", SAMPLES[1][0]])
    assert stats.mean([prompt_key(p) for p in PROMPTS])[:, 0].tolist() == pytest.approx(
        [scores[:2].mean(), scores[2]]
    )


def test_columns_go_with_their_prompt() -> None:
    def length(prompts, completions, columns) -> Rewards:
        return Rewards.of(torch.tensor([float(n) for n in columns["number"]]), ("number",))

    stats = reference_stats(length, PROMPTS, SAMPLES, Origin("p", "s"), {"number": [3, 8]})
    assert stats.samples.nan_to_num(-1).tolist() == [[[3.0], [3.0]], [[8.0], [-1.0]]]


def test_made_once(tmp_path: Path) -> None:
    calls = []

    def draw() -> list[list[str]]:
        calls.append(1)
        return SAMPLES

    def kept(**change):
        settings = {"policy": "p", "scorer": "s", "sampling": {"count": 2, "seed": 0}, **change}
        return kept_reference_stats(tmp_path, score, PROMPTS, draw, **settings)

    first, second = kept(), kept()
    assert len(calls) == 1
    assert torch.equal(first.samples.nan_to_num(-9), second.samples.nan_to_num(-9))
    assert first.origin == second.origin
    kept(policy="after training")
    kept(sampling={"count": 2, "seed": 1})
    assert len(calls) == 3


def test_samples_that_do_not_fit() -> None:
    with pytest.raises(DataError, match=r"(?s)no answer to a prompt.*prompt 1"):
        reference_stats(score, PROMPTS, [["a"], []], Origin("p", "s"))
    with pytest.raises(DataError, match="samples for 1 prompts, and 2 prompts"):
        reference_stats(score, PROMPTS, [["a"]], Origin("p", "s"))
