"""YAML, safely: no objects, no alias bombs, no duplicate keys, and every key knows its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from truing.errors import RecipeError

MAX_BYTES = 1_000_000
MAX_NODES = 100_000

KeyPath = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """SafeLoader that reads 5e-7 as a number, as YAML 1.2 does."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


class Located:
    """A parsed document and the line on which each key stands.

    Attributes:
        value: plain Python values.
        lines: line number (from 1) by key path.
        name: what errors call the document.
    """

    def __init__(self, value: Any, lines: dict[KeyPath, int], name: str) -> None:
        self.value = value
        self.lines = lines
        self.name = name

    def where(self, path: KeyPath) -> str:
        """``file:line, key a.b.c`` for a key path; the nearest parent's line if the key is missing."""
        shown = dotted(path)
        for length in range(len(path), -1, -1):
            line = self.lines.get(path[:length])
            if line is not None:
                return f"{self.name}:{line}, key {shown}" if shown else f"{self.name}:{line}"
        return f"{self.name}, key {shown}" if shown else self.name


def dotted(path: KeyPath) -> str:
    """``objective[0].beta`` for a key path."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


def read_file(path: Path) -> Located:
    """Read a YAML file.

    Raises:
        RecipeError: if it is missing, too large, not UTF-8, not YAML, or an alias bomb.
    """
    if not path.exists():
        raise RecipeError(f"there is no recipe {str(path)!r}", fix="check the path")
    if path.is_dir():
        raise RecipeError(f"the recipe {str(path)!r} is a folder", fix="give the YAML file")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise RecipeError(f"the recipe has {size:,} bytes; a recipe is a page", where=str(path))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(
            f"the recipe is not UTF-8 text: byte {error.start} is {error.object[error.start]:#04x}",
            where=str(path),
            fix="save it as UTF-8",
        ) from None
    return read_text(text, str(path))


def read_text(text: str, name: str) -> Located:
    """Parse YAML text; ``name`` is what errors call it."""
    try:
        _refuse_bombs(text, name)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise _syntax(error, name) from None
    except RecursionError:
        raise RecipeError("the recipe is nested too deeply", where=name) from None
    if node is None:
        raise RecipeError("the recipe is empty", where=name, fix="it needs at least model, data and output")
    lines: dict[KeyPath, int] = {(): node.start_mark.line + 1}
    _index(node, (), lines, name)
    try:
        value = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        if isinstance(error, yaml.YAMLError):
            raise _syntax(error, name) from None
        raise RecipeError(f"a value in the recipe cannot be read: {error}", where=name) from None
    return Located(value, lines, name)


def parse_value(text: str) -> Any:
    """A value as it would be read in a recipe: ``0.1``, ``true``, ``[a, b]``, ``{name: dpo}``."""
    return read_text(text, "the command line").value if text.strip() else ""


def _refuse_bombs(text: str, name: str) -> None:
    """Aliases can make a page of YAML expand to gigabytes; recipes have no use for them."""
    for count, token in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(token, yaml.AliasEvent):
            line = token.start_mark.line + 1 if token.start_mark else 1
            raise RecipeError(
                f"the recipe uses a YAML alias (*{token.anchor}), which recipes do not allow",
                where=f"{name}:{line}",
                fix="write the value out",
            )
        if count > MAX_NODES:
            raise RecipeError("the recipe has too many parts; a recipe is a page", where=name)


def _index(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], name: str) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            text = str(key.value)
            line = key.start_mark.line + 1
            if text in seen:
                raise RecipeError(f"the key {text!r} stands twice", where=f"{name}:{line}", fix="keep one of them")
            seen.add(text)
            lines[(*path, text)] = line
            _index(value, (*path, text), lines, name)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[(*path, number)] = value.start_mark.line + 1
            _index(value, (*path, number), lines, name)


def _syntax(error: yaml.YAMLError, name: str) -> RecipeError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    where = f"{name}:{mark.line + 1}, column {mark.column + 1}" if mark else name
    return RecipeError(f"the recipe is not valid YAML: {problem}", where=where, fix="check indentation and quotes")
