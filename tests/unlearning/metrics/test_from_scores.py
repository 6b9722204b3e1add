"""Metrics of given log-probabilities, with numbers worked out by hand."""

from __future__ import annotations

import math
import zlib

import numpy as np
import pytest

from truing.errors import DataError, ModelError
from truing.unlearning.items import Item
from truing.unlearning.metrics.answers import AnswerScores
from truing.unlearning.metrics.extraction import extraction_strength, strength
from truing.unlearning.metrics.membership import attack
from truing.unlearning.metrics.probability import probability, probability_among
from truing.unlearning.metrics.truth_ratio import indifference, log_truth_ratio, truthfulness

LOG = math.log


def scores(answer, *, paraphrased=0.0, wrong=(), correct=None, content=None, text="a"):
    """One question."""
    tokens = np.array(answer, dtype=float)
    hits = np.zeros(len(tokens), dtype=bool) if correct is None else np.array(correct, dtype=bool)
    return AnswerScores(
        [Item("q", text, perturbed_answer=("w",) * len(wrong))],
        [tokens],
        [hits],
        [len(tokens) if content is None else content],
        np.array([paraphrased]),
        [np.array(wrong, dtype=float)],
    )


class TestProbability:
    def test_is_the_geometric_mean_of_the_tokens(self):
        # (0.5 · 0.125)^(1/2) = 0.25
        assert probability(scores([LOG(0.5), LOG(0.125)]))[0] == pytest.approx(0.25)

    def test_among_alternatives(self):
        # 0.25 beside 0.5 and 0.25: a quarter of all
        found = probability_among(scores([LOG(0.25)], wrong=[LOG(0.5), LOG(0.25)]))
        assert found[0] == pytest.approx(0.25)

    def test_answers_of_any_improbability_compare(self):
        # both underflow; the right one is e times likelier: e / (e + 1)
        found = probability_among(scores([-2000.0], wrong=[-2001.0]))
        assert found[0] == pytest.approx(math.e / (math.e + 1)) == pytest.approx(0.7311, abs=1e-4)

    def test_needs_alternatives(self):
        with pytest.raises(DataError, match="no alternatives to choose from") as caught:
            probability_among(scores([-1.0]))
        assert caught.value.where == "question 1: 'q'"


class TestTruthRatio:
    # wrong answers at 0.1 and 0.4, the paraphrase at 0.5
    GIVEN = scores([-1.0], paraphrased=LOG(0.5), wrong=[LOG(0.1), LOG(0.4)])

    def test_of_the_paper(self):
        # mean of the wrong ones (0.1 + 0.4)/2 = 0.25, over 0.5
        assert math.exp(log_truth_ratio(self.GIVEN)[0]) == pytest.approx(0.5)

    def test_of_the_authors_code(self):
        # sqrt(0.1 · 0.4) = 0.2, over 0.5
        assert math.exp(log_truth_ratio(self.GIVEN, "geometric")[0]) == pytest.approx(0.4)

    def test_truthfulness_and_indifference(self):
        # R = 0.5: 1 − 0.5 and 0.5. R = 4: 0 and 1/4. R = 1: 0 and 1.
        ratios = np.log([0.5, 4.0, 1.0])
        assert truthfulness(ratios) == pytest.approx([0.5, 0.0, 0.0])
        assert indifference(ratios) == pytest.approx([0.5, 0.25, 1.0])

    def test_extremes_stay_numbers(self):
        # a collapsed model: the right answer at e^-3000, wrong ones likelier, and the other way round
        collapsed = log_truth_ratio(scores([-1.0], paraphrased=-3000.0, wrong=[-1.0, -1.0]))
        certain = log_truth_ratio(scores([-1.0], paraphrased=0.0, wrong=[-math.inf]))
        assert (truthfulness(collapsed)[0], indifference(collapsed)[0]) == (0.0, 0.0)
        assert (truthfulness(certain)[0], indifference(certain)[0]) == (1.0, 0.0)

    def test_what_cannot_be_computed_is_named(self):
        with pytest.raises(DataError, match="a truth ratio needs wrong answers"):
            log_truth_ratio(scores([-1.0]))
        with pytest.raises(ModelError, match="right and wrong answers all have probability 0"):
            log_truth_ratio(scores([-1.0], paraphrased=-math.inf, wrong=[-math.inf]))


class TestExtractionStrength:
    @pytest.mark.parametrize(
        ("correct", "expected"),
        [
            ([1, 1, 1, 1], 1.0),  # the question is enough
            ([0, 1, 1, 1], 0.75),  # one token has to be given
            ([1, 1, 0, 1], 0.25),  # what is right before the last mistake does not help
            ([1, 1, 1, 0], 0.0),  # the last token does not follow
            ([0, 0, 0, 0], 0.0),
            ([1], 1.0),
            ([0], 0.0),
        ],
    )
    def test_by_hand(self, correct, expected):
        assert strength(np.array(correct, dtype=bool)) == expected

    def test_the_token_that_ends_the_answer_does_not_count(self):
        # the last of four tokens ends the answer and would be wrong
        given = scores([-1.0] * 4, correct=[0, 1, 1, 0], content=3)
        assert extraction_strength(given)[0] == pytest.approx(2 / 3)


class TestAttacks:
    # five tokens of the answer and one that ends it
    GIVEN = scores([-1.0, -5.0, -2.0, -4.0, -3.0, -99.0], content=5, text="Ann was born in Oslo.")

    def test_loss(self):
        assert attack("loss", self.GIVEN)[0] == -3.0

    def test_zlib(self):
        assert attack("zlib", self.GIVEN)[0] == pytest.approx(-3.0 / len(zlib.compress(b"Ann was born in Oslo.")))

    def test_min_k(self):
        # 40 % of five tokens are the two least likely: (−5 − 4)/2
        assert attack("min-k", self.GIVEN)[0] == -4.5

    def test_min_k_looks_at_one_token_at_least(self):
        assert attack("min-k", scores([-1.0, -2.0]))[0] == -2.0
