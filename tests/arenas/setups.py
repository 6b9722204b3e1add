"""A small arena over files in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.jobs import changed, model_folder, pairs, write_rows


def arena_values(folder: Path, **changes: Any) -> dict[str, Any]:
    """Three objectives on a model of two layers; ``base__training__max_steps=9`` changes one key."""
    values: dict[str, Any] = {
        "base": {
            "model": str(folder / "model"),
            "data": {
                "path": str(folder / "train.jsonl"),
                "eval_path": str(folder / "held.jsonl"),
                "max_length": 64,
            },
            "training": {
                "max_steps": 3,
                "global_batch": 4,
                "learning_rate": 1e-2,
                "precision": "float32",
                "save_every": 1,
                "eval_every": 1000,
            },
            "evaluation": {"judge": "sentiment", "judged_prompts": 6, "max_new_tokens": 4},
        },
        "objectives": ["dpo", "ipo", {"objective": "simpo", "training": {"learning_rate": 1e-3}}],
        "output": str(folder / "out"),
    }
    return changed(values, **changes)


def write_arena(folder: Path, **changes: Any) -> Path:
    """The arena of :func:`arena_values` as ``arena.yaml``."""
    path = folder / "arena.yaml"
    path.write_text(yaml.safe_dump(arena_values(folder, **changes), sort_keys=False), encoding="utf-8")
    return path


def arena_job(folder: Path, **changes: Any) -> Path:
    """Model, data and arena in ``folder``; returns the arena."""
    folder.mkdir(parents=True, exist_ok=True)
    model_folder(folder / "model")
    write_rows(folder / "train.jsonl", pairs(18))
    write_rows(folder / "held.jsonl", pairs(6, seed=1))
    return write_arena(folder, **changes)
