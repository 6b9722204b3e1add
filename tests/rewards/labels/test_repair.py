"""Strength of preferences and repaired labels: by hand, in files, in recipes, on real rows."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from truing.cli.app import app
from truing.data.sources import load
from truing.errors import DataError, ObjectiveError, RecipeError
from truing.rewards.labels.repair import repair_of
from truing.rewards.labels.strength import Votes, preference_strength
from truing.rewards.models.training import train_reward
from truing.worlds.noisy_labels import draw

ANIMALS = ["cat", "dog", "cow", "hen", "fox", "owl", "bee", "ant", "pig", "rat", "bat", "elk", "yak", "emu", "eel"]
WRONG = {2, 11, 19}


def rows(count: int = 30):
    """Short answers are preferred, but in three rows the label is exchanged."""
    found = []
    for number in range(count):
        animal = ANIMALS[number % len(ANIMALS)]
        short, long = f" A {animal}.", f" I think that it may well be a {animal}, but I am not at all sure of it."
        pair = (long, short) if number in WRONG else (short, long)
        prompt = f"\n\nHuman: What is {animal} number {number}?\n\nAssistant:"
        found.append({"prompt": prompt, "chosen": pair[0], "rejected": pair[1], "id": f"row-{number}"})
    return found


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    return path


def test_repairs_by_hand():
    """Of ten pairs two are weakest (only −2 points the other way), then three are uncertain, five strong."""
    strength = np.array([3.0, -2.0, 0.1, 0.2, 0.3, 0.4, 1.0, 2.0, 4.0, 5.0])
    settings = preference_strength(flip=0.2, soft=0.3, margin=True)
    found = settings.repairs(Votes(strength, np.zeros(10), 1.0))
    assert np.flatnonzero(found.flipped).tolist() == [1]
    assert np.flatnonzero(found.soft).tolist() == [3, 4, 5]
    expected = [1, 1, 1, 1 / (1 + np.exp(-0.2)), 1 / (1 + np.exp(-0.3)), 1 / (1 + np.exp(-0.4)), 1, 1, 1, 1]
    assert found.preference.tolist() == pytest.approx(expected)
    assert found.margin.tolist() == pytest.approx([3, 2, 0.1, 0, 0, 0, 1, 2, 4, 5])


def test_shares_of_more_than_all_pairs_are_refused():
    with pytest.raises(ObjectiveError, match=r"0\.6 \+ 0\.7 is more than the whole"):
        preference_strength(flip=0.6, soft=0.7)


def test_without_shares_nothing_changes():
    votes = Votes(np.array([-5.0, 5.0]), np.zeros(2), 1.0)
    found = preference_strength(flip=0.0, soft=0.0).repairs(votes)
    assert not found.flipped.any()
    assert found.preference.tolist() == [1, 1]
    assert found.margin.tolist() == [0, 0]


def test_a_pair_is_judged_by_members_that_did_not_see_it():
    """Exchanging one label leaves its members alone: its strength turns its sign, and nothing else of it changes."""
    world = draw(3, pairs=200, features=4)
    settings = preference_strength(members=3)
    gaps = world.gaps.copy()
    before = settings.votes(gaps)
    gaps[7] = -gaps[7]
    after = settings.votes(gaps)
    assert after.strength[7] * after.temperature == pytest.approx(-before.strength[7] * before.temperature)
    assert after.spread[7] * after.temperature == pytest.approx(before.spread[7] * before.temperature)


def test_strength_is_calibrated():
    """σ(μ) is as often right as it says: dividing by the temperature that was found leaves 1."""
    from truing.rewards.evaluation.calibration import temperature

    votes = preference_strength(members=3).votes(draw(1, pairs=300).gaps)
    assert temperature(votes.strength) == pytest.approx(1.0, abs=1e-3)


def test_wrong_labels_in_a_file_are_exchanged(data, tmp_path):
    out = tmp_path / "repaired.jsonl"
    result = CliRunner().invoke(
        app, ["data", "repair", str(data), "-o", str(out), "--model", "truing/tiny", "--flip", "0.15", "--json"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["pairs"] == 30
    assert found["flipped"] == len(WRONG)
    weakest = sorted(found["strength"], key=lambda name: found["strength"][name][0])[: len(WRONG)]
    assert set(weakest) == {f"row-{number}" for number in WRONG}
    mended = load(str(out)).dataset
    assert all(len(row["chosen"]) < len(row["rejected"]) for row in mended)
    assert set(mended["preference"]) == {1.0}


def test_a_recipe_repairs_what_it_trains_on_and_nothing_else(data, tmp_path):
    held = tmp_path / "held.jsonl"
    held.write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    recipe = {
        "model": "truing/tiny",
        "data": {
            "path": str(data),
            "eval_path": str(held),
            "max_length": 96,
            "repair": {"name": "preference-strength", "flip": 0.15, "soft": 0.2, "margin": True, "members": 3},
        },
        "objective": "secrets-rm",
        "training": {"max_steps": 15, "global_batch": 6, "learning_rate": 1e-3},
        "output": str(tmp_path / "run"),
    }
    result = train_reward(recipe)
    notes = " ".join(result.record["plan"]["notes"])
    assert "repaired: 3 of 30 labels exchanged" in notes
    # The three held-out rows with exchanged labels stay wrong, so that who learned the truth gets 27 of 30.
    assert result.record["evaluation"]["reward"]["accuracy"]["value"] == pytest.approx(0.9)


@pytest.mark.slow
def test_real_pairs(shared_data):
    records = load(str(shared_data / "hh-rlhf" / "harmless-base-test.jsonl.gz"), limit=150)
    found = repair_of({"name": "preference-strength", "members": 3, "max_length": 128}, "truing/tiny")(records)
    assert 0.5 < found.agreement.value < 0.9
    # Linear rewards on states of a tiny model know little about harm, and that is said.
    assert "little more than chance" in found.sentences()[-1]
    assert "little more than chance" in found.records.notes[-1]
    assert len(found.records) == len(records) == 150
    before = {row["id"]: row for row in records.dataset}
    for name, flipped in zip(found.ids, found.repairs.flipped, strict=True):
        row = next(r for r in found.records.dataset if r["id"] == name)
        assert row["chosen"] == before[name]["rejected" if flipped else "chosen"]


def test_bad_input_is_explained(data, tmp_path):
    with pytest.raises(DataError, match="no better than chance"):
        preference_strength(members=2).votes(np.random.default_rng(4).standard_normal((40, 30)))
    with pytest.raises(DataError, match="9 pairs cannot be judged in 5 folds"):
        preference_strength().votes(np.ones((9, 2)))
    with pytest.raises(RecipeError, match="unknown label repair 'preference-strengt'"):
        repair_of("preference-strengt", "truing/tiny")
    with pytest.raises(ObjectiveError, match="flip"):
        repair_of({"name": "preference-strength", "flip": 1.5}, "truing/tiny")
    ranked = tmp_path / "ranked.jsonl"
    ranked.write_text(json.dumps({"prompt": "a", "completions": ["b", "c"], "scores": [1, 2]}) + "\n")
    with pytest.raises(DataError, match="labels of pairs are repaired, and these are ranked data"):
        repair_of("preference-strength", "truing/tiny")(load(str(ranked)))
