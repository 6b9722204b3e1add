"""Whatever is wrong with the input: one screen that names file, row or key and the likely fix, and exit status 2."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import Ended, files, job, model_folder, pairs, truing, write_rows


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return job(tmp_path_factory.mktemp("job"))


@pytest.fixture
def align(recipe: Path, tmp_path: Path) -> Any:
    """Run ``truing align`` with overrides; nothing may be left in the output."""

    def run(*overrides: str) -> str:
        output = tmp_path / "out"
        ended = truing(["align", recipe, f"output={output}", *overrides], tmp_path / "p")
        message = ended.mistake()
        assert not output.exists(), files(output)
        return message

    return run


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["trainin.epochs=1"], ["unknown key 'trainin'", "did you mean 'training'"]),
        (["data.eval_fractoin=0.1"], ["unknown key 'data.eval_fractoin'", "eval_fraction"]),
        (["training.epochs=two"], ["training.epochs must be a number, not 'two'"]),
        (["training.global_batch=2.5"], ["training.global_batch"]),
        (["training.learning_rate=0"], ["training.learning_rate must be greater than 0"]),
        (["training.learning_rate=.nan"], ["training.learning_rate", "nan"]),
        (["training.seed=-1"], ["training.seed"]),
        (["training.peft=lorra"], ["training.peft", "'lora'"]),
        (["training.peft.target_modules=[nowhere]"], ["training.peft.target_modules", "q_proj"]),
        (["training.precision=float16"], ["training.precision", "'bfloat16'"]),
        (["training.arguments.learning_rat=1"], ["training.arguments", "learning_rat"]),
        (["training.arguments.seed=1"], ["training.arguments", "seed"]),
        (["training.schedule=cosin"], ["training.schedule", "'cosine'"]),
        (["objective.beta=0"], ["beta"]),
        (["objective.beta=-0.1"], ["beta"]),
        (["objective.beta=.inf"], ["beta"]),
        (["objective.beta=much"], ["beta", "much"]),
        (["objective.bta=0.1"], ["bta", "beta"]),
        (["objective=sympo"], ["sympo", "did you mean 'simpo'"]),
        (["objective=[]"], ["objective"]),
        (["objective=7"], ["objective"]),
        (["objective=[{name: dpo, weight: 0}]"], ["weight"]),
        (["data.path=nowhere.jsonl"], ["nowhere.jsonl"]),
        (["data.eval_path=nowhere.jsonl"], ["nowhere.jsonl"]),
        (["data.layout=pears"], ["pears", "pairs"]),
        (["data.columns={promt: question}"], ["promt"]),
        (["data.columns={prompt: question}"], ["question"]),
        (["data.max_length=1"], ["max_length"]),
        (["data.chat_template=nowhere.jinja"], ["nowhere.jinja"]),
        (["model=./nowhere"], ["there is no model folder './nowhere'"]),
        (["model=no/such-model"], ["no/such-model"]),
        (["model.tokenizer=./nowhere"], ["./nowhere"]),
        (["evaluation.judge=honesty"], ["honesty", "harmlessness"]),
        (["alarms.stop_on=[fire]"], ["alarms.stop_on", "kl_budget"]),
        (["reference.model=./nowhere"], ["./nowhere"]),
        (["reference.sync_every=2", "objective=simpo"], ["reference.sync_every", "no reference"]),
        (["objective=kto", "data.ranked_as=worst"], ["data.ranked_as"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) and "=" in value[0] else "",
)
def test_recipes(overrides: list[str], said: list[str], align: Any) -> None:
    message = align(*overrides)
    for words in said:
        assert words in message


GOOD = {"prompt": "a", "chosen": " b", "rejected": " c"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], ["train.jsonl"]),
        ([{"prompt": "a", "chosn": "b", "rejected": "c"}] * 3, ["chosn"]),
        ([{"topic": "a", "essay": "b"}], ["topic", "essay"]),
        ([GOOD, {**GOOD, "chosen": 3}], ["train.jsonl:2", "chosen"]),
        ([GOOD, {**GOOD, "rejected": None}], ["train.jsonl:2", "rejected"]),
        ([GOOD, {**GOOD, "weight": "heavy"}], ["train.jsonl:2", "weight"]),
        ([GOOD, {**GOOD, "weight": -1}], ["train.jsonl:2", "weight"]),
        ([{**GOOD, "weight": 1.0}, {**GOOD, "weight": float("nan")}], ["train.jsonl:2", "weight"]),
        ([GOOD, [1, 2]], ["train.jsonl:2"]),
        ([GOOD, {**GOOD, "chosen": "x" * 10_000_000}], ["train.jsonl:2"]),
        (
            [{"prompt": "a", "completions": ["b", "c"], "scores": [1.0, float("nan")]}],
            ["train.jsonl:1", "scores"],
        ),
        ([{"prompt": "a", "completions": ["b", "c"], "scores": [1.0]}], ["train.jsonl:1", "scores"]),
    ],
    ids=lambda value: "",
)
def test_rows(rows: list[Any], said: list[str], align: Any, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "data" / "train.jsonl", rows)
    message = align(f"data.path={path}")
    for words in said:
        assert words in message


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b'{"prompt": "a", "chosen": "caf\xe9", "rejected": "c"}\n', ["a.jsonl", "UTF-8"]),
        ("a.jsonl", b'{"prompt": "a", "chosen": "b", "rejected": "c"}\n{"prompt": \n', ["a.jsonl:2"]),
        ("a.jsonl", b"", ["a.jsonl"]),
        ("a.json", b'{"prompt": ', ["a.json"]),
        ("a.csv", b"prompt,chosen\n1,2,3,4\n", ["a.csv"]),
        ("a.parquet", b"no parquet at all", ["a.parquet"]),
        ("a.jsonl.gz", b"no gzip at all", ["a.jsonl.gz"]),
        ("a.pkl", pickle.dumps([1]), ["a.pkl"]),
        ("a.xyz", b"x", ["a.xyz"]),
    ],
)
def test_files(name: str, content: bytes, said: list[str], align: Any, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    message = align(f"data.path={path}")
    for words in said:
        assert words in message


def test_every_split_is_judged_before_the_model_is_read(align: Any, tmp_path: Path) -> None:
    bad = write_rows(tmp_path / "held.jsonl", [GOOD, {"prompt": "a"}])
    assert "held.jsonl:2" in align(f"data.eval_path={bad}", "model=./nowhere")


def test_recipe_files(tmp_path: Path) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for content, said in (
        (bomb.encode(), "alias"),
        (b"model: caf\xe9\n", "not UTF-8"),
        (b"a: [1\n", "not valid YAML"),
        (b"", "the recipe is empty"),
        (b"\x80\x04K\x01.", "not UTF-8"),
        (b"a: !!python/object/apply:os.system [echo]\n", "could not determine a constructor"),
        (b"x" * 2_000_000, "2,000,000 bytes"),
    ):
        path = tmp_path / "r.yaml"
        path.write_bytes(content)
        message = truing(["align", path], tmp_path / "p").mistake()
        assert said in message
        assert "r.yaml" in message


class TestModels:
    """Model folders that are no model folders."""

    def test_without_a_tokenizer(self, align: Any, tmp_path: Path) -> None:
        folder = model_folder(tmp_path / "model", tokenizer=False)
        message = align(f"model={folder}")
        assert "no tokenizer could be loaded" in message
        assert str(folder) in message
        assert "save_pretrained" in message

    def test_without_a_chat_template_but_messages(self, align: Any, tmp_path: Path) -> None:
        folder = model_folder(tmp_path / "model", template=False)
        rows = [
            {
                "prompt": [{"role": "user", "content": "a"}],
                "chosen": [{"role": "assistant", "content": "b"}],
                "rejected": [{"role": "assistant", "content": "c"}],
            }
        ]
        data = write_rows(tmp_path / "chat.jsonl", rows * 4)
        message = align(f"model={folder}", f"data.path={data}", "data.eval_path=null", "data.eval_fraction=0")
        assert "chat template" in message
        assert "data.chat_template" in message

    def test_pickled_weights_are_never_opened(self, recipe: Path, align: Any, tmp_path: Path) -> None:
        folder = shutil.copytree(recipe.parent / "model", tmp_path / "model")
        (folder / "model.safetensors").unlink()
        marker = tmp_path / "executed"

        class Evil:
            def __reduce__(self) -> tuple[Any, ...]:
                return (os.mkdir, (str(marker),))

        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
        message = align(f"model={folder}")
        assert "pickle" in message
        assert "safetensors" in message
        assert "pytorch_model.bin" in message
        assert not marker.exists()

    def test_a_pickle_under_the_name_of_safetensors(self, recipe: Path, align: Any, tmp_path: Path) -> None:
        folder = shutil.copytree(recipe.parent / "model", tmp_path / "model")
        (folder / "model.safetensors").write_bytes(pickle.dumps({"a": 1}))
        assert str(folder) in align(f"model={folder}")

    def test_half_the_weights(self, recipe: Path, align: Any, tmp_path: Path) -> None:
        folder = shutil.copytree(recipe.parent / "model", tmp_path / "model")
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
        assert str(folder) in align(f"model={folder}")

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"model_type": "no-such-type"}'])
    def test_a_broken_configuration(self, content: str, recipe: Path, align: Any, tmp_path: Path) -> None:
        folder = shutil.copytree(recipe.parent / "model", tmp_path / "model")
        (folder / "config.json").write_text(content)
        assert str(folder) in align(f"model={folder}")

    def test_weights_of_another_model(self, recipe: Path, align: Any, tmp_path: Path) -> None:
        folder = shutil.copytree(recipe.parent / "model", tmp_path / "model")
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "hidden_size": 64}))
        assert str(folder) in align(f"model={folder}")

    def test_missing_weights(self, recipe: Path, align: Any, tmp_path: Path) -> None:
        from safetensors.torch import load_file, save_file

        folder = shutil.copytree(recipe.parent / "model", tmp_path / "model")
        tensors = load_file(folder / "model.safetensors")
        del tensors["model.layers.1.mlp.up_proj.weight"]
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        message = align(f"model={folder}")
        assert "model.layers.1.mlp.up_proj.weight" in message

    def test_code_in_the_model_folder_is_never_run(self, recipe: Path, align: Any, tmp_path: Path) -> None:
        folder = shutil.copytree(recipe.parent / "model", tmp_path / "model")
        config = json.loads((folder / "config.json").read_text())
        config |= {
            "model_type": "own",
            "auto_map": {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.OwnModel"},
        }
        (folder / "config.json").write_text(json.dumps(config))
        marker = tmp_path / "executed"
        (folder / "own.py").write_text(f"import os; os.mkdir({str(marker)!r})\n")
        align(f"model={folder}")
        assert not marker.exists()

    def test_a_tokenizer_that_is_too_large(self, align: Any, tmp_path: Path, recipe: Path) -> None:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(recipe.parent / "model")
        tokenizer.add_tokens(["<one more>"])
        tokenizer.save_pretrained(tmp_path / "other")
        assert "do not belong together" in align(f"model.tokenizer={tmp_path / 'other'}")

    def test_a_file_in_place_of_a_folder(self, recipe: Path, align: Any) -> None:
        message = align(f"model={recipe.parent / 'model' / 'config.json'}")
        assert "is a file" in message
        assert "use the folder" in message


@pytest.mark.parametrize(
    ("name", "content"), [("run.json", "{"), ("run.json", "[]"), ("run.json", "{}"), ("metrics.jsonl", "{\n{}\n")]
)
def test_a_damaged_run(name: str, content: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text("{}")
    (run / "metrics.jsonl").write_text('{"step": 1, "loss": 0.6}\n')
    (run / name).write_text(content)
    ended: Ended = truing(["diagnose", run], tmp_path / "p")
    assert str(run) in ended.mistake()


def test_score_and_check_say_the_same_of_rows(recipe: Path, tmp_path: Path) -> None:
    bad = write_rows(tmp_path / "bad.jsonl", [*pairs(2), {**GOOD, "chosen": 3}])
    scored = tmp_path / "scored.jsonl"
    typed = ["score", recipe.parent / "model", bad, "--output", scored]
    assert "bad.jsonl:3" in truing(typed, tmp_path / "p").mistake()
    assert not scored.exists()
    folder = tmp_path / "plain"
    assert "holds no run" in truing(["diagnose", folder], tmp_path / "p").mistake()
