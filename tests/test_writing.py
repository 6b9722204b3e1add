"""Nothing is ever half-written."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from truing.errors import RunError
from truing.writing import atomic_path, explain_disk_errors, remove_partials, write_json


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyError), atomic_path(path) as partial:  # noqa: PT012  (what fails is inside)
        partial.write_text("half")
        raise KeyError("broken off")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(KeyError), atomic_path(tmp_path / "model") as partial:  # noqa: PT012
        partial.mkdir()
        (partial / "config.json").write_text("{}")
        raise KeyError("broken off")
    assert list(tmp_path.iterdir()) == []
    with atomic_path(tmp_path / "model") as partial:
        partial.mkdir()
        (partial / "config.json").write_text("{}")
    assert (tmp_path / "model" / "config.json").read_text() == "{}"


def test_a_file_in_the_place_of_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("here first")
    with pytest.raises(RunError, match="a file stands where a folder is to be written"):
        write_json(tmp_path / "a" / "b.json", {})
    with (
        pytest.raises(RunError, match="a file stands where a folder is to be written"),
        atomic_path(tmp_path / "a") as partial,
    ):
        partial.mkdir()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("[enforce fail] PytorchStreamWriter failed writing file data/3: file write failed"),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 213696 vs 213588"),
        RuntimeError("Error while serializing: IoError(Os { code: 28, message: No space left on device })"),
    ],
)
def test_a_full_disk_is_said_plainly(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(RunError, match="the disk is full") as caught, explain_disk_errors(tmp_path / "x" / "y"):
        raise error
    assert "--resume" in str(caught.value)


def test_other_errors_pass_through(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), explain_disk_errors(tmp_path):
        raise ValueError("mine")


def test_json_has_no_nan(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"x": float("nan"), "y": [float("inf"), 1.5], "z": Path("p")})
    assert json.loads(path.read_text()) == {"x": None, "y": [None, 1.5], "z": "p"}


def test_a_folder_replaces_an_older_one(tmp_path: Path) -> None:
    for text in ("old", "new"):
        with atomic_path(tmp_path / "model") as partial:
            partial.mkdir()
            (partial / f"{text}.json").write_text(text)
    assert [p.name for p in tmp_path.rglob("*")] == ["model", "new.json"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "a" / ".model.17.partial").mkdir(parents=True)
    (tmp_path / "a" / ".model.17.partial" / "half").write_text("x")
    (tmp_path / ".run.json.17.partial").write_text("{")
    (tmp_path / "partial").write_text("mine")
    remove_partials(tmp_path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "partial"]


def test_a_file_does_not_replace_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(RunError, match="a folder stands where a file"):
        write_json(tmp_path / "a", {})
    assert (tmp_path / "a" / "b").is_dir()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
