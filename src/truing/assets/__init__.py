"""What ships with the package: a tiny real language model, real preference pairs, and two text scorers."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def folder() -> Path:
    """The folder with all assets."""
    return Path(str(files("truing.assets")))


def tiny_model() -> Path:
    """Folder of the tiny language model (Llama architecture), for ``from_pretrained``."""
    return folder() / "tiny"


def preference_sample() -> Path:
    """Real preference pairs from HH-RLHF (MIT), as a JSONL file."""
    return folder() / "hh-sample.jsonl"
