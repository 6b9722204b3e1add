"""Sampled answers: their log-probabilities, and the distance between two models on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.policies.models import tiny
from truing.evaluation.samples import Answers, compare, kl_of_samples, score_answers
from truing.policies.causal import CausalPolicy


def test_the_estimate_is_unbiased_and_never_negative() -> None:
    own, other = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    # One token: its expectation under `own` is the divergence itself, Σ p log(p / q).
    each = kl_of_samples([np.log([p]) for p in own], [np.log([q]) for q in other])
    assert each.min() >= 0
    assert each[1] == pytest.approx(0)
    assert float((own * each).sum()) == pytest.approx(float((own * np.log(own / other)).sum()))


def test_tokens_of_an_answer_add_up() -> None:
    one = kl_of_samples([np.array([-1.0])], [np.array([-2.0])])[0]
    two = kl_of_samples([np.array([-1.0, -1.0]), np.zeros(0)], [np.array([-2.0, -2.0]), np.zeros(0)])
    assert two.tolist() == [pytest.approx(2 * one), 0.0]


def test_answers_are_scored_as_the_model_itself_does() -> None:
    policy = CausalPolicy(tiny("llama"), precision="float32")
    prompts, answers = [[5, 6, 7], [8, 9], [4]], [[10, 11], [], [12, 13, 14]]
    found = score_answers(policy, prompts, Answers(answers, ["", "", ""]), budget=100)
    assert [len(part) for part in found] == [2, 0, 3]
    with torch.no_grad():
        logits = policy.inner(input_ids=torch.tensor([[4, 12, 13, 14]])).logits[0, :-1].log_softmax(-1)
    expected = logits[torch.arange(3), torch.tensor([12, 13, 14])]
    np.testing.assert_allclose(found[2], expected.numpy(), atol=1e-5)


def test_answers_to_one_prompt_count_once() -> None:
    before = Answers([[1, 2]] * 4, ["You idiot, I hate you."] * 4)
    after = Answers([[1, 2, 3]] * 4, ["I am sorry, I cannot help with that."] * 4)
    found = compare(before, after, judge="harmlessness", ends={2}, kl=None, per_prompt=2)
    assert found.win_rate is not None
    assert found.win_rate.rate.n == 2
    assert found.win_rate.wins == 4
    assert found.length.value == 1.0
    assert (found.finished_before, found.finished_after) == (1.0, 0.0)
