"""The relearning attack."""

from __future__ import annotations

import pytest
import torch

from truing.errors import DataError, ModelError
from truing.unlearning.metrics.answers import encode, score
from truing.unlearning.metrics.probability import probability
from truing.unlearning.metrics.relearning import Attack, relearn, unchanged


def state(policy):
    return {name: p.detach().clone() for name, p in policy.model.named_parameters()}


def test_weights_come_back_bit_by_bit_and_the_attack_works(make_policy, tokenizer, suite):
    policy = make_policy()
    before = state(policy)
    found = relearn(policy, encode(suite.retain, tokenizer), Attack(share=0.5, steps=8, learning_rate=3e-3))
    # eight questions: four are taught, the four others asked
    assert (found.taught, found.before.n, found.after.n) == (4, 4, 4)
    # the answers have words in common, so that those that were not taught rise too
    assert found.change.value > 0
    assert found.change.value == pytest.approx(found.after.value - found.before.value)
    assert all(torch.equal(p, before[name]) for name, p in policy.model.named_parameters())
    assert all(p.grad is None for p in policy.model.parameters())


def test_no_steps_change_nothing(make_policy, tokenizer, suite):
    found = relearn(make_policy(), encode(suite.retain, tokenizer), Attack(steps=0))
    assert found.change.value == 0.0


def test_the_asked_are_not_the_taught(make_policy, tokenizer, suite):
    encoded = encode(suite.retain, tokenizer)
    policy = make_policy()
    own = probability(score(policy, encoded))
    found = relearn(policy, encoded, Attack(share=0.01, steps=0))
    # one is taught, so that the mean leaves exactly one out
    assert found.taught == 1
    left_out = own.sum() - found.before.value * 7
    assert min(abs(own - left_out)) < 1e-7


def test_budgets_give_the_same_attack(make_policy, tokenizer, suite):
    encoded = encode(suite.retain, tokenizer)
    how = Attack(share=0.5, steps=2, learning_rate=1e-3)
    first, second = (relearn(make_policy(), encoded, how, budget=budget) for budget in (4096, 1))
    assert first.after.value == pytest.approx(second.after.value, rel=1e-4)


def test_weights_come_back_after_an_error(make_policy):
    policy = make_policy()
    before = state(policy)
    first = next(policy.model.parameters())
    first.grad = torch.ones_like(first)

    def attacked():
        with unchanged(policy), torch.no_grad():
            assert first.grad is None
            first.add_(1.0)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        attacked()
    assert all(torch.equal(p, before[name]) for name, p in policy.model.named_parameters())
    assert torch.equal(first.grad, torch.ones_like(first))


def test_what_is_refused(make_policy, tokenizer, suite):
    policy, encoded = make_policy(), encode(suite.retain, tokenizer)
    with pytest.raises(DataError, match="there are 1"):
        relearn(policy, encode(suite.retain[:1], tokenizer))
    for share in (0.0, 1.0):
        with pytest.raises(DataError, match="the share to relearn is"):
            relearn(policy, encoded, Attack(share=share))
    policy.model.requires_grad_(False)
    with pytest.raises(ModelError, match="no weight that can be trained"):
        relearn(policy, encoded)
