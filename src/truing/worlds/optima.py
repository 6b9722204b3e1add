"""Closed-form optima: what each objective converges to, worked out without any training.

``Table`` arguments have shape ``[P, K]`` (or ``[K]``, read as one prompt); probabilities in, probabilities out.
Gaps are differences of log-ratios between the preferred and the other of two answers, in nats.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from scipy.optimize import brentq
from torch import Tensor

from truing.worlds.preferences import Table, as_table


def tilted(reference: Table, utility: Table, beta: float) -> Table:
    """π ∝ ref · exp(u / beta), the optimum of E[u] − beta KL(π ‖ ref), hence of DPO (2305.18290, eq. 4)."""
    return torch.softmax(as_table(reference).log() + as_table(utility) / beta, dim=-1)


def total_variation(p: Table, q: Table) -> float:
    """Half the sum of absolute differences, the largest over prompts; in [0, 1]."""
    return float(0.5 * (as_table(p) - as_table(q)).abs().sum(-1).max())


def kl(p: Table, q: Table) -> float:
    """KL(p ‖ q) in nats, averaged over prompts."""
    return float(torch.special.xlogy(as_table(p), as_table(p) / as_table(q)).sum(-1).mean())


def entropy(p: Table) -> float:
    """Entropy in nats, averaged over prompts."""
    return float(-torch.special.xlogy(as_table(p), as_table(p)).sum(-1).mean())


# -- two answers that meet with win rate p --------------------------------------------------------------


def logit(p: float) -> float:
    """log(p / (1 − p))."""
    return math.log(p) - math.log1p(-p)


def dpo_gap(win_rate: float, beta: float) -> float:
    """logit(p) / beta; infinite at p = 1."""
    return math.inf if win_rate == 1 else logit(win_rate) / beta


def cdpo_gap(win_rate: float, beta: float, eps: float) -> float:
    """logit((1 − eps) p + eps (1 − p)) / beta, which is log((1 − eps)/eps) / beta at p = 1."""
    return logit((1 - eps) * win_rate + eps * (1 - win_rate)) / beta


def rdpo_gap(observed: float, beta: float, flip_rate: float) -> float:
    """logit((p − eps) / (1 − 2 eps)) / beta for the *observed* win rate p: the clean gap of DPO."""
    return dpo_gap((observed - flip_rate) / (1 - 2 * flip_rate), beta)


def ipo_gap(win_rate: float, tau: float) -> float:
    """(2p − 1) / (2 tau), finite for every p (2310.12036, eq. 17)."""
    return (2 * win_rate - 1) / (2 * tau)


def hinge_gap(win_rate: float, beta: float, delta: float) -> float:
    """± delta / beta: the expected hinge loss is lowest at its corner, whatever p in (0, 1) but one half."""
    return math.copysign(delta / beta, win_rate - 0.5)


def exo_gap(win_rate: float, beta: float, eps: float) -> float:
    """(2p − 1) log((1 − eps)/eps) / beta.

    The expected loss is q log q + (1 − q) log(1 − q) minus a linear function of q = σ(beta d); its
    derivative logit(q) − (2p − 1) logit(1 − eps) vanishes there.
    """
    return (2 * win_rate - 1) * logit(1 - eps) / beta


def margin_gap(win_rate: float, gamma: float) -> float:
    """z* of −p log σ(z − gamma) − (1 − p) log σ(−z − gamma): the SimPO optimum, z = beta (gap of scores).

    With x = e^z and g = e^gamma the condition is (1 − p) x² − g (2p − 1) x − p = 0. At gamma = 0 it is logit(p).
    """
    g, lead = math.exp(gamma), 2 * win_rate - 1
    root = math.sqrt((g * lead) ** 2 + 4 * win_rate * (1 - win_rate))
    return math.log((g * lead + root) / (2 * (1 - win_rate)))


# -- any number of answers ------------------------------------------------------------------------------


def ipo_policy(reference: Table, win_rate: Table, tau: float) -> Table:
    """π ∝ ref · exp((P(y beats the data) − 1/2) / tau), for any preferences (2310.12036, section 5)."""
    return tilted(reference, as_table(win_rate) - 0.5, tau)


def bco_log_ratio(chosen_share: Table, beta: float) -> Table:
    """logit(q) / beta, where an answer is met as chosen (or thumbs up) in a share q of all meetings.

    Like the next two, it looks at one answer at a time and holds where the normalisation of the policy does
    not bind: some answer outside the data has enough probability to give or take.
    """
    return torch.logit(as_table(chosen_share)) / beta


def nca_log_ratio(chosen_share: Table, beta: float) -> Table:
    """log(2q) / beta (2402.05369, the optimum of NCA with K = 2)."""
    return torch.log(2 * as_table(chosen_share)) / beta


def sppo_log_ratio(chosen_share: Table, beta: float) -> Table:
    """(q − 1/2) / beta: one step of multiplicative weights (2405.00675)."""
    return (as_table(chosen_share) - 0.5) / beta


def with_normaliser(reference: Table, ratio: Callable[[float], Tensor], low: float, high: float) -> Table:
    """π = ref · ratio(c) with the constant c that makes it sum to one (one prompt).

    Args:
        reference: shape ``[1, K]`` or ``[K]``.
        ratio: increasing in c; π/ref of every output.
        low: a constant at which the sum is below one.
        high: a constant at which it is above one.
    """
    ref = as_table(reference)
    constant = brentq(lambda c: float((ref * ratio(c)).sum()) - 1, low, high, xtol=1e-14)
    return ref * ratio(constant)


def f_dpo_policy(reference: Table, utility: Table, beta: float, divergence: str, alpha: float = 0.5) -> Table:
    """The policy with f'(π/ref) = (u + c) / beta (2309.16240), one prompt.

    ============== ================================ ============================
    divergence     f'(t)                            t for f'(t) = v
    ============== ================================ ============================
    forward-kl     1 − 1/t                          1 / (1 − v), v < 1
    jensen-shannon log(2t / (1 + t))                e^v / (2 − e^v), v < log 2
    alpha          (t^(alpha−1) − 1) / (alpha − 1)  (1 − (1−alpha) v)^(−1/(1−alpha))
    ============== ================================ ============================
    """
    scaled = as_table(utility) / beta
    inverses: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
        "forward-kl": (lambda v: 1 / (1 - v), 1.0),
        "jensen-shannon": (lambda v: v.exp() / (2 - v.exp()), math.log(2)),
        "alpha": (lambda v: (1 - (1 - alpha) * v).pow(-1 / (1 - alpha)), 1 / (1 - alpha)),
    }
    inverse, limit = inverses[divergence]
    # At the pole the best output's ratio is infinite; far below it every ratio is small.
    high = limit - float(scaled.max())
    return with_normaliser(reference, lambda c: inverse(scaled + c), high - 1e4, high - 1e-10)


def mean_ratio_policy(reference: Table, utility: Table, beta: float, lengths: Tensor) -> Table:
    """Optimum of length-normalised DPO: log-ratios |y| (u + c) / beta, one prompt.

    With a uniform measure in place of ``reference`` (all ones) it is the optimum of SimPO without margin.
    """
    scaled, size = as_table(utility) / beta, lengths.to(torch.float64)
    low = -float(scaled.max()) - 100.0
    high = -float(scaled.min()) + 100.0
    return with_normaliser(reference, lambda c: torch.exp(size * (scaled + c)), low, high)
