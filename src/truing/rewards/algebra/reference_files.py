"""Statistics of a reference policy on disk: one safetensors file that says what it was made from."""

from __future__ import annotations

import json
import os
from pathlib import Path

from truing.errors import DataError
from truing.rewards.algebra.reference import Origin, ReferenceStats

_VERSION = 1


def save(stats: ReferenceStats, path: Path) -> None:
    """Write the statistics; the file is complete or not there."""
    from safetensors.torch import save_file

    origin = stats.origin
    head = {
        "version": _VERSION,
        "names": stats.names,
        "keys": stats.keys,
        "policy": origin.policy,
        "scorer": origin.scorer,
        "sampling": dict(origin.sampling),
        "prompts": origin.prompts,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.partial")
    save_file({"samples": stats.samples.contiguous()}, str(aside), metadata={"reference": json.dumps(head)})
    aside.replace(path)


def load(path: Path, expected: Origin | None = None) -> ReferenceStats:
    """Read what :func:`save` wrote.

    Args:
        path: the file.
        expected: what the statistics have to be made from; prompts are compared where it names them.

    Raises:
        DataError: if the file is missing, is something else, or was made from something else; names the difference.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            head = json.loads((file.metadata() or {})["reference"])
            samples = file.get_tensor("samples")
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise DataError(f"{path} holds no statistics of a reference policy: {error}") from None
    if head["version"] != _VERSION:
        raise DataError(
            f"{path} was written by another version of Truing", fix="delete it; it is made again from samples"
        )
    found = Origin(head["policy"], head["scorer"], head["sampling"], head["prompts"])
    for what in ("policy", "scorer", "sampling", "prompts"):
        wanted = None if expected is None else getattr(expected, what)
        if wanted and wanted != getattr(found, what):
            raise DataError(
                f"the statistics were made from another {what}: {getattr(found, what)!r}, not {wanted!r}",
                where=str(path),
                fix="delete the file; it is made again from samples",
            )
    return ReferenceStats(samples, tuple(head["names"]), tuple(head["keys"]), found)
