"""Preferences as a symmetric two-player game: Nash equilibrium and distance from it."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import linprog
from torch import Tensor

from truing.errors import TruingError


def nash(win: Float[Tensor, "outputs outputs"]) -> Float[Tensor, " outputs"]:
    """A mixed strategy that nobody beats in more than half of the comparisons, by linear programming.

    Maximises v subject to Σ_i π_i (win[i, j] − 1/2) >= v for every opponent j; v is 0 at the solution of a
    symmetric game.

    Raises:
        TruingError: if ``win + winᵀ`` is not one everywhere.
    """
    game = win.double().numpy()
    if not np.allclose(game + game.T, 1):
        raise TruingError("a win matrix must satisfy win + winᵀ = 1", fix="use win / (win + win.T) of the counts")
    count = len(game)
    payoff = game - 0.5
    solution = linprog(
        c=[*[0.0] * count, -1.0],
        A_ub=np.hstack([-payoff.T, np.ones((count, 1))]),
        b_ub=np.zeros(count),
        A_eq=[[*[1.0] * count, 0.0]],
        b_eq=[1.0],
        bounds=[*[(0.0, 1.0)] * count, (None, None)],
        method="highs",
    )
    return torch.tensor(solution.x[:count], dtype=torch.float64)


def exploitability(win: Float[Tensor, "outputs outputs"], policy: Float[Tensor, " outputs"]) -> float:
    """Win rate of the best response against ``policy``, minus one half; 0 at a Nash equilibrium."""
    return float((win.double() @ policy.double()).max()) - 0.5


def regularised_nash(
    win: Float[Tensor, "outputs outputs"],
    reference: Float[Tensor, " outputs"],
    tau: float,
    share: float = 0.0,
    rounds: int = 20_000,
) -> Float[Tensor, " outputs"]:
    """The policy π ∝ ref · exp(P(y beats the opponent) / tau), the equilibrium of the game with a price tau on KL.

    The opponent is π itself, or, with a share of the reference, the mixture π^(1−share) · ref^share of Nash-MD. Found
    by steps of the logits that are so small that they contract.

    Raises:
        TruingError: if the steps do not settle.
    """
    base = reference.double().log()
    logits, rate = base.clone(), min(0.2, tau * tau)
    for _ in range(rounds):
        law = torch.log_softmax(logits, -1)
        opponent = torch.softmax((1 - share) * law + share * base, -1)
        change = base + win.double() @ opponent / tau - logits
        change = change - change.mean()
        logits = logits + rate * change
        if float(change.abs().max()) < 1e-12:
            return torch.softmax(logits, -1)
    raise TruingError("the regularised equilibrium was not found", fix="take a larger tau")
