"""Runs with control codes: two stages, what is refused, and how the trained model is asked."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

import truing
from tests import jobs
from truing.errors import TruingError
from truing.policies.causal import CausalPolicy
from truing.policies.control_codes import BAD, FILE, GOOD, load_codes
from truing.policies.loading import load_model
from truing.policies.packing import Tree
from truing.training.checkpoints import complete_checkpoints
from truing.training.examples import ExampleData
from truing.training.fronts import Fronts

MEET = {"name": "meet", "tokens": 3, "code_rate": 0.01, "codes_first": 0.5}


def run(folder: Path, **changes: Any) -> truing.RunResult:
    jobs.job(folder)
    return truing.align(jobs.recipe_values(folder, **{"objective": MEET, "training__save_every": 1, **changes}))


def lines(result: truing.RunResult) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (result.folder / "metrics.jsonl").read_text().splitlines()]


def records(kind: str, rows: list[dict[str, Any]], fronts: Fronts | None) -> ExampleData:
    class Rows(list):
        def __getitem__(self, numbers):
            return {name: [rows[i][name] for i in numbers] for name in rows[0]}

    return ExampleData(Rows(rows), kind, fronts=fronts)  # type: ignore[arg-type]


def test_every_answer_stands_under_its_own_code() -> None:
    row = {"id": "0", "prompt_ids": [5, 6], "completion_ids": [[7], [8, 9]]}
    fronts = Fronts((100, 101), (102, 103))
    (pair,) = records("pairs", [row], fronts).examples([0])
    assert pair.trees == [Tree([100, 101, 5, 6], [[7]]), Tree([102, 103, 5, 6], [[8, 9]])]
    single = {"id": "0", "prompt_ids": [5], "completion_ids": [[7]]}
    data = records("unpaired", [{**single, "label": True}, {**single, "label": False}], fronts)
    assert [example.trees for example in data.examples([0, 1])] == [
        [Tree([100, 101, 5], [[7]])],
        [Tree([102, 103, 5], [[7]])],
    ]
    # Asked plainly, nothing stands in front.
    assert data.trees([1]) == [Tree([5], [[7]])]


@pytest.mark.slow
@pytest.mark.parametrize("peft", [None, {"name": "lora", "rank": 2, "alpha": 4}])
def test_codes_learn_first_then_the_model(peft: dict[str, Any] | None, tmp_path: Path) -> None:
    """Seven steps, of which round(3.5) = 4 belong to the codes."""
    result = run(tmp_path, training__peft=peft, training__keep_checkpoints=9, training__weight_decay=0.1)
    name = "model.safetensors" if peft is None else "adapter_model.safetensors"
    folders = complete_checkpoints(result.folder / "checkpoints")
    assert len(folders) == 7
    weights = [load_file(folder / name) for folder in folders]
    codes = [load_file(folder / "modules.safetensors")["codes.vectors"] for folder in folders]
    same = [all(torch.equal(a[key], b[key]) for key in a) for a, b in pairwise(weights)]
    assert same == [True, True, True, False, False, False]
    if peft is None:
        start = load_file(tmp_path / "model" / name)
        assert all(torch.equal(start[key], value) for key, value in weights[3].items())
    assert not any(torch.equal(a, b) for a, b in pairwise(codes))
    rates = [line["learning_rate"] for line in lines(result) if "learning_rate" in line]
    # The schedule of the model is a cosine over its own three steps.
    expected = [0, 0, 0, 0, *(0.01 * 0.5 * (1 + math.cos(math.pi * step / 3)) for step in range(3))]
    assert rates == pytest.approx(expected, abs=1e-9)
    norms = [line["grad_norm"] for line in lines(result) if "grad_norm" in line]
    assert min(norms) > 0
    assert not any(key.startswith("rewards/") for line in lines(result) for key in line)


@pytest.mark.slow
def test_the_model_is_an_ordinary_one_and_codes_lie_beside_it(tmp_path: Path) -> None:
    result = run(tmp_path)
    _, info = AutoModelForCausalLM.from_pretrained(result.model, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert [path.name for path in result.model.glob("*.safetensors")] == ["model.safetensors"]
    policy = CausalPolicy(load_model(str(result.model)), precision="float32")
    codes = load_codes(policy, result.folder / FILE)
    last = complete_checkpoints(result.folder / "checkpoints")[-1]
    assert torch.equal(codes.vectors, load_file(last / "modules.safetensors")["codes.vectors"])
    # As the run itself asked: held-out answers under the good code.
    row = json.loads((result.folder / "evaluation" / "held_out.jsonl").read_text().splitlines()[0])
    prepared = truing.training.prepare.prepare(truing.recipe.parse_recipe(result.record["recipe"]))
    tree = prepared.held_out.examples.trees([0])[0]
    scores = policy.score([Tree([*codes.ids(GOOD), *tree.prompt], tree.branches)])
    assert scores.total(scores.token_logps).tolist() == pytest.approx(
        [row["chosen_logp_after"], row["rejected_logp_after"]], abs=1e-3
    )
    assert codes.ids(BAD)[0] == codes.ids(GOOD)[-1] + 1


@pytest.mark.slow
def test_the_report_says_how_the_model_was_asked(tmp_path: Path) -> None:
    result = run(tmp_path)
    words = "under the code for good answers, 3 virtual tokens"
    assert result.record["evaluation"]["asked"] == {"before": "with the prompt as it is", "after": words}
    assert f"The trained model was asked {words}, as in training" in result.report.read_text()
    assert words in (result.model / "README.md").read_text()
    metrics = result.record["evaluation"]["held_out"]
    assert metrics["control_accuracy"]["n"] == 5
    assert "control" in [finding.name for finding in result.findings]


@pytest.mark.slow
def test_a_goal_is_stated_to_the_trained_model_only(tmp_path: Path) -> None:
    """Trained on prompts with goals, the model is asked for the best score of the data, the starting model plainly."""
    jobs.job(tmp_path)
    scored = [
        {**row, "score_chosen": 6 + number % 4, "score_rejected": 1 + number % 3}
        for number, row in enumerate(jobs.pairs(18))
    ]
    jobs.write_rows(tmp_path / "train.jsonl", scored)
    held = [{**row, "score_chosen": 3, "score_rejected": 2} for row in jobs.pairs(5, seed=1)]
    jobs.write_rows(tmp_path / "held.jsonl", held)
    values = jobs.recipe_values(tmp_path, data__relabel=["reward-augmented"])
    prepared = truing.training.prepare.prepare(truing.recipe.parse_recipe(values))
    texts = [
        [prepared.tokenizer.decode(ids, skip_special_tokens=True) for ids in prompts]
        for prompts in (prepared.questions.plain, prepared.questions.asked)
    ]
    assert texts[0] == [row["prompt"] for row in held]
    assert texts[1] == [f"(Write an answer of quality 9.0.)\n\n{row['prompt']}" for row in held]
    result = truing.align(values)
    asked = result.record["evaluation"]["asked"]["after"]
    assert asked == "for an answer of quality 9.0, the highest in the data"
    answered = json.loads((result.folder / "evaluation" / "before.json").read_text())["prompts"]
    assert answered == prepared.questions.plain[:2]


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "longer than the context": (
        {"objective": {**MEET, "tokens": 250}},
        r"with 250 of a control code in front it exceeds the model's context of 256",
    ),
    "a reference beside codes": (
        {"objective": [MEET, {"name": "dpo", "weight": 0.1}]},
        r"asks for a reference, which knows none",
    ),
    "two kinds of codes": (
        {"objective": [MEET, {"name": "meet", "tokens": 4}]},
        r"ask for control codes of different kinds",
    ),
    "weights cut into parts": (
        {"training__arguments": {"deepspeed": "zero.json"}},
        r"needs? the model's input embeddings whole in every process, and deepspeed cuts",
    ),
    "one step for two stages": (
        {"training__max_steps": 1},
        r"a run of one step cannot first train codes and then the model(.|\n)*codes_first: 0\.0",
    ),
    "no tokens": ({"objective": {**MEET, "tokens": 0}}, r"tokens = 0 cannot be used(.|\n)*1 <= tokens"),
    "never the model": ({"objective": {**MEET, "codes_first": 1.0}}, r"codes_first = 1\.0 cannot be used"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_it_refuses(name: str, tmp_path: Path) -> None:
    changes, message = MISTAKES[name]
    with pytest.raises(TruingError, match=message):
        run(tmp_path, **changes)
    assert not (tmp_path / "out").exists()


def test_a_level_without_answers_is_refused(tmp_path: Path) -> None:
    jobs.job(tmp_path)
    liked = [
        {"id": row["id"], "prompt": row["prompt"], "completion": row["chosen"], "label": True}
        for row in jobs.pairs(18)
    ]
    jobs.write_rows(tmp_path / "train.jsonl", liked)
    jobs.write_rows(tmp_path / "held.jsonl", [{**row, "label": bool(i % 2)} for i, row in enumerate(liked[:4])])
    values = jobs.recipe_values(tmp_path, objective=MEET)
    with pytest.raises(
        TruingError, match=r"all answers are liked, so that the code for disliked ones would never"
    ):
        truing.align(values)


@pytest.mark.slow
def test_chosen_weights_and_codes_together(tmp_path: Path) -> None:
    """A weight mask holds in the second stage what it holds in every run."""
    from truing.unlearning.masks import save_mask

    jobs.job(tmp_path)
    model = load_model(str(tmp_path / "model"))
    mask = {name: torch.full(p.shape, "mlp" in name) for name, p in model.named_parameters()}
    save_mask(mask, tmp_path / "mask.safetensors")
    result = truing.align(
        jobs.recipe_values(tmp_path, objective=MEET, training__weight_mask=str(tmp_path / "mask.safetensors"))
    )
    before, after = (
        load_file(tmp_path / "model" / "model.safetensors"),
        load_file(result.model / "model.safetensors"),
    )
    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert moved == {name for name in after if "mlp" in name}
