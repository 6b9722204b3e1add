"""Two code paths that meet: the catalogue's list of reductions for rewards and online training, one test each.

Those of whole methods are with them: mnpo = inpo and = ipo in test_games, more = bradley-terry in test_more, optdist of
one head in the tests of its heads, pal of one prototype in tests/rewards/personal, of one objective a combiner is the
identity in tests/rewards/combiners, nft = dr-grpo and grpo among the claims of `truing verify nft`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from truing.objectives import Batch, Scores, bradley_terry, dpo, gpm, gpo, mm_dpo, raft, sft
from truing.objectives.algebra.credits import GroupMean, LeaveOneOut
from truing.objectives.algebra.values import as_values, skew
from truing.rewards.algebra import Context, Origin, ReferenceStats, Rewards
from truing.rewards.combiners.mean import Mean
from truing.rewards.transforms.lsc import LogSigmoidCentred
from truing.rewards.weighters.orchestrator import Orchestrator
from truing.worlds.curation import curated

seeds = st.integers(0, 10_000)


def normals(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(seed=seeds)
def test_gpm_with_a_constant_second_coordinate_is_bradley_terry(seed: int) -> None:
    rewards = normals(seed, 6)
    table = skew(as_values(rewards, 2)[:3], as_values(rewards, 2)[3:])
    torch.testing.assert_close(table, rewards[:3] - rewards[3:])
    batch = Batch.pairs(3)
    scores = Scores(torch.zeros(6, dtype=torch.float64), torch.arange(6), 6)
    one = bradley_terry(centre=0.0)(replace(scores, values=rewards[:, None]), batch).loss
    other = gpm(width=2, tau=1.0, unit=False)(replace(scores, values=as_values(rewards, 2)), batch).loss
    torch.testing.assert_close(one, other)


@given(seed=seeds, size=st.integers(2, 6))
def test_leave_one_out_is_k_over_k_less_one_times_the_distance_from_the_mean(seed: int, size: int) -> None:
    reward, owners = normals(seed, 2 * size), torch.arange(2).repeat_interleave(size)
    batch = Batch.samples([size, size])
    expected = size / (size - 1) * GroupMean()(reward, owners, batch)
    torch.testing.assert_close(LeaveOneOut()(reward, owners, batch), expected)


@given(seed=seeds)
def test_mm_dpo_without_growth_is_dpo(seed: int) -> None:
    logps, reference = normals(seed, 2, 8)
    batch = Batch.pairs(4, margin=normals(seed + 1, 4).abs())
    scores = Scores(logps, torch.arange(8), 8, reference)
    one = mm_dpo(beta=0.1, growth=0.0, gamma=0.0)(scores, batch).loss
    torch.testing.assert_close(one, dpo(beta=0.1)(scores, batch).loss)


@given(seed=seeds)
def test_raft_with_one_answer_is_sft_on_own_samples(seed: int) -> None:
    logps = -normals(seed, 10).abs()
    scores = Scores(logps, torch.arange(4).repeat_interleave(torch.tensor([1, 2, 3, 4])), 4)
    own = torch.arange(4)
    ranked = Batch(own, 4, own, own, reward=normals(seed, 4))
    torch.testing.assert_close(raft()(scores, ranked).loss, sft()(scores, Batch(own, 4, own, own[:0])).loss)


@given(seed=seeds)
def test_weights_of_prompts_are_equal_where_tau_is_large(seed: int) -> None:
    rewards = Rewards.of(normals(seed, 5, 3), ("a", "b", "c"))
    found = Orchestrator(1e9, 4, 1.0, 0).targets(rewards)
    torch.testing.assert_close(found, torch.full((5, 3), 1 / 3, dtype=torch.float64))


@given(seed=seeds)
def test_far_below_the_reference_a_log_sigmoid_is_the_reward_up_to_a_constant(seed: int) -> None:
    """log σ(R − c) = R − c − log(1 + e^(R − c)), and e^(R − c) < 1e-8 here."""
    raw = normals(seed, 4, 1)
    level = 30.0
    stats = ReferenceStats.of(torch.full((1, 3, 1), level, dtype=torch.float64), ("r",), ["p"], Origin("a", "b"))
    context = Context.of(["p"] * 4).under(stats)
    found = LogSigmoidCentred(0.85)(Rewards.of(raw, ("r",)), context)
    torch.testing.assert_close(found.values, raw - level, atol=1e-8, rtol=0)


@given(seed=seeds)
def test_an_ensemble_of_one_is_its_member(seed: int) -> None:
    raw = normals(seed, 6, 1)
    torch.testing.assert_close(Mean()(Rewards.of(raw, ("m",))), raw[:, 0])


@given(seed=seeds)
def test_choosing_among_infinitely_many_is_tilting_by_the_reward(seed: int) -> None:
    law, reward = torch.softmax(normals(seed, 5), 0), normals(seed + 1, 5)
    expected = torch.softmax(law.log() + reward, 0)
    torch.testing.assert_close(curated(law, reward, None), expected)
    torch.testing.assert_close(curated(law, reward, 1), law)


@pytest.mark.parametrize("seed", range(4))
def test_gpo_on_differences_of_rewards_is_regression_on_centred_rewards(seed: int) -> None:
    """Two answers: s̄ of each is half the difference of their rewards, the distance from their mean."""
    logps, drawn, rewards = normals(seed, 3, 2)
    centred = rewards - rewards.mean()
    beta = 0.7
    scores = Scores(logps, torch.arange(2), 2, drawn=drawn)
    batch = replace(Batch.samples([2], weight=torch.ones(1, dtype=torch.float64)), reward=centred)
    expected = (logps - drawn - centred / beta).square().mean()
    torch.testing.assert_close(gpo(beta=beta)(scores, batch).loss, expected)
