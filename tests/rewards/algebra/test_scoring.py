"""Scorers, pair scorers, and how one is made of the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch

from truing.errors import DataError
from truing.rewards.algebra import (
    AgainstPopulation,
    AnswerScorer,
    Differences,
    PairScorer,
    Rewards,
    Scorer,
    prompt_key,
    skew,
)
from truing.rewards.scorers import load_scorer


@dataclass(frozen=True)
class Lengths:
    """Characters and vowels; no vowels are counted in an empty answer."""

    names: tuple[str, ...] = ("characters", "vowels")

    def __call__(self, prompts: Sequence[str], completions: Sequence[str]) -> Rewards:
        table = [[float(len(text)), float(sum(text.count(v) for v in "aeiou"))] for text in completions]
        known = [[True, bool(text)] for text in completions]
        return Rewards.of(torch.tensor(table), self.names, torch.tensor(known))


def test_protocols() -> None:
    assert isinstance(Lengths(), Scorer)
    assert isinstance(Differences(Lengths(), "vowels"), PairScorer)
    assert isinstance(AnswerScorer(load_scorer("sentiment")), Scorer)


def test_lifted_by_hand() -> None:
    """Lengths 1, 3, 2: s_01 = −2, s_12 = 1."""
    table = Differences(Lengths(), "characters")("p", ["a", "bcd", "ef"])
    assert table.tolist() == [[0, -2, -1], [2, 0, 1], [1, -1, 0]]


def test_mean_against_a_population_gives_the_scorer_back() -> None:
    """Up to the population's own mean: lengths 2 and 6 have the mean 4."""
    against = AgainstPopulation(Differences(Lengths(), "characters"), {prompt_key("p"): ["xx", "xxxxxx"]})
    assert against(["p", "p"], ["a", "abcdefgh"]).values[:, 0].tolist() == [-3.0, 4.0]


def test_scores_do_not_depend_on_the_batch() -> None:
    scorer = AnswerScorer(load_scorer("sentiment"))
    texts = ["a fine film", "dull, long and dull again", "ok"]
    together = scorer(["p"] * 3, texts).values
    alone = torch.cat([scorer(["p"], [text]).values for text in texts])
    assert torch.allclose(together, alone, atol=1e-12)
    assert scorer.names == ("sentiment",)


def test_what_was_not_scored_cannot_be_compared() -> None:
    with pytest.raises(DataError, match="answer 1 was not scored"):
        Differences(Lengths(), "vowels")("p", ["a", ""])


def test_one_objective_at_a_time() -> None:
    with pytest.raises(DataError, match="one objective at a time"):
        Differences(Lengths())("p", ["a", "b"])


def test_no_opponents() -> None:
    against = AgainstPopulation(Differences(Lengths(), "characters"), {})
    with pytest.raises(DataError, match="no answer to this prompt"):
        against(["p"], ["a"])


def test_a_table_that_is_not_skew() -> None:
    with pytest.raises(DataError, match=r"s\[0, 1\] = 1 and s\[1, 0\] = 1"):
        skew(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    with pytest.raises(DataError, match=r"s\[1, 1\] = 2"):
        skew(torch.tensor([[0.0, 1.0], [-1.0, 2.0]]))
