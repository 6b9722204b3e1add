from __future__ import annotations

import math

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives import bco, dpo, kto, sft, wpo
from truing.worlds import (
    Autoregressive,
    Problem,
    Tabular,
    bradley_terry,
    demonstrations,
    descend,
    exact_pairs,
    exact_thumbs,
    fit,
    pairs,
    sample_pairs,
    tilted,
    total_variation,
)

UTILITY = torch.tensor([[0.0, 1.0, -1.0, 0.5]], dtype=torch.float64)


def start(seed=0):
    return Tabular(torch.randn(1, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))


def test_fit_leaves_its_arguments_alone():
    policy = start()
    before = policy.table.detach().clone()
    trace = fit(policy, dpo(beta=0.5), exact_pairs(bradley_terry(UTILITY)))
    assert torch.equal(policy.table, before)
    assert not torch.equal(trace.policy.table, before)


def test_fit_reaches_a_point_without_gradient():
    trace = fit(start(), dpo(beta=0.5), exact_pairs(bradley_terry(UTILITY)))
    assert trace.converged
    assert trace.gradient < 1e-8
    # At the optimum the expected loss is the entropy of a label, averaged over the 16 draws of two answers.
    win = bradley_terry(UTILITY)[0]
    entropy = -(win * win.log() + (1 - win) * (1 - win).log()).mean()
    assert trace.losses == [pytest.approx(float(entropy))]


def test_the_reference_can_be_another_policy():
    other = start(1)
    trace = fit(start(0), dpo(beta=0.5), exact_pairs(bradley_terry(UTILITY)), reference=other)
    assert total_variation(trace.policy.probabilities(), tilted(other.probabilities(), UTILITY, 0.5)) < 1e-6


def test_sampled_pairs_approach_the_exact_optimum():
    policy, win, beta = start(), bradley_terry(UTILITY), 0.5
    trained = fit(policy, dpo(beta=beta), sample_pairs(win, 20_000, 0)).policy
    assert total_variation(trained.probabilities(), tilted(policy.probabilities(), UTILITY, beta)) < 0.03


def test_one_step_of_descent_by_hand():
    # Two equal answers, beta 1: the gradient of −log σ(d) by the logits is (−1/2, +1/2).
    policy = Tabular(torch.zeros(2))
    trace = descend(policy, dpo(beta=1.0), pairs([0], [1]), steps=1, rate=0.2)
    assert trace.policy.table.tolist() == [pytest.approx([0.1, -0.1])]
    assert trace.losses == pytest.approx([math.log(2), math.log1p(math.exp(-0.2))])


def test_decay_shortens_the_steps():
    policy = Tabular(torch.zeros(2))

    def gap(decay):
        trained = descend(policy, dpo(beta=1e-6), pairs([0], [1]), steps=3, rate=1e6, decay=decay).policy
        return float(trained.table.detach()[0, 0] - trained.table.detach()[0, 1])

    # At tiny beta every step is alike: 1 + 1 + 1 against 1 + 1/2 + 1/3.
    assert gap(0.0) / gap(1.0) == pytest.approx(3 / (11 / 6), rel=1e-3)


def test_watch_is_called_before_each_step_and_after_the_last():
    seen = descend(
        start(),
        dpo(),
        pairs([0], [1]),
        steps=4,
        rate=1.0,
        watch=lambda policy: {"first": float(policy.logps().detach()[0, 0])},
    ).watched
    assert len(seen) == 5
    firsts = [point["first"] for point in seen]
    assert firsts == sorted(firsts)
    assert firsts[0] == float(start().logps().detach()[0, 0])


def test_state_is_updated_until_it_stops_moving():
    up = torch.sigmoid(torch.tensor([[-1.0, 0.0, 1.0]], dtype=torch.float64))
    policy = Tabular(torch.tensor([0.5, 0.0, -0.2]))
    trace = fit(policy, bco(beta=1.0, momentum=0.0), exact_thumbs(up), tolerance=1e-7)
    assert trace.converged
    assert len(trace.losses) > 1
    assert (
        total_variation(trace.policy.probabilities(), tilted(policy.probabilities(), torch.logit(up), 1.0)) < 1e-4
    )


def test_the_baseline_of_kto_comes_from_mismatched_answers():
    up = torch.tensor([[0.9, 0.1], [0.1, 0.9]], dtype=torch.float64)
    policy, reference = Tabular(torch.tensor([[2.0, 0.0], [2.0, 0.0]])), Tabular(torch.zeros(2, 2))
    objective = kto(beta=1.0)
    state = Problem(objective, exact_thumbs(up), reference).update(policy, objective.init())
    # Outputs are equally frequent in the data, so the mean log-ratio is that of both outputs.
    expected = float((policy.logps() - reference.logps()).detach().mean())
    assert float(state[0]["kl"]) == pytest.approx(max(0.0, expected), abs=1e-6)


def test_kto_with_a_single_prompt_is_refused():
    with pytest.raises(ObjectiveError, match="mismatched"):
        fit(start(), kto(), exact_thumbs(torch.full((1, 4), 0.5, dtype=torch.float64)))


def test_signals_that_an_objective_asks_for_are_passed():
    policy = Autoregressive.random(0, 2, 2)
    trace = descend(policy, wpo(beta=0.5), pairs([3], [1]), steps=2, rate=0.1)
    assert trace.losses[-1] < trace.losses[0]


def test_a_loss_without_minimum_is_not_called_converged():
    unbounded = -1.0 * sft()
    trace = fit(start(), unbounded, demonstrations(torch.full((1, 4), 0.25)), iterations=20)
    assert not trace.converged
