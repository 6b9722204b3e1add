"""Diagnoses of models: every number against an independent computation, and errors that say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.jobs import model_folder, pairs, write_rows
from truing.diagnostics.model import Options, diagnose_model
from truing.diagnostics.pair_scores import ches_of, score_pairs
from truing.errors import TruingError
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree

OPTIONS = Options(samples=6, max_new_tokens=6, precision="float32")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A reference, and a model that one large step has made of it."""
    folder = tmp_path_factory.mktemp("models")
    start = model_folder(folder / "start")
    model = AutoModelForCausalLM.from_pretrained(start)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=generator))
    model.save_pretrained(folder / "trained")
    AutoTokenizer.from_pretrained(start).save_pretrained(folder / "trained")
    return str(folder / "trained"), str(start)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_rows(tmp_path_factory.mktemp("data") / "pairs.jsonl", pairs(30)))


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUING_CACHE", str(tmp_path))


def test_scores_of_pairs_equal_the_models_own(models: tuple[str, str]) -> None:
    model = AutoModelForCausalLM.from_pretrained(models[0])
    tree = Tree([3, 4, 5], [[7, 8, 9], [7, 11]])
    policy = CausalPolicy(AutoModelForCausalLM.from_pretrained(models[0]), precision="float32")
    found = score_pairs(policy, [tree, Tree([6], [[7], [7, 8]])])
    with torch.no_grad():
        rows = [model(torch.tensor([[3, 4, 5, *b]])).logits[0, 2:-1].log_softmax(-1) for b in tree.branches]
        states = [model.model(torch.tensor([[3, 4, 5, *b]])).last_hidden_state[0, 2:-1] for b in tree.branches]
    sums = [float(r[range(len(b)), b].sum()) for r, b in zip(rows, tree.branches, strict=True)]
    assert found.logps[0].tolist() == pytest.approx(sums, abs=1e-4)
    # The answers part at their second token, 8 against 11.
    assert found.neither[0] == pytest.approx(1 - float(rows[0][1].exp()[[8, 11]].sum()), abs=1e-5)
    assert np.isnan(found.neither[1]), "one answer begins with the whole other"
    top = torch.cat(rows).exp().topk(10).values
    assert found.topk_mass[0] == pytest.approx(float(top.sum(-1).mean()), abs=1e-5)
    assert found.topk_entropy[0] == pytest.approx(float(-(top * top.log2()).sum(-1).mean()), abs=1e-4)
    w, r = (s.double().mean(0) for s in states)
    assert ches_of(policy, [tree])[0][0] == pytest.approx(float(w @ r - w @ w), abs=1e-4)


def test_a_model_beside_its_reference(models: tuple[str, str], data: str) -> None:
    found = diagnose_model(models[0], data, reference=models[1], options=OPTIONS)
    readings = {reading.name: reading for reading in found.readings}
    assert found.pairs == 30
    assert {"idealised_accuracy", "corrected", "broken", "drop", "degradation", "dispersion", "kl"} <= set(
        readings
    )
    assert readings["kl"].estimate.value > 0
    assert [p.first for p in found.positions][:2] == [1, 2]
    right = np.array([row["right"] for row in found.rows])
    assert readings["ranking_accuracy"].estimate.value == right.mean()
    before = np.array([row["right_before"] for row in found.rows])
    assert readings["corrected"].estimate.value == right[~before].mean()
    assert all(row["difficulty"] > 0 for row in found.rows if not row["right_before"])
    assert all(reading.says.endswith(".") for reading in found.readings)


def test_a_model_beside_itself_has_not_moved(models: tuple[str, str], data: str) -> None:
    found = diagnose_model(models[1], data, reference=models[1], options=OPTIONS)
    readings = {reading.name: reading.estimate.value for reading in found.readings}
    for name in ("drop", "degradation", "dispersion", "topk_entropy_change", "kl", "length_drift", "broken"):
        assert readings[name] == 0, name
    assert any("the same model" in note for note in found.notes)


def test_a_model_alone(models: tuple[str, str], data: str) -> None:
    found = diagnose_model(models[0], data, options=Options(limit=10, precision="float32"))
    assert found.pairs == 10
    assert found.notes[0] == "the first 10 of 30 pairs (--limit)"
    assert {reading.audit for reading in found.readings} == {"ches", "ranking-accuracy", "likelihood-overopt", ""}
    assert "right" not in found.rows[0]


def test_where_pairs_stand_is_asked_of_what_training_starts_from(models: tuple[str, str], data: str) -> None:
    """The reference's own answers where there is one: the same numbers as a diagnosis of the reference alone."""
    options = Options(samples=24, max_new_tokens=5, precision="float32")
    alone = {reading.name: reading for reading in diagnose_model(models[1], data, options=options).readings}
    beside = {r.name: r for r in diagnose_model(models[0], data, reference=models[1], options=options).readings}
    for name in ("chosen_unlikely", "rejected_unlikely"):
        assert alone[name].estimate == beside[name].estimate
        assert alone[name].estimate.n == 30
    assert "to the model" in alone["chosen_unlikely"].title
    assert "to the reference" in beside["chosen_unlikely"].title


def test_the_datas_own_preferences_are_used(models: tuple[str, str], tmp_path: Path) -> None:
    """A preference of one half moves nothing: the ideal is the reference's own order."""
    rows: list[dict[str, Any]] = [{**row, "preference": 0.5} for row in pairs(12)]
    path = write_rows(tmp_path / "soft.jsonl", rows)
    found = diagnose_model(models[0], str(path), reference=models[1], options=OPTIONS)
    (ideal,) = [reading.estimate.value for reading in found.readings if reading.name == "idealised_accuracy"]
    assert ideal == np.mean([row["right_before"] for row in found.rows])
    assert not any("taken as wrong" in note for note in found.notes)


def test_what_is_wrong_is_said(models: tuple[str, str], data: str, tmp_path: Path) -> None:
    single = write_rows(tmp_path / "sft.jsonl", [{"prompt": f"a {i}", "completion": " b"} for i in range(8)])
    with pytest.raises(TruingError, match="a diagnosis needs pairs, and this is demonstrations data"):
        diagnose_model(models[0], str(single))
    few = write_rows(tmp_path / "few.jsonl", pairs(3))
    with pytest.raises(TruingError, match="3 pairs are too few"):
        diagnose_model(models[0], str(few))
    with pytest.raises(TruingError, match=r"--flip-rate cannot be 0[\s\S]*every ideal is 1"):
        Options(flip_rate=0)
    with pytest.raises(TruingError, match="no model folder"):
        diagnose_model(models[0], data, reference=str(tmp_path / "nowhere"))
