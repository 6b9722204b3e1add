"""A leaderboard by Bradley-Terry, with intervals, ties and control of what is not quality."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

from truing.errors import DataError, TruingError
from truing.judging.leaderboard.games import Games
from truing.judging.leaderboard.likelihood import Davidson, Fit, HalfWins, Likelihood, fitted
from truing.judging.measures import bootstrapped, by_prompt
from truing.judging.method import judging
from truing.registry import Paper
from truing.statistics import Estimate

POINTS = 400 / math.log(10)
"""Rating points for a nat."""

Ties = Literal["half", "davidson"]
TIES: dict[str, Likelihood] = {"half": HalfWins(), "davidson": Davidson()}
"""How ties count, by name."""


@dataclass(frozen=True)
class Row:
    """A model on the board.

    Attributes:
        name: of the model.
        rating: 1000 + 400/ln 10 · θ, with its 95 % interval.
        theta: nats; all add up to 0.
        win_rate: mean share of a win over its prompts, with a bootstrap interval over them.
        games: how many.
        place: 1 and the models that are better for certain.
        last: the place if all models that may be better are.
    """

    name: str
    rating: Estimate
    theta: float
    win_rate: Estimate
    games: int
    place: int
    last: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**vars(self), "rating": self.rating.as_dict(), "win_rate": self.win_rate.as_dict()}


@dataclass(frozen=True)
class Board:
    """A leaderboard.

    Attributes:
        rows: the best first.
        effects: coefficient of each feature, nats for a standard deviation, with its interval.
        tie: Davidson's ν, how likely a tie is against the geometric mean of a win and a loss; ``None`` where ties are
            half wins.
        names: in the order of ``theta`` and ``covariance``.
        theta: nats, ``[models]``.
        covariance: of ``theta``, ``[models, models]``.
        games, dropped: how many have an outcome, and have none.
    """

    rows: list[Row]
    effects: dict[str, Estimate]
    tie: float | None
    names: tuple[str, ...]
    theta: np.ndarray
    covariance: np.ndarray
    games: int
    dropped: int

    def chance(self, a: str, b: str) -> float:
        """σ(θ_a − θ_b): share of a win that a is expected to have against b, with features alike."""
        one, other = self.names.index(a), self.names.index(b)
        return float(1 / (1 + math.exp(self.theta[other] - self.theta[one])))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "rows": [row.as_dict() for row in self.rows],
            "effects": {name: effect.as_dict() for name, effect in self.effects.items()},
            "tie": self.tie,
            "games": self.games,
            "dropped": self.dropped,
        }


@judging(
    name="bt-leaderboard",
    slug="bt-leaderboard",
    paper=Paper("Chatbot Arena: An Open Platform for Evaluating LLMs by Human Preference", 2024, "2403.04132"),
    summary="Rates models by all their pairwise outcomes at once, holding length or style constant if asked.",
    formula="log-odds(a beats b) = θ_a − θ_b + γ'd;  rating = 1000 + 400/ln 10 · θ, Σθ = 0",
    legend=(
        "θ: strength, nats, by maximum likelihood; ties are half wins, or Davidson's",
        "d: differences in length, headers, lists and bold, (n_a − n_b)/(n_a + n_b), divided by their spread",
        "γ: what a standard deviation of them is worth, nats",
    ),
    use_when="Several models met in pairs, all or some of them, and one scale is wanted. Length is controlled where "
    "the judge may like long answers.",
    avoid_when="All met one baseline only, and win rates against it say the same; or the comparison is not transitive.",
    requires=("outcomes of pairs, with the names of the models",),
    cost="a second for ten thousand games; a bootstrap as many fits",
)
def bt_leaderboard(
    games: Games, *, ties: Ties = "half", ridge: float = 0.0, resamples: int = 0, seed: int = 0
) -> Board:
    """Ratings of all models.

    Args:
        games: with an outcome each.
        ties: ``"half"``, or ``"davidson"``, for which outcomes are 0, one half or 1.
        ridge: ½ ridge Σθ² is taken from the log-likelihood; keeps models that never lost finite.
        resamples: bootstraps over prompts for the intervals; 0 for the sandwich estimate, clustered by prompt.
        seed: of the bootstrap.

    Raises:
        DataError: without games, if all are on one prompt, if games do not link all models, if ratings are infinite
            without a ridge, or if Davidson's ties are asked for and outcomes are graded.
        TruingError: if ridge is below 0.
    """
    likelihood = _checked(games, ties, ridge)
    fit = _fit(games, likelihood, ridge)
    count = len(games.names)
    covariance = fit.covariance if not resamples else _resampled(games, likelihood, ridge, fit, resamples, seed)
    spread = np.sqrt(np.diag(covariance))
    z = float(stats.norm.ppf(0.975))
    theta = fit.beta[:count]
    effects = {
        name: Estimate(float(value), float(value - z * error), float(value + z * error), len(games))
        for name, value, error in zip(games.feature_names, fit.beta[count:], spread[count:], strict=False)
    }
    return Board(
        rows=_rows(games, theta, covariance[:count, :count], z),
        effects=effects,
        tie=math.exp(fit.extra[0]) if likelihood.extra else None,
        names=games.names,
        theta=theta,
        covariance=covariance[:count, :count],
        games=len(games),
        dropped=games.dropped,
    )


def _checked(games: Games, ties: str, ridge: float) -> Likelihood:
    if ridge < 0 or not math.isfinite(ridge):
        raise TruingError(f"ridge = {ridge:g}", where="ridge", allowed="0 or more")
    if ties not in TIES:
        raise TruingError(f"there is no way {ties!r} to count ties", where="ties", allowed=", ".join(TIES))
    if not len(games):
        raise DataError("there are no games with an outcome", where="games")
    groups = games.groups()
    if len(groups) > 1:
        raise DataError(
            f"no games link {_few(groups[0])} with {_few(groups[1])}: their strengths cannot be compared",
            where=f"{len(groups)} groups of models",
            fix="add games between the groups, or rank each by itself",
        )
    parts = games.undefeated()
    if len(parts) > 1 and ridge == 0:
        raise DataError(
            f"{_few(parts[-1])} never lost to, or never won against, {_few(parts[0])}: ratings are infinite",
            where=f"{len(parts)} groups of models",
            fix="hold them finite by a ridge, e.g. --ridge 0.1, or add games",
        )
    if len(np.unique(games.prompt)) < 2:
        raise DataError(
            "all games are on one prompt: nothing tells how far ratings would differ on others",
            where="games",
            allowed="two prompts or more",
        )
    likelihood = TIES[ties]
    if likelihood.extra and not np.isin(games.outcome, (0.0, 0.5, 1.0)).all():
        raise DataError(
            "graded outcomes are no ties, losses and wins",
            where="ties",
            allowed="davidson for outcomes of 0, one half and 1",
            fix="count ties as half wins",
        )
    if likelihood.extra and not (games.outcome == 0.5).any():
        raise DataError("there are no ties to fit", where="ties", fix="count ties as half wins")
    return likelihood


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _fit(
    games: Games, likelihood: Likelihood, ridge: float, weight: np.ndarray | None = None, start: Fit | None = None
) -> Fit:
    count, width = len(games.names), len(games.names) + games.features.shape[1]
    penalty = np.zeros((width, width))
    # Nothing but differences of strengths shows in games: the sum is held at 0, at no cost to the likelihood.
    penalty[:count, :count] = ridge * np.eye(count) + 1.0
    # Next to nothing, for a feature that says no more than the models' names.
    penalty[count:, count:] = 1e-8 * np.eye(width - count)
    begun = None if start is None else np.concatenate([start.beta, start.extra])
    return fitted(games.design, games.outcome, likelihood, penalty, weight, games.prompt, begun)


def _resampled(
    games: Games, likelihood: Likelihood, ridge: float, fit: Fit, resamples: int, seed: int
) -> np.ndarray:
    """Covariance over prompts that are drawn again; a draw in which someone never loses is held by a small ridge."""
    generator = np.random.default_rng(seed)
    prompts = int(games.prompt.max()) + 1
    drawn = []
    for _ in range(resamples):
        often = np.bincount(generator.integers(0, prompts, prompts), minlength=prompts)
        found = _fit(games, likelihood, max(ridge, 1e-3), often[games.prompt].astype(float), fit)
        drawn.append(np.concatenate([found.beta, found.extra]))
    covariance: np.ndarray = np.cov(np.array(drawn).T)
    return covariance


def _rows(games: Games, theta: np.ndarray, covariance: np.ndarray, z: float) -> list[Row]:
    spread = np.sqrt(np.diag(covariance))
    gaps = theta[None, :] - theta[:, None]
    error = np.sqrt(np.maximum(np.add.outer(np.diag(covariance), np.diag(covariance)) - 2 * covariance, 0.0))
    better, maybe = gaps > z * error, gaps > -z * error
    np.fill_diagonal(maybe, False)
    rows = []
    for number, name in enumerate(games.names):
        won, lost = games.a == number, games.b == number
        own = np.concatenate([games.outcome[won], 1 - games.outcome[lost]])
        prompts = np.concatenate([games.prompt[won], games.prompt[lost]])
        middle, half = 1000 + POINTS * float(theta[number]), POINTS * z * float(spread[number])
        rows.append(
            Row(
                name,
                Estimate(middle, middle - half, middle + half, len(own)),
                float(theta[number]),
                bootstrapped(by_prompt(own.tolist(), prompts.astype(str).tolist())),
                len(own),
                1 + int(better[number].sum()),
                1 + int(maybe[number].sum()),
            )
        )
    return sorted(rows, key=lambda row: -row.theta)
