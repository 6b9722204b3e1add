"""Distributions of values: numbers by hand, tables, and counts of real people."""

from __future__ import annotations

import csv
import gzip
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from truing.errors import DataError, ObjectiveError
from truing.objectives import Batch, Scores, dpo, optdist
from truing.objectives.algebra.zero_inflated import Heads, ZeroInflated
from truing.rewards.distributional.measures import normalised_gini, value_report
from truing.rewards.distributional.tables import fit_values
from truing.worlds.customers import customers


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_losses_by_hand() -> None:
    """P(some) = ¾; of v = e at location 1 and scale 1: −log ¾ + 1 + 0 + ½ log 2π. Of 0: −log ¼."""
    found = ZeroInflated(tensor(math.log(3), math.log(3)), tensor(1, 1), tensor(1, 1)).losses(tensor(math.e, 0))
    assert found.tolist() == pytest.approx([-math.log(0.75) + 1 + 0.5 * math.log(2 * math.pi), math.log(4)])


def test_mean_and_quantiles_by_hand() -> None:
    """P(some) = ½, log-normal(0, 1): mean ½·√e; the median of all is 0, and 0.75 is the median of what is above 0."""
    own = ZeroInflated(tensor(0), tensor(0), tensor(1))
    assert own.zero.item() == 0.5
    assert own.mean.item() == pytest.approx(0.5 * math.exp(0.5))
    assert own.quantile(0.4).item() == 0
    assert own.quantile(0.75).item() == pytest.approx(1.0)
    with pytest.raises(ObjectiveError, match="level of a quantile is 1"):
        own.quantile(1.0)


def test_nothing_overflows() -> None:
    own = ZeroInflated.of(tensor(900), tensor(900), tensor(900))
    assert math.isfinite(own.mean.item())
    assert own.losses(tensor(1e300)).isfinite().all()


def test_heads_start_apart_and_the_selector_picks() -> None:
    heads = Heads.of(torch.tensor([[0.0, 2.0, 0, 0, 0, 0, 0, 0], [3.0, 0, 0, 0, 0, 0, 0, 0]], dtype=torch.float64))
    assert heads.each.location[0].tolist() == [-0.5, 0.5]
    assert heads.picked.location.tolist() == [0.5, -0.5]
    assert heads.usage_entropy == pytest.approx(math.log(2))


def test_the_choice_hardens() -> None:
    objective = optdist(start=2.0, end=0.2, steps=10)
    (_, term), *_ = objective.terms
    state = objective.init()
    assert term.temperature(state[0]) == 2.0  # type: ignore[attr-defined]
    for _ in range(10):
        state = objective.update(state, None, Batch.ranked([2], tensor(1, 0)))
    assert term.temperature(state[0]) == pytest.approx(0.2 + 1.8 / math.e)  # type: ignore[attr-defined]


def test_noise_moves_the_choice_and_not_the_alignment() -> None:
    values = torch.zeros(2, 8, dtype=torch.float64)
    scores = Scores(tensor(0, 0), torch.arange(2), 2, values=values)
    plain = Batch.ranked([2], tensor(9, 0))
    noisy = Batch(
        **{**vars(plain), "per_sequence": {"selector_noise:0": tensor(50, 50), "selector_noise:1": tensor(0, 0)}}
    )
    objective = optdist(heads=2, alignment=1.0, occurrence=0.0)
    each = Heads.of(values).each.losses(tensor(9, 0)[:, None])
    only = optdist(heads=2, alignment=0.0, occurrence=0.0)
    assert only(scores, noisy).loss.item() == pytest.approx(each[:, 0].mean().item())
    assert only(scores, plain).loss.item() == pytest.approx(each.mean().item())
    extra = [objective(scores, batch).loss.item() - only(scores, batch).loss.item() for batch in (plain, noisy)]
    assert extra[0] == pytest.approx(extra[1])


def test_gini_by_hand() -> None:
    """Of (0, 0, 4): in its own order the Lorenz curve goes 0, 1, 1, 1 in thirds: area (½ + 1 + 1)/3 − ½ = ⅓."""
    values = np.array([0.0, 0.0, 4.0])
    assert normalised_gini(values, values) == 1.0
    assert normalised_gini(values, np.array([1.0, 1.0, 1.0])) == pytest.approx(0.0)
    assert normalised_gini(values, -values) == pytest.approx(-1.0)
    assert math.isnan(normalised_gini(np.ones(3), values))


@pytest.mark.parametrize(
    ("features", "values", "message"),
    [
        (np.zeros((2, 1)), np.array([1.0, -1.0]), "the value -1 cannot be learned"),
        (np.array([[0.0], [np.nan]]), np.ones(2), "record 1, column 0"),
        (np.zeros((3, 1)), np.ones(2), "3 rows of features and 2 values"),
        (np.zeros(3), np.ones(3), "features have the shape"),
    ],
)
def test_tables_that_cannot_be_learned(features: np.ndarray, values: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit_values(features, values, steps=1)


def test_other_objectives_are_refused() -> None:
    with pytest.raises(ObjectiveError, match="learns no distributions of values"):
        fit_values(np.zeros((2, 1)), np.ones(2), objective=dpo())


def test_a_fit_is_repeatable_and_tells_its_usage() -> None:
    known = customers(0, 200)
    first, second = (fit_values(known.features, known.values, steps=20, seed=1) for _ in range(2))
    assert torch.equal(first.predict(known.features).mean, second.predict(known.features).mean)
    assert {"step", "loss", "usage_entropy"} == set(first.history[-1])
    with pytest.raises(DataError, match="the table has 2 columns"):
        first.predict(np.zeros((1, 2)))


@pytest.mark.slow
def test_prior_counts_of_real_people(shared_data: Path) -> None:
    """COMPAS: earlier convictions, of which a third are 0 and the largest above 30, from age and what the charge is.

    The only column of the shared data that is a count of something that happened to one person, often zero, with a
    heavy tail; race and sex are left out.
    """
    with gzip.open(shared_data / "fairness-tabular" / "propublica-recidivism.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    values = np.array([float(row["priors_count"]) for row in rows])
    assert 0.2 < (values == 0).mean() < 0.5
    assert values.max() > 30
    names = ("age", "juv_fel_count", "juv_misd_count", "juv_other_count")
    table = np.array([[*(float(row[n]) for n in names), float(row["c_charge_degree"] == "F")] for row in rows])
    order = np.random.default_rng(0).permutation(len(rows))
    known, new = order[:2000], order[2000:4000]
    model = fit_values(table[known], values[known], objective=optdist(heads=2, steps=40), steps=200, rate=0.05)
    found = model.evaluate(table[new], values[new])
    assert found.gini.low > 0.1
    assert found.spearman.low > 0.2
    assert value_report(values[new], np.full(2000, values[known].mean())).gini.value == pytest.approx(0, abs=1e-9)
