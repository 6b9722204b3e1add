"""Checkpoints of a run: where they are, which are complete, and the objective's state beside the weights."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from truing.training.step import PreferenceStep

STATE_FILE = "objective_state.safetensors"
CHECKPOINTS = "checkpoints"


def save_objective_state(step: PreferenceStep, path: Path, tokens: int) -> None:
    """Write running statistics of the objective beside the weights."""
    flat = {f"{i}.{name}": value for i, own in enumerate(step.state) for name, value in own.items()}
    save_file({"tokens": torch.tensor(tokens), **{k: v.contiguous() for k, v in flat.items()}}, str(path))


def load_objective_state(step: PreferenceStep, path: Path) -> int:
    """Read what :func:`save_objective_state` wrote. Returns the number of tokens trained on so far."""
    stored = load_file(str(path))
    step.state = [
        {name: stored.get(f"{i}.{name}", value) for name, value in own.items()} for i, own in enumerate(step.state)
    ]
    return int(stored["tokens"])


def step_of(checkpoint: Path) -> int:
    """The optimiser step of a checkpoint folder."""
    return int(checkpoint.name.removeprefix("checkpoint-"))


def complete_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints that were written to the end, oldest first."""
    found = [p for p in folder.glob("checkpoint-*") if p.name.removeprefix("checkpoint-").isdecimal()]
    return sorted((p for p in found if (p / "trainer_state.json").exists()), key=step_of)
