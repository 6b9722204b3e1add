"""The file that answers are written to: begun, added to, and gone on with after a kill."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from truing.decoding.answers import Decoded
from truing.decoding.recipe import DecodeRecipe
from truing.errors import RunError
from truing.json_values import plain
from truing.policies.fingerprint import of_parameters, of_values
from truing.prompting.transform import Shown

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy


def begin(path: Path, recipe: DecodeRecipe, known_as: str) -> None:
    """An empty file of answers, and beside it what they are answers of."""
    from truing.writing import write_json, write_text

    write_text(path, "")
    write_json(_recipe_file(path), {"recipe": recipe.model_dump(), "fingerprint": known_as})


def append(path: Path, answers: Sequence[Decoded]) -> None:
    """Add answers, one line a prompt."""
    from truing.writing import explain_disk_errors

    with explain_disk_errors(path), path.open("a", encoding="utf-8") as file:
        file.writelines(
            f"{json.dumps(plain(one.as_dict()), ensure_ascii=False, allow_nan=False)}\n" for one in answers
        )


def _recipe_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.recipe.json")


def fingerprint(recipe: DecodeRecipe, asked: Sequence[Shown], policy: CausalPolicy) -> str:
    """Of all that decides about the answers: recipe, prompts with their columns, weights, and control codes."""
    prompts = [plain([one.original, dict(one.context)]) for one in asked]
    weights = of_parameters(policy.model)
    codes = "" if recipe.codes is None else hashlib.sha256(recipe.codes.file.read_bytes()).hexdigest()
    return of_values([recipe.model_dump(exclude={"output"}), prompts, weights, codes])


def kept(path: Path, known_as: str, count: int, together: int) -> int:
    """How many answers of whole batches a file has; a batch that was broken off is cut.

    Raises:
        RunError: if the file is of another recipe, other prompts or another model.
    """
    if not path.is_file():
        return 0
    described = _recipe_file(path)
    known = json.loads(described.read_text(encoding="utf-8")) if described.is_file() else {}
    if known.get("fingerprint") != known_as:
        raise RunError(
            "the answers that are there are of another recipe, other prompts or another model",
            where=str(path),
            fix="use what began them, another output, or leave --resume out to write them anew",
        )
    lines = path.read_bytes().splitlines(keepends=True)
    whole = sum(line.endswith(b"\n") for line in lines)
    answered = whole if whole == count else whole - whole % together
    from truing.writing import write_text

    write_text(path, b"".join(lines[:answered]).decode("utf-8"))
    return answered
