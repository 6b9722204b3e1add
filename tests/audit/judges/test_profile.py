"""Factor scores by hand, against scipy, and on real data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.audit.judges.chats import Scripted
from tests.evidence.bugs import claims_of, must_fail, must_hold, planted
from tests.jobs import write_rows
from truing.audit.judges.factor_scores import factor_scores
from truing.audit.judges.levels import level_pairs, read_written, save_written, write_at_levels
from truing.audit.judges.profiling import profile_votes
from truing.audit.judges.votes import read_votes
from truing.diagnostics.audits import profile
from truing.errors import DataError, TruingError


def test_ties_in_both_conventions() -> None:
    """Three concordant, one discordant, two ties: 2/6 with ties counted, 2/4 with ties dropped."""
    differences, preferences = np.array([[1, 2, 3, -1, 0, 0]]).T, np.ones(6)
    for ties, expected in (("counted", 2 / 6), ("dropped", 2 / 4)):
        (own,) = profile(differences, preferences, ["f"], ties=ties, draws=2).annotators
        assert own.tau[0].value == pytest.approx(expected)
        assert own.tau[0].n == 4


def test_pairs_of_equal_length_by_hand() -> None:
    """Of the three pairs whose lengths are alike two are concordant, one is not: 1/3."""
    found = factor_scores(
        np.array([[1.0], [1], [-1], [1], [1]]),
        np.ones(5),
        np.array([0.0, 0, 0, 1, 1]),
        np.ones((1, 5)),
        "counted",
    )
    assert found.tau[0, 0] == pytest.approx(3 / 5)
    assert found.matched[0, 0] == pytest.approx(1 / 3)


def test_partial_correlation_is_what_is_left_after_regression_on_length() -> None:
    """The formula equals the cosine of the residuals of two regressions without intercept."""
    rng = np.random.default_rng(0)
    factor, longer = rng.integers(-1, 2, (2, 200)).astype(float)
    liked = rng.choice([-1.0, 1.0], 200)

    def rest(values: np.ndarray) -> np.ndarray:
        return values - longer * (values @ longer) / (longer @ longer)

    left, right = rest(factor), rest(liked)
    expected = left @ right / np.sqrt((left @ left) * (right @ right))
    found = factor_scores(factor[:, None], liked, longer, np.ones((1, 200)), "counted")
    assert found.partial[0, 0] == pytest.approx(expected)


def test_counts_are_rows_that_come_again() -> None:
    rng = np.random.default_rng(1)
    differences, liked = rng.standard_normal((30, 2)), rng.choice([-1.0, 1.0], 30)
    longer, counts = rng.integers(-1, 2, 30).astype(float), rng.integers(0, 3, 30)
    one = factor_scores(differences, liked, longer, counts[None].astype(float), "dropped")
    rows = np.repeat(np.arange(30), counts)
    other = factor_scores(differences[rows], liked[rows], longer[rows], np.ones((1, len(rows))), "dropped")
    for name in ("tau", "matched", "partial"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name))


def test_agreement_is_scipy_s() -> None:
    rng = np.random.default_rng(2)
    differences = rng.standard_normal((400, 6))
    votes = np.concatenate([np.sign(differences @ rng.standard_normal(6)) for _ in range(2)])
    found = profile(np.tile(differences, (2, 1)), votes, "abcdef", annotators=["x"] * 400 + ["y"] * 400, draws=3)
    one, other = (np.array([score.value for score in own.tau]) for own in found.annotators)
    agreement = found.agreement["x", "y"]
    assert agreement["kendall"].value == pytest.approx(stats.kendalltau(one, other).statistic)
    assert agreement["spearman"].value == pytest.approx(stats.spearmanr(one, other).statistic)
    assert agreement["pearson"].value == pytest.approx(np.corrcoef(one, other)[0, 1])
    gaps = [gap.value for gap in found.gaps["x", "y"]]
    np.testing.assert_allclose(gaps, other - one)


def test_misaligned_factors_are_named_largest_first() -> None:
    rng = np.random.default_rng(3)
    differences = rng.standard_normal((600, 3))
    votes = np.concatenate([np.sign(differences[:, 0]), np.sign(differences[:, 1])])
    found = profile(np.tile(differences, (2, 1)), votes, "abc", annotators=["x"] * 600 + ["y"] * 600, draws=60)
    assert {name for name, _ in found.misaligned("x", "y")} == {"a", "b"}
    assert any("y weighs differently from x" in line for line in found.sentences())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preferences": np.ones(3)}, "differences have shape"),
        ({"preferences": np.zeros(4)}, "no row has a preference"),
        ({"longer": np.zeros(1)}, "not every row has a length"),
        ({"ties": "half"}, "ties are 'half'"),
        ({"draws": 0}, "draws = 0"),
    ],
)
def test_what_is_refused(change: dict, message: str) -> None:
    with pytest.raises(TruingError, match=message):
        profile(**{"differences": np.ones((4, 1)), "preferences": np.ones(4), "factors": "f", **change})


def test_pairs_across_levels() -> None:
    """Levels 1, 3, 3 of one prompt: 3 beats 1 twice; the other prompt has one answer."""
    one, other = level_pairs(np.array([1, 3, 2, 3]), np.array(["p", "p", "q", "p"]))
    assert sorted(zip(one.tolist(), other.tolist(), strict=True)) == [(1, 0), (3, 0)]


def test_a_writer_is_asked_for_every_level_and_kept(tmp_path: Path) -> None:
    chat = Scripted(lambda text: "" if "quality 2" in text else text[text.index("quality ") + 8])
    written = write_at_levels(chat, ["Why?", "Why?", "How?"])
    assert written.levels == (1, 3, 4, 5) * 2
    assert written.texts == ("1", "3", "4", "5") * 2
    assert len(written.votes("w")) == 12
    save_written(tmp_path / "w.jsonl", written)
    assert read_written(tmp_path / "w.jsonl") == written


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "?", "text": "!"}, "`level` is null"),
        ({"prompt": "?", "text": "!", "level": 6}, "`level` is 6"),
        ({"level": 1, "text": "!"}, "`prompt` is missing"),
    ],
)
def test_written_rows_that_are_refused(row: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_written(write_rows(tmp_path / "w.jsonl", [row]))


def test_gpt4_prefers_length_and_a_concise_writer_does_not(shared_data: Path) -> None:
    votes = read_votes(str(shared_data / "alpaca-eval" / "hard" / "gpt4.json.gz"), sample=60)
    chat = Scripted(lambda text: "word " * (30 - 5 * int(text[text.index("quality ") + 8])))
    found = profile_votes(votes, written={"writer": write_at_levels(chat, votes.prompts[:3])}, draws=5)
    people, writer = found.annotators
    place = found.factors.index("length")
    assert people.tau[place].value > 0.5
    assert writer.tau[place].value == -1


def preferences_ignored(differences, preferences, *args, **options):
    return profile(differences, np.ones_like(preferences), *args, **options)


def always_counted(*args, **options):
    return profile(*args, **{**options, "ties": "counted"})


def always_dropped(*args, **options):
    return profile(*args, **{**options, "ties": "dropped"})


def length_ignored(*args, **options):
    return profile(*args, **{**options, "longer": None})


def sizes_alone(differences, *args, **options):
    return profile(np.abs(differences), *args, **options)


def one_for_all(*args, **options):
    """Everybody gets the first annotator's scores."""
    found = profile(*args, **options)
    return replace(
        found, annotators=tuple(replace(found.annotators[0], name=own.name) for own in found.annotators)
    )


BUGS = {
    "profile/six-pairs-by-hand": [always_counted, always_dropped, preferences_ignored],
    "profile/writer-and-judge-differ": [preferences_ignored, one_for_all],
    "profile/length-explains-its-followers": [length_ignored],
    "profile/places-do-not-matter": [preferences_ignored, sizes_alone],
}


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug)


def test_every_claim_holds_and_has_a_bug():
    assert claims_of("profile") == set(BUGS)
    for name in BUGS:
        must_hold(name)
