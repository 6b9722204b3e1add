"""Weights of judges: reductions, real data, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.evidence.bugs import claims_of, must_fail, must_hold, planted
from truing.audit.judges.dissecting import dissect
from truing.audit.judges.votes import read_votes
from truing.diagnostics.audits import preference_dissection
from truing.errors import TruingError

NAMES = ("one", "two", "three")


def some(pairs: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    features = rng.integers(-1, 2, (pairs, 3)).astype(float)
    votes = np.where(rng.random(pairs) < 1 / (1 + np.exp(-features @ [1.5, -1.0, 0.0])), 1.0, -1.0)
    return features, votes


def test_probability_of_a_property_is_the_sigmoid_of_its_weight() -> None:
    (fit,) = preference_dissection(*some(), NAMES, draws=5).fits
    for weight, chance in zip(fit.weights, fit.probabilities, strict=True):
        assert chance.value == pytest.approx(1 / (1 + np.exp(-weight.value)))
        assert chance.low <= chance.value <= chance.high


def test_a_property_in_which_no_pair_differs_is_unknown() -> None:
    features, votes = some()
    features[:, 1] = 0
    (fit,) = preference_dissection(features, votes, NAMES, draws=3).fits
    assert np.isnan(fit.weights[1].value)
    assert fit.weights[1].n == 0
    assert fit.weights[0].n == int((features[:, 0] != 0).sum())


def test_mode_and_posterior_are_near_each_other() -> None:
    """On all pairs; a fold sees fewer, so that the prior holds it nearer to 0."""
    features, votes = some(400)
    mode, mean = (
        preference_dissection(features, votes, NAMES, how=how, folds=1, chains=8, draws=40).fits[0].values
        for how in ("map", "posterior")
    )
    np.testing.assert_allclose(mode, mean, atol=0.06)


def test_ties_and_missing_annotations_are_left_out() -> None:
    features, votes = some()
    votes[:10], features[10:15, 0] = 0, np.nan
    found = preference_dissection(features, votes, NAMES, draws=2)
    assert found.undecided == 10
    assert found.fits[0].pairs == 185


def test_small_scenarios_are_left_out_and_named() -> None:
    features, votes = some()
    kinds = ["maths"] * 190 + ["poems"] * 10
    found = preference_dissection(features, votes, NAMES, scenarios=kinds, least=20, draws=2)
    assert [fit.scenario for fit in found.fits] == ["all", "maths"]
    assert found.left_out == {"judge: poems": 10}
    assert found.fit("judge", "maths").pairs == 190
    with pytest.raises(TruingError, match="no weights of 'judge' in 'poems'"):
        found.fit("judge", "poems")


def test_rows_of_a_group_are_drawn_together() -> None:
    """Everything in one group is drawn as it is, so that nothing is left to chance."""
    features, votes = some()
    (fit,) = preference_dissection(features, votes, NAMES, groups=["same"] * 200, draws=4).fits
    assert all(weight.low == pytest.approx(weight.high, abs=1e-4) for weight in fit.weights)
    (free,) = preference_dissection(features, votes, NAMES, draws=4).fits
    assert free.weights[0].high - free.weights[0].low > 0.05


def test_similarity_is_the_mean_over_scenarios() -> None:
    """Equal tastes in one scenario and opposite ones in the other: (1 − 1)/2 = 0."""
    features, votes = some()
    both = np.concatenate([features, features])
    kinds = (["a"] * 100 + ["b"] * 100) * 2
    other = votes * np.where(np.arange(200) < 100, 1, -1)
    found = preference_dissection(
        both,
        np.concatenate([votes, other]),
        NAMES,
        judges=["x"] * 200 + ["y"] * 200,
        scenarios=kinds,
        draws=1,
    )
    assert found.similarity[0, 1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"votes": np.ones(3)}, "features have shape"),
        ({"features": np.full((200, 3), 2.0)}, "a feature is not −1, 0 or 1"),
        ({"votes": np.zeros(200)}, "no pair is decided"),
        ({"scale": 0.0}, "scale = 0.0"),
        ({"folds": 0}, "folds = 0"),
        ({"judges": ["x"]}, "1 judges for 200 votes"),
    ],
)
def test_what_is_refused(change: dict, message: str) -> None:
    features, votes = some()
    given = {"features": features, "votes": votes, "properties": NAMES, **change}
    with pytest.raises(TruingError, match=message):
        preference_dissection(**given)


def test_people_of_auto_j_prefer_longer_answers(shared_data: Path) -> None:
    """Found in the whole file, too: longer wins more than any other counted property."""
    votes = read_votes(str(shared_data / "auto-j" / "testdata_pairwise.jsonl.gz"), sample=200)
    found = dissect(votes)
    assert found.judges == ("labels",)
    named = dict(zip(found.properties, found.fits[0].weights, strict=True))
    assert named["lengthy"].excludes_zero
    assert max(named, key=lambda name: np.nan_to_num(named[name].value)) == "lengthy"


def test_annotators_of_pandalm_are_told_apart(shared_data: Path) -> None:
    found = dissect(read_votes(str(shared_data / "pandalm" / "testset-v1.json"), sample=240))
    assert set(found.judges) == {"annotator1", "annotator2", "annotator3"}
    assert found.similarity.shape == (3, 3)
    np.testing.assert_array_equal(found.similarity, found.similarity.T)


def votes_ignored(features, votes, *args, **options):
    return preference_dissection(features, np.ones_like(votes), *args, **options)


def first_place_counts(features, votes, *args, **options):
    """A property of its own for the first place: an intercept in disguise."""
    leaning = features.copy()
    leaning[:, 0] = 1
    return preference_dissection(leaning, votes, *args, **options)


def wide_prior(*args, **options):
    return preference_dissection(*args, **{**options, "scale": 1.0})


def few_pairs(features, votes, *args, **options):
    """Never looks at more than the first 500."""
    judges = options.pop("judges", None)
    return preference_dissection(
        features[:500], votes[:500], *args, **options, judges=None if judges is None else judges[:500]
    )


def sizes_alone(features, votes, *args, **options):
    return preference_dissection(np.abs(features), votes, *args, **options)


BUGS = {
    "preference-dissection/error-halves": [few_pairs, votes_ignored],
    "preference-dissection/finds-the-signs": [votes_ignored, first_place_counts],
    "preference-dissection/places-do-not-matter": [first_place_counts, sizes_alone],
    "preference-dissection/samples-the-posterior": [wide_prior],
    "preference-dissection/opposite-judges": [votes_ignored],
}


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug)


def test_every_claim_holds_and_has_a_bug():
    assert claims_of("preference-dissection") == set(BUGS)
    for name in BUGS:
        must_hold(name)
