"""Malformed rows and recipes: an answer or a clear error, never a traceback. In one process, many times over."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.jobs import job, pairs, recipe_values

Command = Callable[..., tuple[int, str]]

relaxed = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return job(tmp_path_factory.mktemp("job")).parent


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Call ``truing`` in this process; returns exit status and what was said."""
    monkeypatch.setenv("TRUING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # the variable was read on import
    monkeypatch.chdir(tmp_path)

    def call(*typed: object) -> tuple[int, str]:
        from truing.cli.app import app
        from truing.cli.failures import handle

        monkeypatch.setattr(sys, "argv", ["truing", *map(str, typed)])
        capfd.readouterr()
        code = handle(app)
        return code, capfd.readouterr().err

    return call


def _clear(code: int, said: str) -> None:
    assert code in (0, 2), said
    assert "Traceback" not in said
    assert "defect" not in said
    if code == 2:
        assert "error:" in said
        message = said.split("error:", 1)[1]
        assert len(message.splitlines()) <= 24
        assert len(message) < 4000


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["dpo", "kto", "lora", "auto", "best", "1e-3", "a/b", "\x00", "../x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
# Most keys take text or a number; half of all changes get past the first check of types.
words = st.text(min_size=1, max_size=6) | st.floats(0, 3) | st.integers(1, 3)
KEYS = [
    ("model",),
    ("model", "name"),
    ("model", "tokenizer"),
    ("data",),
    ("data", "path"),
    ("data", "eval_path"),
    ("data", "layout"),
    ("data", "columns"),
    ("data", "chat_template"),
    ("data", "system"),
    ("data", "limit"),
    ("data", "max_length"),
    ("data", "max_prompt_length"),
    ("data", "streaming"),
    ("objective",),
    ("objective", "name"),
    ("objective", "beta"),
    ("training",),
    ("training", "peft"),
    ("training", "epochs"),
    ("training", "max_steps"),
    ("training", "adam_betas"),
    ("training", "arguments"),
    ("training", "report_to"),
    ("reference", "model"),
    ("evaluation", "judge"),
    ("alarms", "stop_on"),
    ("output",),
    ("unknown",),
]


@pytest.mark.slow
@relaxed
@given(changes=st.lists(st.tuples(st.sampled_from(KEYS), words | values), min_size=1, max_size=2))
def test_recipes(
    changes: list[tuple[tuple[str, ...], Any]], command: Command, folder: Path, tmp_path: Path
) -> None:
    recipe = copy.deepcopy(recipe_values(folder))
    recipe["model"] = {"name": recipe["model"]}
    for path, value in changes:
        section = recipe
        for part in path[:-1]:
            section = section.setdefault(part, {})
            if not isinstance(section, dict):
                break
        else:
            section[path[-1]] = value
    file = tmp_path / "r.yaml"
    file.write_text(yaml.safe_dump(recipe, allow_unicode=True), encoding="utf-8")
    _clear(*command("align", file, "--dry-run"))


cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.lists(st.one_of(st.text(max_size=4), st.floats()), max_size=3),
    st.lists(
        st.fixed_dictionaries(
            {}, optional={"role": st.sampled_from(["user", "assistant", "x"]), "content": st.text(max_size=4)}
        ),
        max_size=3,
    ),
)
COLUMNS = [
    "prompt",
    "chosen",
    "rejected",
    "completion",
    "label",
    "completions",
    "scores",
    "weight",
    "margin",
    "id",
]


@pytest.mark.slow
@relaxed
@given(
    changes=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(COLUMNS), cells), max_size=4),
    objective=st.sampled_from(["dpo", "kto", "rrhf", "sft", "bco"]),
)
def test_rows(
    changes: list[tuple[int, str, Any]], objective: str, command: Command, folder: Path, tmp_path: Path
) -> None:
    rows: list[dict[str, Any]] = pairs(6)
    for number, column, value in changes:
        rows[number][column] = value
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    recipe = recipe_values(folder, data__path=str(data), objective={"name": objective})
    file = tmp_path / "r.yaml"
    file.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    _clear(*command("align", file, "--dry-run"))
