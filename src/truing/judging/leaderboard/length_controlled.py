"""Win rates against a baseline at equal length, as AlpacaEval 2 computes them (2404.04475).

The published release fits an L1 penalty by cross-validation, takes the difficulty of its 805 instructions from a joint
fit over all models of its board, and adds weakly weighted verdicts on gamed baselines. Here the difficulty comes from
the models at hand, and a fixed ridge takes the place of all three, so that numbers differ a little from the board's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from truing.errors import DataError, TruingError
from truing.judging.items import Item
from truing.judging.leaderboard.likelihood import HalfWins, fitted
from truing.rewards.algebra.context import prompt_key

_RIDGE = 1.0
"""Of difficulties and their weights, nats⁻²: a standard normal prior."""
_NOTHING = 1e-6
"""Of strengths: enough for a model that wins every time, and next to nothing elsewhere."""
_STEPS = 50


@dataclass(frozen=True)
class LengthControlled:
    """Coefficients of every model against one baseline.

    Attributes:
        baseline: whose coefficients are 0.
        names: of the models, the baseline first.
        theta: strength, ``[models]``.
        phi: what tanh of the difference in length is worth, ``[models]``.
        psi: weight of the prompt's difficulty, ``[models]``.
        difficulty: γ_x of every prompt, ``[prompts]``; 0 with a single model, of which it cannot be told apart.
        raw: plain win rate against the baseline, ``[models]``.
    """

    baseline: str
    names: tuple[str, ...]
    theta: np.ndarray
    phi: np.ndarray
    psi: np.ndarray
    difficulty: np.ndarray
    raw: np.ndarray

    def win_rate(self, a: str, b: str) -> float:
        """Mean over prompts of σ((θ_a − θ_b) + (ψ_a − ψ_b) γ_x): a against b with answers of equal length.

        1 less the win rate of b against a, and one half against oneself, exactly.
        """
        one, other = self.names.index(a), self.names.index(b)
        gap = (self.theta[one] - self.theta[other]) + (self.psi[one] - self.psi[other]) * self.difficulty
        # Half of the sum of both sides, so that exchanging them is exact in floating point as well.
        return float(np.mean(0.5 + 0.5 * (expit(gap) - expit(-gap))))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "baseline": self.baseline,
            "models": {
                name: {
                    "win_rate": float(self.raw[place]),
                    "length_controlled": self.win_rate(name, self.baseline),
                    "length": float(self.phi[place]),
                    "difficulty": float(self.psi[place]),
                }
                for place, name in enumerate(self.names)
            },
        }


def length_controlled(items: list[Item], ridge: float = _RIDGE) -> LengthControlled:
    """Fit the model of AlpacaEval-LC to verdicts on models against one baseline.

    logit P(m beats b on x) = θ_m + φ_m tanh((len_m − len_b)/spread_m) + ψ_m γ_x, first with one φ and ψ = 1 for all, to
    find γ; then each model by itself.

    Args:
        items: recorded verdicts; every pair has the baseline on the same side.
        ridge: of difficulties and of what is not strength.

    Raises:
        DataError: if there is no common baseline, or a verdict for no model.
        TruingError: if ridge is not above 0.
    """
    if not ridge > 0:
        raise TruingError(f"ridge = {ridge:g} does not hold difficulties", where="ridge", allowed="above 0")
    baseline, side = _baseline(items)
    known = [item for item in items if item.recorded.first is not None and item.models is not None]
    names = sorted({item.models[1 - side] for item in known if item.models})
    prompts, prompt = np.unique([prompt_key(item.pair.prompt) for item in known], return_inverse=True)
    model = np.array([names.index(item.models[1 - side]) for item in known if item.models])
    share = np.array([float(item.recorded.first or 0.0) for item in known])
    wins = 1 - share if side == 0 else share
    longer = np.array([(len(item.pair.b) - len(item.pair.a)) * (1 if side == 0 else -1) for item in known], float)
    length = np.empty(len(known))
    for number in range(len(names)):
        own = model == number
        spread = longer[own].std()
        length[own] = np.tanh(longer[own] / spread) if spread > 0 else 0.0
    difficulty = _difficulty(model, len(names), prompt, len(prompts), length, wins, ridge)
    table = np.zeros((len(names) + 1, 3))
    raw = np.full(len(names) + 1, 0.5)
    for number in range(len(names)):
        own = model == number
        design = np.stack([np.ones(own.sum()), length[own], difficulty[prompt[own]]], axis=1)
        penalty = np.diag([_NOTHING, ridge, ridge])
        table[number + 1] = fitted(design, wins[own], HalfWins(), penalty).beta
        raw[number + 1] = wins[own].mean()
    theta, phi, psi = table.T
    return LengthControlled(baseline, (baseline, *names), theta, phi, psi, difficulty, raw)


def _baseline(items: list[Item]) -> tuple[str, int]:
    for side in (0, 1):
        found = {item.models[side] if item.models else None for item in items}
        name = found.pop() if len(found) == 1 else None
        if name is not None and any(item.recorded.first is not None for item in items):
            return name, side
    raise DataError(
        "no model is the baseline of all pairs",
        where="generator_1, generator_2",
        allowed="verdicts on models against one and the same",
        fix="use --control length, which needs no baseline",
    )


def _difficulty(
    model: np.ndarray,
    models: int,
    prompt: np.ndarray,
    prompts: int,
    length: np.ndarray,
    wins: np.ndarray,
    ridge: float,
) -> np.ndarray:
    if models < 2:
        return np.zeros(prompts)
    shared = np.zeros((len(wins), models + 1))
    shared[np.arange(len(wins)), model] = 1.0
    shared[:, models] = length
    penalty = np.append(np.full(models, _NOTHING), ridge)
    beta, gamma = np.zeros(models + 1), np.zeros(prompts)
    for _ in range(_STEPS):
        chance = expit(shared @ beta + gamma[prompt])
        curve = chance * (1 - chance)
        slope = shared.T @ (wins - chance) - penalty * beta
        own = np.bincount(prompt, wins - chance, minlength=prompts) - ridge * gamma
        # Prompts share no second derivative with each other, so that they are solved for one by one.
        alone = np.bincount(prompt, curve, minlength=prompts) + ridge
        cross = np.array([np.bincount(prompt, curve * column, minlength=prompts) for column in shared.T])
        whole = shared.T @ (shared * curve[:, None]) + np.diag(penalty)
        step = np.linalg.solve(whole - (cross / alone) @ cross.T, slope - cross @ (own / alone))
        move = (own - cross.T @ step) / alone
        beta, gamma = beta + step, gamma + move
        if max(np.abs(step).max(), np.abs(move).max()) < 1e-10:
            break
    return gamma
