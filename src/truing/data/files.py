"""Which files a path, folder or glob means."""

from __future__ import annotations

import re
from pathlib import Path

from truing.data.readers import READERS, suffix, unknown_suffix
from truing.errors import DataError, did_you_mean

BUILT_IN = "truing/hh-sample"

SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "eval": "validation",
    "dev": "validation",
    "valid": "validation",
    "validation": "validation",
}


def split_names(source: str) -> list[str] | None:
    """Splits that the files of a folder or glob belong to, if several; ``None`` if there are no such files."""
    try:
        found = find_files(source, None, whole=True)
    except DataError:
        return None
    if found is None:
        return None
    names = {name for path in found if (name := split_of(path))}
    return sorted(names) if len(names) > 1 else []


def find_files(source: str, split: str | None, *, whole: bool = False) -> list[Path] | None:
    """Files that ``source`` names, sorted; ``None`` if it names nothing on this machine.

    Args:
        source: a file, a folder or a glob; ``truing/hh-sample`` is the sample inside the package.
        split: with a folder or glob, only the files of that split, told by a word in their names.
        whole: all files, whatever their splits.

    Raises:
        DataError: if there are none that can be read, or they are of several splits and none is asked for.
    """
    if not source.strip():
        raise DataError("the path is empty", where="data.path")
    if source == BUILT_IN:
        from truing.assets import preference_sample

        return _single(preference_sample(), split)
    try:
        path = Path(source).expanduser()
        if path.is_file():
            return _single(path, split)
        found = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else _glob(path)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: `~name` without such a user
        raise DataError(f"the path cannot be used: {error}", where=source[:200]) from None
    if found is None:
        return None
    readable = sorted(p for p in found if suffix(p) in READERS and not p.name.startswith("."))
    if not readable:
        raise DataError(
            "there are no data files",
            where=source,
            allowed=", ".join(READERS) + ", each also with .gz",
            fix="check the path; it was searched with its subfolders" if path.is_dir() else "check the pattern",
        )
    return readable if whole else _of_split(readable, split, source)


def _single(path: Path, split: str | None) -> list[Path]:
    if suffix(path) not in READERS:
        raise unknown_suffix(path)
    if split is not None:
        raise DataError(
            f"a single file has no splits, but {split!r} is asked for",
            where=str(path),
            fix="leave data.split out",
        )
    return [path]


def _glob(path: Path) -> list[Path] | None:
    if not any(character in str(path) for character in "*?["):
        return None
    return [p for p in Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))) if p.is_file()]


def split_of(path: Path) -> str | None:
    """The split that a word of the file's name stands for."""
    words = re.split(r"[^a-z]+", path.name.lower())
    return next((SPLITS[word] for word in words if word in SPLITS), None)


def _of_split(paths: list[Path], split: str | None, source: str) -> list[Path]:
    names = {path: split_of(path) for path in paths}
    present = sorted({name for name in names.values() if name})
    if split is None:
        if len(present) > 1:
            raise DataError(
                f"the files are of several splits: {', '.join(present)}",
                where=source,
                fix=f"data.split: {'train' if 'train' in present else present[0]}",
            )
        return paths
    wanted = SPLITS.get(split, split)
    chosen = [path for path in paths if names[path] == wanted]
    if not chosen:
        raise DataError(
            f"no file belongs to the split {split!r}",
            where=source,
            allowed=", ".join(present) or "the names of these files say nothing about splits",
            fix=did_you_mean(split, present) or "leave data.split out",
        )
    return chosen


def looks_like_file(source: str) -> bool:
    """Whether ``source``, though it is not there, has the suffix of a data file or lies in a folder that is."""
    path = Path(source)
    return suffix(path) in READERS or (path.parent != Path(".") and path.parent.is_dir())


def no_such_file(source: str) -> DataError:
    """The error for what is neither here nor could be a data set of the hub."""
    path = Path(source)
    try:
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError:
        siblings = []
    return DataError(
        "there is no such file or folder",
        where=source[:200],
        fix=did_you_mean(path.name, siblings) or "check the path",
    )
