"""Whole jobs on a model of two layers: files as a user has them, and the command line in a process of its own.

Processes are forked from a server that has torch imported, so that one costs a second and not ten. Each is a
real process: it can be killed, takes signals and has an exit status.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

WORDS = [
    "quick",
    "brown",
    "fox",
    "lazy",
    "dog",
    "bread",
    "flour",
    "water",
    "salt",
    "yeast",
    "four",
    "hello",
    "fine",
]
_PRELOAD = [
    "matplotlib.figure",
    "peft",
    "sklearn.linear_model",
    "torch",
    "tests.data.tokenizers_for_tests",
    "truing.audit.judges.bias_run",
    "truing.cli.app",
    "truing.decoding.run",
    "truing.evidence",
    "truing.policies.causal",
    "truing.report",
    "truing.scoring",
    "truing.training.align",
    "transformers.models.auto.modeling_auto",
    "transformers.models.llama.modeling_llama",
]


def model_folder(path: Path, *, template: bool = True, tokenizer: bool = True) -> Path:
    """A random Llama of two layers with a tokenizer, as ``save_pretrained`` writes them."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from tests.data import tokenizers_for_tests

    words = tokenizers_for_tests.llama_3() if template else tokenizers_for_tests.llama_3(None)
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        "llama",
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    )
    AutoModelForCausalLM.from_config(config).float().save_pretrained(path)
    if tokenizer:
        words.save_pretrained(path)
    return path


def pairs(count: int, *, seed: int = 0) -> list[dict[str, Any]]:
    """Pairs of random words, all prompts distinct."""
    draw = random.Random(seed)

    def some(low: int, high: int) -> str:
        return " ".join(draw.choices(WORDS, k=draw.randint(low, high)))

    return [
        {"id": f"r{i}", "prompt": f"{i} {some(2, 5)}", "chosen": " " + some(1, 6), "rejected": " " + some(1, 6)}
        for i in range(count)
    ]


def write_rows(path: Path, rows: Sequence[Any]) -> Path:
    """A JSONL file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def recipe_values(folder: Path, **changes: Any) -> dict[str, Any]:
    """A recipe of seven steps over files in ``folder``; ``training__seed=3`` changes one key."""
    values: dict[str, Any] = {
        "model": str(folder / "model"),
        "data": {"path": str(folder / "train.jsonl"), "eval_path": str(folder / "held.jsonl"), "max_length": 64},
        "objective": {"name": "dpo"},
        "training": {
            "max_steps": 7,
            "global_batch": 4,
            "learning_rate": 1e-2,
            "precision": "float32",
            "save_every": 2,
            "eval_every": 3,
        },
        "evaluation": {"samples": 2, "max_new_tokens": 4},
        "output": str(folder / "out"),
    }
    return changed(values, **changes)


def changed(values: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Nested values with some set; ``training__epochs=2`` stands for the key ``training.epochs``."""
    for key, value in changes.items():
        *path, last = key.split("__")
        section = values
        for part in path:
            section = section.setdefault(part, {})
        section[last] = value
    return values


def write_recipe(folder: Path, **changes: Any) -> Path:
    """The recipe of :func:`recipe_values` as ``recipe.yaml``."""
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe_values(folder, **changes)), encoding="utf-8")
    return path


def job(folder: Path, **changes: Any) -> Path:
    """Model, data and recipe in ``folder``; returns the recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    model_folder(folder / "model")
    write_rows(folder / "train.jsonl", pairs(18))
    write_rows(folder / "held.jsonl", pairs(5, seed=1))
    return write_recipe(folder, **changes)


@dataclass(frozen=True)
class Ended:
    """A process that has ended.

    Attributes:
        code: exit status; negative for the signal that ended it.
        out, err: what it wrote.
    """

    code: int
    out: str
    err: str

    def mistake(self) -> str:
        """The message of a mistake: exit status 2, one screen, no traceback."""
        assert self.code == 2, (self.code, self.err)
        assert "Traceback" not in self.err
        assert self.err.count("error:") == 1
        message = "error:" + self.err.split("error:")[1]
        assert len(message.splitlines()) <= 24
        assert len(message) < 4000
        return message


class Truing:
    """The command in a process of its own, started on construction.

    Args:
        arguments: as typed after ``truing``.
        folder: where output is kept, and where the caches of this process are.
        before: called in the process before the command; plants a fault.
    """

    def __init__(
        self, arguments: Sequence[object], folder: Path, before: Callable[[], None] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.streams = (folder / "stdout.txt", folder / "stderr.txt")
        for stream in self.streams:
            stream.unlink(missing_ok=True)
        self.process = _server().Process(
            target=_child, args=([str(a) for a in arguments], folder, self.streams, before)
        )
        self.process.start()

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def errors(self) -> str:
        """What it wrote to standard error so far."""
        return self.streams[1].read_text() if self.streams[1].exists() else ""

    def wait(self) -> Ended:
        """Wait until it ends."""
        self.process.join(timeout=300)
        if self.process.exitcode is None:
            self.process.kill()
            raise AssertionError(f"still running after five minutes: {self.errors()[-2000:]}")
        out, err = (path.read_text() for path in self.streams)
        return Ended(self.process.exitcode, out, err)


def truing(arguments: Sequence[object], folder: Path, before: Callable[[], None] | None = None) -> Ended:
    """Run the command and wait for it."""
    return Truing(arguments, folder, before).wait()


@cache
def _server() -> Any:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when the hub's client is imported
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    return context


def _child(
    arguments: list[str], folder: Path, streams: tuple[Path, Path], before: Callable[[], None] | None
) -> None:
    os.environ.update(TRUING_CACHE=str(folder / "cache"), COLUMNS="200")
    # Tests that run in the background of a shell inherit that Ctrl-C is ignored; at a terminal it is not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, path in enumerate(streams, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, mode, 1) for n, mode in ((0, "r"), (1, "w"), (2, "w")))
    sys.argv = ["truing", *arguments]
    if before is not None:
        before()
    from truing.cli import main

    main()


def weights(run: Path) -> str:
    """Digest of the trained model's weights, to the last bit."""
    return hashlib.sha256((run / "model" / "model.safetensors").read_bytes()).hexdigest()


def files(folder: Path) -> dict[str, int]:
    """Every file under a folder and its size."""
    return {str(p.relative_to(folder)): p.stat().st_size for p in sorted(folder.rglob("*")) if p.is_file()}
