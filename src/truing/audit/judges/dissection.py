"""Which properties of answers drive a judge's preferences, by sparse logistic regression (2402.11296)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from truing.audit.judges.sparse_logistic import map_weights, posterior_draws
from truing.audit.judges.telling import after_holm, normal_p_values, simultaneous_doubt
from truing.audit.judges.weights import ALL, RULES, Dissection, How, Weights
from truing.diagnostics.audit import audit
from truing.errors import TruingError
from truing.registry import Paper
from truing.statistics import UNKNOWN, Estimate


@audit(
    name="preference-dissection",
    slug="preference-dissection",
    paper=Paper("Dissecting Human and LLM Preferences", 2024, "2402.11296"),
    summary="Explains a judge's preferences by properties of the answers: a weight with an interval for each, by "
    "scenario, and how alike judges are.",
    formula="P(y ≻ y') = σ(Σ_i a_i φ_i(y, y'));  a_i ~ Laplace(0, 0.1)",
    legend=(
        "φ_i: 1 where y satisfies property i more than y', −1 where less, 0 where alike",
        "a_i: weight; σ(a_i) is the probability of preferring the answer that only satisfies property i more",
        "no intercept: exchanging the answers changes nothing",
    ),
    use_when="Labels of people or of a judge are to be explained or compared before a reward is trained on them: does "
    "length or tone decide? `truing audit dissection FILE`.",
    avoid_when="Few pairs differ in a property, or properties go together: the prior then decides, and intervals say "
    "so. Weights describe, they are no causes; what is counted in place of a rating is a stand-in.",
    requires=("pairs", "property annotations, or what can be counted"),
    cost="seconds on a CPU; a judge is asked twice a pair, an annotator once",
    aliases=("dissection",),
)
def preference_dissection(
    features: np.ndarray,
    votes: np.ndarray,
    properties: Sequence[str],
    *,
    judges: Sequence[str] | None = None,
    scenarios: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    how: How = "map",
    scale: float = 0.1,
    folds: int = 10,
    chains: int = 1,
    draws: int = 200,
    least: int = 10,
    seed: int = 0,
) -> Dissection:
    """Fit each judge in each scenario.

    The prior, ten folds, and the mean of their posterior means are those of the authors' code. It samples with NUTS;
    here a Gibbs sampler draws from the same posterior. The mode with a bootstrap is the fast substitute, and ours.

    Args:
        features: −1, 0 or 1: whether the first answer satisfies a property more than the second, shape ``[N, P]``. Rows
            with a nan, where an annotation is missing, are left out.
        votes: above 0 where the first is preferred, below where the second is; 0 and nan are undecided; shape ``[N]``.
        properties: names, ``P`` of them.
        judges: whose vote each row is; one judge if left out.
        scenarios: of each row.
        groups: rows of a group, as those with one prompt, are drawn together by the bootstrap; each by itself if left
            out.
        how: ``"map"``: mode and percentile bootstrap; ``"posterior"``: posterior mean and credible interval.
        scale: of the prior, nats.
        folds: parts of which each is left out once; 1 uses everything. Of the posterior only.
        chains: of the sampler, for each fold. Of the posterior only.
        draws: bootstrap samples; or rounds of each chain that are thrown away, of which four times as many are kept.
        least: fewest decided pairs of a scenario that is fitted.
        seed: of everything drawn.

    Raises:
        TruingError: on shapes or values that cannot be, or if no row is decided.
    """
    features, votes = np.asarray(features, dtype=np.float64), np.asarray(votes, dtype=np.float64)
    _check(features, votes, properties, scale, {"folds": folds, "chains": chains, "draws": draws, "least": least})
    count = len(votes)
    judge_of = np.array(["judge"] * count if judges is None else list(judges), dtype=object)
    scenario_of = np.array([""] * count if scenarios is None else list(scenarios), dtype=object)
    group_of = np.array([str(row) for row in range(count)] if groups is None else list(groups), dtype=object)
    for name, own in (("judges", judge_of), ("scenarios", scenario_of), ("groups", group_of)):
        if len(own) != count:
            raise TruingError(f"{len(own)} {name} for {count} votes", where=name, allowed="one for each")
    decided = np.isfinite(votes) & (votes != 0)
    known = decided & np.isfinite(features).all(1)
    if not known.any():
        raise TruingError("no pair is decided and annotated", where="votes", fix="look at ties and annotations")
    fits, left_out = [], {}
    for judge in dict.fromkeys(judge_of[known]):
        own = known & (judge_of == judge)
        for scenario in (ALL, *sorted(set(scenario_of[own]) - {""})):
            rows = own if scenario == ALL else own & (scenario_of == scenario)
            if rows.sum() < least and scenario != ALL:
                left_out[f"{judge}: {scenario}"] = int(rows.sum())
                continue
            toward = features[rows] * np.sign(votes[rows])[:, None]
            rng = np.random.default_rng(seed)
            table = _DRAWN[how](toward, group_of[rows], rng, scale, draws, (folds, chains))
            fits.append(
                Weights(judge, scenario, len(toward), _estimates(toward, *table), _ALONE[how](toward, *table))
            )
    fits = _doubted(fits, how)
    undecided = int((~decided).sum())
    return Dissection(tuple(properties), tuple(fits), _similarity(fits), left_out, undecided, RULES[how])


def _mode(
    toward: np.ndarray,
    groups: np.ndarray,
    rng: np.random.Generator,
    scale: float,
    draws: int,
    parts: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    names, place = np.unique(groups.astype(str), return_inverse=True)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    again = [map_weights(toward, scale, counts[place].astype(np.float64)) for counts in drawn]
    return map_weights(toward, scale), np.stack(again)


def _posterior(
    toward: np.ndarray,
    groups: np.ndarray,
    rng: np.random.Generator,
    scale: float,
    draws: int,
    parts: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    folds, chains = parts
    part = rng.permutation(len(toward)) * folds // len(toward)
    keep = np.ones((1, len(toward))) if folds == 1 else part != np.arange(folds)[:, None]
    keep = np.tile(keep, (chains, 1))
    table = posterior_draws(toward, scale, keep, rng, warm_up=draws, draws=4 * draws)
    return table.mean((0, 1)), table.reshape(-1, toward.shape[1])


_DRAWN = {"map": _mode, "posterior": _posterior}


def _p_values(toward: np.ndarray, centre: np.ndarray, table: np.ndarray) -> tuple[float, ...]:
    """Of modes; a bootstrap that happens to draw the same every time is not believed to know better than the data."""
    chance = 1 / (1 + np.exp(-toward @ centre))
    known = (toward**2 * (chance * (1 - chance))[:, None]).sum(0)
    with np.errstate(divide="ignore"):
        spread = np.maximum(table.std(0, ddof=1) if len(table) > 1 else np.inf, 1 / np.sqrt(known))
    return tuple(map(float, normal_p_values(centre, spread)))


def _credible(toward: np.ndarray, centre: np.ndarray, table: np.ndarray) -> tuple[float, ...]:
    found = simultaneous_doubt(centre, table)
    return tuple(np.where(toward.any(0), found, np.nan).tolist())


def _holm(families: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    corrected = iter(after_holm(np.concatenate(families)).tolist())
    return [tuple(islice(corrected, len(family))) for family in families]


def _bonferroni(families: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    return [tuple(min(1.0, len(families) * own) for own in family) for family in families]


_ALONE = {"map": _p_values, "posterior": _credible}
_TOGETHER = {"map": _holm, "posterior": _bonferroni}


def _doubted(fits: Sequence[Weights], how: How) -> list[Weights]:
    """The doubt about each weight of a fit, corrected over the fits to ``"all"``, and over those to scenarios."""
    found: dict[int, tuple[float, ...]] = {}
    for everything in (True, False):
        family = [place for place, fit in enumerate(fits) if (fit.scenario == ALL) == everything]
        if family:
            found |= zip(family, _TOGETHER[how]([fits[place].doubt for place in family]), strict=True)
    return [replace(fit, doubt=found[place]) for place, fit in enumerate(fits)]


def _estimates(toward: np.ndarray, centre: np.ndarray, table: np.ndarray) -> tuple[Estimate, ...]:
    low, high = np.quantile(table, (0.025, 0.975), axis=0)
    informed = (toward != 0).sum(0)
    return tuple(
        Estimate(float(c), float(a), float(b), int(n)) if n else UNKNOWN
        for c, a, b, n in zip(centre, low, high, informed, strict=True)
    )


def _similarity(fits: Sequence[Weights]) -> np.ndarray:
    judges = list(dict.fromkeys(fit.judge for fit in fits))
    tables = [{fit.scenario: fit.values for fit in fits if fit.judge == judge} for judge in judges]
    found = np.eye(len(judges))
    for i, one in enumerate(tables):
        for j, other in enumerate(tables[:i]):
            shared = [name for name in one if name in other]
            named = [name for name in shared if name != ALL] or shared
            found[i, j] = found[j, i] = np.mean([_pearson(one[name], other[name]) for name in named])
    return found


def _pearson(one: np.ndarray, other: np.ndarray) -> float:
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def _check(
    features: np.ndarray,
    votes: np.ndarray,
    properties: Sequence[str],
    scale: float,
    numbers: Mapping[str, int],
) -> None:
    if features.ndim != 2 or features.shape != (len(votes), len(properties)) or votes.ndim != 1:
        raise TruingError(
            f"features have shape {list(features.shape)}, votes {list(votes.shape)}, and there are {len(properties)} "
            "properties",
            where="features",
            allowed="[N, P] features, [N] votes and P names",
        )
    if not np.isin(features[np.isfinite(features)], (-1, 0, 1)).all():
        raise TruingError(
            "a feature is not −1, 0 or 1", where="features", fix="give the sign of the difference of two ratings"
        )
    if not scale > 0:
        raise TruingError(f"scale = {scale}", where="scale", allowed="a number above 0, 0.1 in the paper")
    for name, value in numbers.items():
        if value < 1:
            raise TruingError(f"{name} = {value}", where=name, allowed="1 or more")
