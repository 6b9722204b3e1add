"""``truing unlearn recipe.yaml`` as a user types it."""

from __future__ import annotations

import json
import shutil
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.faults import plant
from tests.jobs import files, model_folder, truing, weights
from truing.unlearning.masks import load_mask
from truing.unlearning.selection import density
from truing.unlearning.suite import make_suite, write_suite


def _recipe(folder: Path, **changes: Any) -> Path:
    """A random model, and three authors of whom one is to be forgotten; five steps."""
    model_folder(folder / "model")
    write_suite(make_suite(3, 0.34, per_author=4), folder / "data")
    values = {
        "model": str(folder / "model"),
        "forget": str(folder / "data/forget.jsonl"),
        "retain": str(folder / "data/retain.jsonl"),
        "method": "npo",
        "training": {
            "max_steps": 5,
            "global_batch": 2,
            "learning_rate": 1e-2,
            "save_every": 2,
            "precision": "float32",
        },
        "output": str(folder / "out"),
        **changes,
    }
    path = folder / "forget.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in values.items() if value is not None}))
    return path


MASK = {"rule": "wagle", "keep": 0.3, "gamma": "gauss-newton"}


@pytest.mark.slow
def test_a_run_leaves_a_model_a_mask_and_what_was_forgotten(tmp_path: Path) -> None:
    measure = {
        "data": str(tmp_path / "data"),
        "retrained": str(tmp_path / "model"),
        "relearn": 0.5,
        "max_new_tokens": 2,
    }
    recipe = _recipe(tmp_path, mask=MASK, measure=measure)
    ended = truing(["unlearn", recipe], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "The probability of answers about what is to be forgotten went from" in ended.err.replace("\n", " ")
    out = tmp_path / "out"
    assert density(load_mask(out / "mask.safetensors"))["all"] == pytest.approx(0.3, abs=1e-4)
    found = json.loads((out / "unlearning.json").read_text())
    record = json.loads((out / "run.json").read_text())
    names = [finding["name"] for finding in record["findings"]]
    assert {"utility", "forget quality", "relearning", "probability of answers, forget set"} <= set(names)
    change = record["findings"][names.index("probability of answers, forget set")]["value"]
    means = [part["sets"]["forget"]["probability"]["value"] for part in (found, found["starting"])]
    assert change == pytest.approx(means[0] - means[1])
    assert "what is to be forgotten went from" in (out / "report.html").read_text()
    # The same recipe by Python's own words, and a finished run is returned as it is.
    again = truing(["unlearn", recipe, "--resume", "--json"], tmp_path / "p")
    assert json.loads(again.out)["unlearning"] == record["unlearning"]
    other = truing(["unlearn", recipe, "--resume", "mask.keep=0.4"], tmp_path / "p")
    assert "made_from" not in other.mistake()
    assert "mask.keep was 0.3, is 0.4" in other.mistake()


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    recipe = _recipe(tmp_path, mask=MASK, method="idk")
    before = files(tmp_path)
    ended = truing(["unlearn", "--dry-run", recipe], tmp_path.with_name("p"))
    assert ended.code == 0, ended.err
    assert files(tmp_path) == before
    assert "wagle, made from the starting model; 30.00% of the weights may change" in ended.err
    assert "every unwanted answer as a pair in which a refusal is preferred to it" in ended.err
    as_json = truing(["unlearn", recipe, "--dry-run", "--json"], tmp_path.with_name("p"))
    assert json.loads(as_json.out)["mask"] == {"rule": "wagle", "keep": 0.3, "gamma": "gauss-newton", "seed": 0}
    assert files(tmp_path) == before


@pytest.mark.slow
def test_a_killed_run_with_a_mask_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    recipe = _recipe(tmp_path, mask=MASK)
    assert truing(["unlearn", recipe], tmp_path / "p").code == 0
    killed = ["unlearn", recipe, f"output={tmp_path / 'killed'}"]
    assert truing(killed, tmp_path / "p", partial(plant.kill_in_step, 4)).code == -signal.SIGKILL
    mask = (tmp_path / "killed/mask.safetensors").read_bytes()
    assert mask == (tmp_path / "out/mask.safetensors").read_bytes()
    assert truing([*killed, "--resume"], tmp_path / "p").code == 0
    assert weights(tmp_path / "killed") == weights(tmp_path / "out")
    assert (tmp_path / "killed/mask.safetensors").read_bytes() == mask


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("method=npoo", "unknown method 'npoo'"),
        ("mask={rule: wagel}", "unknown rule 'wagel'"),
        ("measure=nowhere", "no folder of an unlearning experiment"),
        ("method={name: rmu, layer: 9}", "asks for the states of layer 9, and the model has 2"),
        ("mask=none.safetensors", "the mask cannot be read"),
        ("forget=none.jsonl", "none.jsonl"),
    ],
)
def test_mistakes_are_one_screen(change: str, told: str, tmp_path: Path) -> None:
    ended = truing(["unlearn", _recipe(tmp_path), change], tmp_path / "p")
    assert told in ended.mistake()
    assert not (tmp_path / "out").exists()


def test_a_method_without_its_retain_set(tmp_path: Path) -> None:
    message = truing(["unlearn", _recipe(tmp_path, method="graddiff", retain=None)], tmp_path / "p").mistake()
    assert "'graddiff' needs a retain set" in message
    assert "fix: add e.g. `retain: retain.jsonl`" in message


def test_subcommands_stand_beside_recipes(tmp_path: Path) -> None:
    made = truing(["unlearn", "data", "--authors", "2", "--output", tmp_path / "d"], tmp_path / "p")
    assert made.code == 0, made.err
    assert (tmp_path / "d/forget.jsonl").exists()
    misspelt = truing(["unlearn", "mesure"], tmp_path / "p")
    assert misspelt.code == 2
    assert "No such command 'mesure'" in misspelt.err
    missing = truing(["unlearn", "none.yaml"], tmp_path / "p")
    assert "none.yaml" in missing.mistake()
    shown = truing(["unlearn", "--help"], tmp_path / "p")
    assert shown.code == 0
    assert all(word in shown.out for word in ("run", "data", "measure", "mask"))
    shutil.rmtree(tmp_path / "d")
