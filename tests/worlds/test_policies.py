from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from truing.errors import ModelError
from truing.worlds import Autoregressive, LogLinear, Tabular


def test_tabular_probabilities_by_hand():
    policy = Tabular(torch.tensor([0.0, math.log(3.0)]))
    # softmax(0, log 3) = (1/4, 3/4)
    assert policy.probabilities().tolist() == [pytest.approx([0.25, 0.75])]
    scores = policy.score([(0, 1), (0, 0), (0, 1)])
    assert scores.token_logps.exp().tolist() == pytest.approx([0.75, 0.25, 0.75])
    assert scores.lengths.tolist() == [1, 1, 1]
    assert scores.token_logps.dtype == torch.float64


def test_log_linear_moves_similar_answers_together():
    features = torch.tensor([[1.0], [0.0], [2.0]])
    policy = LogLinear(features, base=torch.tensor([0.0, 1.0, 0.0]), parameters=torch.tensor([0.5]))
    # logits 0.5, 1.0, 1.0
    expected = [math.exp(x) / (math.exp(0.5) + 2 * math.e) for x in (0.5, 1.0, 1.0)]
    assert policy.probabilities()[0].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("vocabulary", "longest"), [(1, 3), (2, 3), (3, 2), (4, 2)])
def test_autoregressive_lists_every_string_once(vocabulary, longest):
    policy = Autoregressive(vocabulary, longest)
    strings = {s for n in range(longest + 1) for s in product(range(vocabulary), repeat=n)}
    assert len(policy.outputs) == sum(vocabulary**n for n in range(longest + 1))
    assert set(policy.outputs) == strings
    assert policy.lengths.tolist() == [len(s) + 1 for s in policy.outputs]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["prefix", "last"]), st.integers(1, 3), st.integers(1, 3))
def test_autoregressive_probabilities_sum_to_one(seed, context, vocabulary, longest):
    policy = Autoregressive.random(seed, vocabulary, longest, context=context, spread=2.0)
    assert float(policy.probabilities().sum()) == pytest.approx(1.0, abs=1e-12)


def test_autoregressive_probability_of_one_string_by_hand():
    # Vocabulary {0}, at most two tokens: contexts (), (0), (00); at (00) the string can only end.
    logits = torch.zeros(1, 2, 2)
    logits[0, 0] = torch.log(torch.tensor([0.6, 0.4]))  # first token: 0 or end
    logits[0, 1] = torch.log(torch.tensor([0.3, 0.7]))  # after 0
    policy = Autoregressive(1, 2, logits=logits)
    # "" = 0.4, "0" = 0.6·0.7, "00" = 0.6·0.3·1
    assert policy.outputs == [(), (0,), (0, 0)]
    assert policy.probabilities()[0].tolist() == pytest.approx([0.4, 0.42, 0.18], rel=1e-6)
    tokens = policy.score([(0, 2)]).token_logps.exp().tolist()
    assert tokens == pytest.approx([0.6, 0.3, 1.0], rel=1e-6)


def test_last_token_context_shares_parameters():
    policy = Autoregressive.random(0, 2, 3, context="last")
    first = policy.score([(0, policy.outputs.index((0, 1, 0)))]).token_logps
    second = policy.score([(0, policy.outputs.index((1, 1, 0)))]).token_logps
    # The last two tokens before the end follow the same previous token in both strings.
    assert first[2] == second[2]
    free = Autoregressive.random(0, 2, 3, context="prefix")
    a = free.score([(0, free.outputs.index((0, 1, 0)))]).token_logps
    b = free.score([(0, free.outputs.index((1, 1, 0)))]).token_logps
    assert a[2] != b[2]


def test_score_of_sequences_adds_up_to_the_table():
    policy = Autoregressive.random(3, 2, 3)
    items = [(0, k) for k in reversed(range(len(policy.outputs)))]
    scores = policy.score(items)
    torch.testing.assert_close(scores.total(scores.token_logps), policy.logps()[0].flip(0))


def test_collision_signal_is_the_log_of_summed_squares():
    policy = Tabular(torch.log(torch.tensor([0.5, 0.3, 0.2])))
    signal = policy.score([(0, 0), (0, 2)], signals=["log_collision"]).signals["log_collision"]
    # 0.25 + 0.09 + 0.04 = 0.38, the same for every answer to the prompt
    assert signal.exp().tolist() == pytest.approx([0.38, 0.38], rel=1e-6)


def test_collision_of_a_forced_end_is_one():
    policy = Autoregressive.random(0, 2, 1)
    signal = policy.score([(0, 1)], signals=["log_collision"]).signals["log_collision"]
    assert signal[-1] == 0.0
    assert signal[0] < 0.0


def test_gradient_flows_to_every_parameter_and_not_to_a_frozen_copy():
    policy = Autoregressive.random(0, 2, 2)
    policy.logps().sum().backward()
    assert policy.table.grad is not None
    assert bool((policy.table.grad != 0).any())
    assert not policy.frozen().logps().requires_grad


@pytest.mark.parametrize("policy", [Tabular(torch.zeros(2)), Autoregressive(1, 1)])
def test_unknown_signal_is_refused(policy):
    with pytest.raises(ModelError, match="no signal 'entropy'"):
        policy.score([(0, 0)], signals=["entropy"])


def test_wrong_shape_of_logits_is_refused():
    with pytest.raises(ModelError, match=r"shape \(1, 3, 3\)"):
        Autoregressive(1, 2, logits=torch.zeros(1, 3, 3))
