"""Worlds of rewards: equal KL, best of n by quantiles, members of an ensemble, prompts of two types."""

import math

import pytest
import torch

from truing.worlds import kl
from truing.worlds.budget import tilted_at
from truing.worlds.inference import distribution, quantiles, win_rate_of_best, win_rate_of_one, win_rate_of_worst
from truing.worlds.prompt_types import prompt_types
from truing.worlds.reward_members import best_of, train_members


@pytest.mark.parametrize("nats", [0.01, 0.3, 0.6])
def test_spends_what_it_is_given(nats: float) -> None:
    reference = torch.tensor([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]], dtype=torch.float64)
    utility = torch.tensor([[1.0, 500.0, -3.0], [2.0, 400.0, 1.0]], dtype=torch.float64)
    policy = tilted_at(reference, utility, nats)
    assert kl(policy, reference) == pytest.approx(nats, abs=1e-9)
    # One beta for both prompts: log-ratios are proportional to differences of utility.
    gaps = (policy / reference).log()
    assert float((gaps[0, 0] - gaps[0, 2]) / 4) == pytest.approx(float((gaps[1, 0] - gaps[1, 2]) / 1), rel=1e-6)


def test_a_policy_like_the_reference_wins_half() -> None:
    uniform = torch.full((2000,), 1 / 2000, dtype=torch.float64)
    assert win_rate_of_one(uniform) == pytest.approx(0.5)
    assert win_rate_of_best(uniform, 4) == pytest.approx(0.5, abs=1e-6)
    assert win_rate_of_worst(uniform, 4) == pytest.approx(0.5, abs=1e-6)


def test_win_rates_by_hand() -> None:
    """Density 2u: F = u². One: 1 − 1/3. Best of 2: 1 − ∫ 2u u⁴ = 2/3. Worst of 2:

    2 ∫ (1 − u)(1 − 2u² + u⁴) = 2 (1 − 1/2 − 2/3 + 1/2 + 1/5 − 1/6) = 11/15.
    """
    policy = 2 * quantiles(4000) / 4000
    assert win_rate_of_one(policy) == pytest.approx(2 / 3, abs=1e-6)
    assert win_rate_of_best(policy, 2) == pytest.approx(2 / 3, abs=1e-6)
    assert win_rate_of_worst(policy, 2) == pytest.approx(11 / 15, abs=1e-6)
    assert float(distribution(policy)[1999]) == pytest.approx(0.25, abs=1e-3)


def test_win_rates_by_simulation() -> None:
    draw = torch.Generator().manual_seed(0)
    policy = torch.softmax(torch.linspace(0, 3, 500, dtype=torch.float64), 0)
    ours = torch.multinomial(policy, 200_000, replacement=True, generator=draw).reshape(-1, 4)
    ours = (ours + torch.rand(ours.shape, generator=draw)) / 500
    theirs = torch.rand(ours.shape, generator=draw)
    assert win_rate_of_best(policy, 4) == pytest.approx(
        float((ours.amax(1) > theirs.amax(1)).double().mean()), abs=0.01
    )
    assert win_rate_of_worst(policy, 4) == pytest.approx(
        float((ours.amin(1) > theirs.amin(1)).double().mean()), abs=0.01
    )


def test_members_know_what_they_saw_and_differ_elsewhere() -> None:
    members = train_members(0)
    seen, unseen = members.models[..., :10], members.models[..., 10:]
    truth = members.truth[:10].expand_as(seen)
    assert float(torch.cosine_similarity(seen, truth, dim=-1).min()) > 0.95
    pretrained, finetuned = unseen.var(0).mean(), unseen.var(1).mean()
    assert float(pretrained) > float(finetuned) > 0
    assert float(members.accuracy(torch.randn(500, 20, dtype=torch.float64)).min()) > 0.85


def test_best_of_the_first_n() -> None:
    scores = torch.tensor([[1.0, 3.0, 5.0], [2.0, 1.0, 0.0]])
    value = torch.tensor([[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]])
    assert best_of(scores, value, 2).tolist() == [20.0, 40.0]
    assert best_of(scores, value, 3).tolist() == [30.0, 40.0]


def test_types_of_prompts() -> None:
    world = prompt_types(0, [1.0, 0.0], [0.0, 1.0], prompts=50)
    best = world.rewards[0, :, 0].max()
    assert world.kind[:2].tolist() == [0, 1]
    assert float(world.utility(world.wishes)[0]) == float(best)
    assert float(world.chosen(world.wishes)[1, 1]) == float(world.rewards[1, :, 1].max())
    assert (world.utility(torch.tensor([[0.5, 0.5]], dtype=torch.float64)) <= world.utility(world.wishes)).all()
    assert not math.isnan(float(world.embeddings.sum()))
