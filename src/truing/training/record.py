"""run.json: what was done, with what, and what came out. Written at every stage, always whole."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

import truing
from truing.errors import RunError
from truing.recipe import Recipe
from truing.writing import write_json

FILE = "run.json"
_PACKAGES = ("torch", "transformers", "accelerate", "peft", "datasets", "tokenizers", "safetensors", "numpy")


@dataclass
class RunRecord:
    """The record of one run.

    Attributes:
        folder: the run's output folder.
        values: what is written, JSON-compatible.
    """

    folder: Path
    values: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def start(cls, folder: Path, recipe: Recipe) -> RunRecord:
        """A fresh record."""
        return cls(
            folder,
            {
                "status": "running",
                "truing": truing.__version__,
                "recipe": recipe.model_dump(mode="json"),
                "started": _now(),
                "versions": versions(),
                "machine": machine(),
                "seeds": {"training": recipe.training.seed},
            },
        )

    @classmethod
    def read(cls, folder: Path) -> RunRecord:
        """The record of an earlier run.

        Raises:
            RunError: if there is none, or it cannot be read.
        """
        import json

        path = folder / FILE
        if not path.exists():
            raise RunError(
                f"{str(folder)!r} holds no run",
                where=str(path),
                fix="give the output folder of `truing align`",
            )
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise RunError(f"run.json cannot be read: {error}", where=str(path)) from None
        if not isinstance(values, dict):
            raise RunError("run.json is no mapping", where=str(path))
        return cls(folder, values)

    def update(self, **values: Any) -> None:
        """Add values and write the file."""
        self.values.update(values)
        self.write()

    def finish(self, status: str, **values: Any) -> None:
        """Mark the end of the run: ``finished``, ``stopped`` or ``failed``."""
        self.update(status=status, ended=_now(), **values)

    def write(self) -> None:
        write_json(self.folder / FILE, self.values)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers depend on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """The hardware, as far as it matters for repeating a run."""
    return {
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cpu_threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
    }


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
