"""How fast families of algorithms move mass, with numbers worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from truing.diagnostics.audits import AUDITS
from truing.diagnostics.families import ForwardKL, Offline, OnPolicy, PolicyGradient, ReverseKL
from truing.diagnostics.mode_seeking import mode_seeking
from truing.errors import TruingError
from truing.objectives import dpo, nll
from truing.worlds.bins import bell, bumps, tent

EVEN, REWARD = [0.5, 0.5], [0.0, math.log(3)]
"""At beta 1 the target is (1/4, 3/4)."""


def test_one_step_of_forward_kl_by_hand() -> None:
    """The logits move by q − p = (−1/4, 1/4): p_2 = σ(1/2) = 0.6225, and E[R] = 0.6225 · log 3 = 0.6838."""
    found = mode_seeking(EVEN, REWARD, 1.0, ForwardKL(), steps=1)
    p = 1 / (1 + math.exp(-0.5))
    assert found.reward[0].tolist() == pytest.approx([0.5 * math.log(3), p * math.log(3)])
    assert found.kl[0].tolist() == pytest.approx([0, p * math.log(2 * p) + (1 - p) * math.log(2 - 2 * p)])
    assert np.isnan(found.chosen).all()


def test_one_step_of_reverse_kl_by_hand() -> None:
    """log p/q = (log 2, −log 1.5), KL = ½ log 4/3; the logits move by −½ (log p/q − KL) = ∓¼ log 3."""
    found = mode_seeking(EVEN, REWARD, 1.0, ReverseKL(), steps=1)
    p = 1 / (1 + math.exp(-0.5 * math.log(3)))
    assert found.reward[0, 1] == pytest.approx(p * math.log(3))
    assert p == pytest.approx(0.6340, abs=1e-4)  # a little ahead of forward KL


def test_the_first_step_on_a_pair_by_hand() -> None:
    """DPO at the start: logits of chosen and rejected move by ± beta/2 = ±0.05; Pref-FT: by 1 − p and −p."""
    pair = Offline(given=((0,), (1,)))
    found = mode_seeking([0.25] * 4, [1.0, 0, 0, 0], 0.1, pair, steps=1)
    total = math.log((2 + math.exp(0.05) + math.exp(-0.05)) / 4)
    assert found.chosen[0, 1] - found.chosen[0, 0] == pytest.approx(0.05 - total)
    assert found.margin[0, 1] == pytest.approx(0.1)
    only = mode_seeking([0.25] * 4, [1.0, 0, 0, 0], 0.1, Offline(nll("sum"), given=((0,), (1,))), steps=1)
    assert only.margin[0, 1] == pytest.approx(1.0)  # 3/4 − (−1/4)


def test_a_single_pair_raises_its_chosen_answer_in_a_table_whatever_the_start() -> None:
    """(e_w − p)·(e_w − e_l) = 1 − p_w + p_l > 0; with features that both share the sign is free."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        law = rng.dirichlet([0.3] * 5) + 1e-6
        found = mode_seeking(law / law.sum(), np.zeros(5), 0.1, Offline(given=((1,), (2,))), steps=5, rate=2.0)
        assert (np.diff(found.chosen[0]) > 0).all()
    # log π_w moves as (φ_w − E φ)·(φ_w − φ_l) = 0.9 · 1 · (1 − 2) − ... < 0.
    shared = mode_seeking(
        [0.9, 0.05, 0.05], np.zeros(3), 0.1, Offline(given=((1,), (2,))), steps=5, features=[[0.0], [1.0], [2.0]]
    )
    assert (np.diff(shared.chosen[0]) < 0).all()


def test_on_policy_pairs_that_are_drawn_once_are_offline_pairs() -> None:
    """The same draws from the start, so the same run to the last bit; drawn again, it is another."""
    given: dict[str, Any] = {"steps": 6, "rate": 5.0, "runs": 2, "features": bumps(), "seed": 3}
    law, reward = bell(20, 8), tent(60)
    once = mode_seeking(law, reward, 0.1, OnPolicy(reuse=6), **given)
    offline = mode_seeking(law, reward, 0.1, Offline(dpo(beta=0.1)), **given)
    again = mode_seeking(law, reward, 0.1, OnPolicy(reuse=5), **given)
    assert once.reward.tolist() == offline.reward.tolist()
    assert again.reward[:, :6].tolist() == offline.reward[:, :6].tolist()
    assert again.reward[:, 6].tolist() != offline.reward[:, 6].tolist()
    assert once.reward.shape == (2, 7)


def test_policy_gradients_on_fresh_answers_follow_reverse_kl_on_average() -> None:
    """One step of 200 runs against the exact one; the mean over the others' gains takes 1/n of the size away."""
    law, reward = [0.4, 0.3, 0.3], [0.0, 1.0, 0.5]
    exact = mode_seeking(law, reward, 0.5, ReverseKL(), steps=1, rate=0.1)
    drawn = mode_seeking(law, reward, 0.5, PolicyGradient(count=64), steps=1, rate=0.1 * 64 / 63, runs=200)
    gain = drawn.reward[:, 1] - drawn.reward[:, 0]
    expected = float(exact.reward[0, 1] - exact.reward[0, 0])
    assert abs(gain.mean() - expected) < 4 * gain.std() / math.sqrt(200)
    assert expected > 10 * gain.std() / math.sqrt(200)  # so that a wrong sign or size would show


def test_a_clip_stops_a_ratio_where_it_says() -> None:
    """Two answers, used 200 times: without a clip their ratio goes on, with 0.2 the better one ends near 1.2 · 0.5."""
    given: dict[str, Any] = {"steps": 200, "rate": 0.005, "seed": 1}
    raw = mode_seeking(EVEN, [0.0, 1.0], 0.1, PolicyGradient(reuse=200), **given)
    clipped = mode_seeking(EVEN, [0.0, 1.0], 0.1, PolicyGradient(reuse=200, clip=0.2), **given)
    assert raw.reward[0, -1] > 0.75
    assert clipped.reward[0, -1] == pytest.approx(0.6, abs=0.01)


def test_it_is_registered() -> None:
    assert AUDITS.get("mode-seeking") is AUDITS.get("on-policy-negative-gradient") is mode_seeking


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reference": [0.5, 0.6]}, "no distribution with mass on every answer"),
        ({"reference": [1.0, 0.0]}, "an answer that the start never gives"),
        ({"reward": [1.0]}, r"shapes \[2\] and \[1\]"),
        ({"beta": 0.0}, "beta cannot be 0"),
        ({"steps": 0}, "steps cannot be 0"),
        ({"features": [[1.0]]}, r"features of shape \[1, 1\] do not describe 2 answers"),
        ({"runs": 3}, "ForwardKL leaves nothing to chance"),
    ],
)
def test_mistakes(changes: dict[str, Any], said: str) -> None:
    given = {"reference": EVEN, "reward": REWARD, "beta": 1.0, "family": ForwardKL(), **changes}
    with pytest.raises(TruingError, match=f"(?s){said}"):
        mode_seeking(**given)


def test_mistakes_of_families() -> None:
    with pytest.raises(TruingError, match="reuse cannot be 0"):
        OnPolicy(reuse=0)
    with pytest.raises(TruingError, match="clip has no effect where answers are used once"):
        PolicyGradient(clip=0.2)
