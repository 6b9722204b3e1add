"""Numbers that are worked out for records before training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.data import tokenizers_for_tests
from tests.jobs import job, model_folder, pairs, write_rows
from truing.errors import DataError
from truing.policies.causal import CausalPolicy, sequence_logps
from truing.policies.loading import load_model
from truing.policies.packing import Tree
from truing.recipe import parse_recipe
from truing.training.columns import with_columns
from truing.training.columns.density_ratio import fit_ratio, prompt_embeddings
from truing.training.prepare import Prepared, prepare


def _prepared(folder: Path, objective: object, rows: list[dict], **data: object) -> Prepared:
    import yaml

    recipe = yaml.safe_load(job(folder).read_text())
    write_rows(folder / "rows.jsonl", rows)
    recipe["objective"] = objective
    recipe["data"] = {"path": str(folder / "rows.jsonl"), "eval_fraction": 0.0, "max_length": 64, **data}
    return prepare(parse_recipe(recipe))


def _labelled(count: int, liked: list[bool] | None = None) -> list[dict]:
    return [
        {"prompt": r["prompt"], "completion": r["chosen"], "label": liked[n] if liked else n % 2 == 0}
        for n, r in enumerate(pairs(count))
    ]


MATCHED = {"name": "bco", "modify": ["match-prompts"]}


@pytest.mark.parametrize(("liked", "word"), [(True, "liked"), (False, "disliked")])
def test_one_class_has_nothing_to_be_matched_with(liked: bool, word: str, tmp_path: Path) -> None:
    prepared = _prepared(tmp_path, MATCHED, _labelled(12, [liked] * 12))
    with pytest.raises(DataError, match=f"all answers are {word}, so prompts cannot be matched") as caught:
        with_columns(prepared)
    assert caught.value.fix == "remove match-prompts, or use data with both labels"


def test_prompts_are_embedded_by_the_mean_of_their_states(tmp_path: Path) -> None:
    """Against the plain model on the prompt alone, one prompt after the other."""
    prepared = _prepared(tmp_path, MATCHED, _labelled(10))
    found = prompt_embeddings(prepared.policy, prepared.train.examples, 40)
    for place, prompt in enumerate(prepared.train.examples.rows["prompt_ids"]):
        with torch.no_grad():
            out = prepared.policy.inner(torch.tensor([list(prompt)]), output_hidden_states=True)
        np.testing.assert_allclose(found[place], out.hidden_states[-1][0].mean(0).numpy(), atol=1e-5)


def test_ratios_are_odds_of_a_balanced_classifier() -> None:
    """Three disliked prompts in four: in the middle between the classes the odds are 1, not 1/3."""
    draw = np.random.default_rng(0)
    disliked, liked = draw.normal(-1, 0.3, (300, 1)), draw.normal(1, 0.3, (100, 1))
    ratio = fit_ratio(np.concatenate([disliked, liked]), np.array([False] * 300 + [True] * 100))
    low, middle, high = ratio(np.array([[-1.0], [0.0], [1.0]]))
    assert low < 0.2
    assert 0.5 < middle < 2
    assert high > 5


def test_ratios_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = _prepared(tmp_path, MATCHED, _labelled(12))
    first = with_columns(prepared).train.examples.columns["density_ratio"]
    monkeypatch.setattr("truing.training.columns.COLUMNS", {})
    again = with_columns(prepared).train.examples.columns["density_ratio"]
    assert np.array_equal(first, again)
    assert (first > 0).all()


def _other_model(folder: Path) -> Path:
    """A model with a tokenizer that splits texts otherwise."""
    path = model_folder(folder / "other")
    tokenizers_for_tests.gpt2().save_pretrained(path)
    config = json.loads((path / "config.json").read_text())
    assert config["vocab_size"] >= len(tokenizers_for_tests.gpt2())
    return path


def test_another_model_reads_the_text_with_its_own_tokenizer(tmp_path: Path) -> None:
    other = _other_model(tmp_path)
    rows = [{"prompt": r["prompt"], "completion": r["chosen"]} for r in pairs(6)]
    prepared = _prepared(tmp_path, {"name": "poft", "models": [str(other)]}, rows)
    found = with_columns(prepared).train.examples.columns[f"mean_logp:{other}"]
    tokenizer = tokenizers_for_tests.gpt2()
    policy = CausalPolicy(load_model(str(other), device=torch.device("cpu")), tokenizer)
    own = prepared.train.examples
    assert len(found) == len(own) == 6
    for value, name, ids in zip(found, own.rows["id"], own.rows["completion_ids"], strict=True):
        row = rows[int(name) - 1]
        prompt, answer = (tokenizer(row[key])["input_ids"] for key in ("prompt", "completion"))
        assert answer != list(ids[0])[:-1], "both tokenizers split alike"
        with policy.evaluating():
            score = policy.score_all([Tree(prompt, [[*answer, tokenizer.eos_token_id]])], budget=1000)
        assert float(value) == pytest.approx(float(sequence_logps(score) / score.lengths), abs=1e-5)
