"""Writing files so that a reader never sees half of one, and a full disk is a clear error."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from truing.errors import RunError
from truing.json_values import plain

# What native writers say when a write fell short: safetensors, and torch's archives.
_FULL = (
    "No space left",
    "os error 28",
    "os error 27",
    "file write failed",
    "PytorchStreamWriter failed",
    "inline_container.cc",
)


@contextlib.contextmanager
def explain_disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk, a quota or a read-only folder into a :class:`RunError` that says so."""
    try:
        yield
    except Exception as error:
        number = _errno(error)
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            free = shutil.disk_usage(_existing(path)).free / 2**20
            raise RunError(
                f"the disk is full: {path.name} could not be written",
                where=str(path),
                fix=f"free some space ({free:.0f} MiB are left there); what was saved before is intact, "
                "and the run goes on from it with --resume",
            ) from error
        if number in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise RunError(
                f"{path.name} could not be written: {os.strerror(number)}",
                where=str(path),
                fix="choose an output folder that you may write to",
            ) from error
        raise


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path to write to; it takes the place of ``path`` when the block ends well, and is removed otherwise.

    Raises:
        RunError: if the disk is full, the folder may not be written to, or a file was to replace a folder, or a folder
            a file.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with explain_disk_errors(path):
        _make_folder(path.parent)
    try:
        with explain_disk_errors(path):
            yield partial
            sync(partial)
            _replace(partial, path)
    finally:
        _remove(partial)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise _file_in_the_way(path) from None


def _file_in_the_way(path: Path) -> RunError:
    return RunError("a file stands where a folder is to be written", where=str(path), fix="name another folder")


def remove_partials(folder: Path) -> None:
    """Remove what a process that was killed had begun to write under ``folder``."""
    for partial in list(folder.rglob(".*partial")):
        _remove(partial)


def _replace(partial: Path, path: Path) -> None:
    if not path.is_dir():
        if partial.is_dir() and path.exists():
            raise _file_in_the_way(path)
        partial.replace(path)
        return
    if not partial.is_dir():
        raise RunError("a folder stands where a file is to be written", where=str(path), fix="name a file")
    # A folder cannot take the place of another one: the old one steps aside first.
    old = partial.with_name(f".{path.name}.{os.getpid()}.old.partial")
    path.rename(old)
    partial.replace(path)
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Flush a file, or all files of a folder, to the disk."""
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    for file in files:
        with file.open("rb") as handle:
            os.fsync(handle.fileno())


def write_text(path: Path, text: str) -> None:
    """Replace a text file in one step."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file in one step; non-finite numbers are written as ``null``."""
    write_text(path, json.dumps(plain(value), indent=2, ensure_ascii=False, default=str) + "\n")


def _errno(error: BaseException) -> int | None:
    """The operating system's error number, looked for in the causes and in messages of native writers."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno:
            return seen.errno
        if any(words in str(seen) for words in _FULL):
            return errno.ENOSPC
        seen = seen.__cause__ or seen.__context__
    return None


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
