"""Small training runs for tests: a random Llama on random records."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from torch import nn
from transformers import TrainingArguments

from tests.policies.models import tiny
from truing.objectives import Objective
from truing.policies.causal import CausalPolicy
from truing.policies.reference_cache import reference_logps
from truing.training.distributed import World
from truing.training.examples import ExampleData
from truing.training.reference import Live, MovingReference, Precomputed
from truing.training.step import PreferenceStep, References
from truing.training.trainer import PreferenceTrainer

RECORDS, GLOBAL_BATCH, EPOCHS = 21, 8, 2


def records(kind: str, seed: int = 0) -> ExampleData:
    """Random token records; 21 of them, so that the last batch of an epoch is smaller."""
    rng = np.random.default_rng(seed)

    def tokens(low: int, high: int) -> list[int]:
        return rng.integers(3, 97, int(rng.integers(low, high))).tolist()

    rows: list[dict[str, Any]] = []
    for number in range(RECORDS):
        row: dict[str, Any] = {"id": str(number), "prompt_ids": tokens(2, 9)}
        if kind == "pairs":
            row["completion_ids"] = [tokens(1, 9), tokens(1, 9)]
        elif kind == "ranked":
            row["completion_ids"] = [tokens(1, 9) for _ in range(3)]
            row["scores"] = rng.normal(size=3).round(2).tolist()
        else:
            row["completion_ids"] = [tokens(1, 9)]
            row["label"] = bool(rng.random() < 0.5)
        rows.append(row)
    mismatch = [(i + 1) % RECORDS for i in range(RECORDS)] if kind == "unpaired" else None
    return ExampleData(datasets.Dataset.from_list(rows), kind, mismatch)  # type: ignore[arg-type]


def step(
    objective: Objective,
    kind: str = "pairs",
    *,
    model: nn.Module | None = None,
    budget: int = 60,
    live: bool = False,
    precision: str = "float32",
    layout: str | None = None,
) -> PreferenceStep:
    """A step over :func:`records` with a reference that equals the starting model."""
    data = records(kind)
    policy = CausalPolicy(model or tiny("llama"), precision=precision)  # type: ignore[arg-type]
    if layout is not None:
        force_layout(policy, layout)
    if live:
        reference = CausalPolicy(tiny("llama"), precision=precision)  # type: ignore[arg-type]
        source = Live(reference, budget)
        references = References(source, source)
    else:
        everything = range(len(data))
        own = Precomputed(reference_logps(policy, data.trees(everything), use_cache=False))
        other = None
        if data.mismatch is not None:
            other = Precomputed(reference_logps(policy, data.mismatched_trees(everything), use_cache=False))
        references = References(own, other)
    return PreferenceStep(policy, objective, data, references, budget=budget, world=World.current())


def force_layout(policy: CausalPolicy, layout: str) -> None:
    """Score through another layout than the one that the self-check chose."""
    from dataclasses import replace

    from truing.policies.selfcheck import builder

    policy.verdict = replace(policy.verdict, layout=layout, fast_layers=False)  # type: ignore[arg-type]
    policy._build = builder(layout, policy.inner)  # type: ignore[arg-type]
    if layout == "rows":
        policy.inner.set_attn_implementation("sdpa")


def arguments(folder: Path, **extra: Any) -> TrainingArguments:
    values: dict[str, Any] = {
        "output_dir": str(folder),
        "per_device_train_batch_size": GLOBAL_BATCH,
        "num_train_epochs": EPOCHS,
        "learning_rate": 1e-3,
        "lr_scheduler_type": "constant",
        "logging_steps": 1,
        "report_to": [],
        "disable_tqdm": True,
        "save_strategy": "no",
        "remove_unused_columns": False,
        "use_cpu": True,
        "logging_nan_inf_filter": False,
        "ddp_find_unused_parameters": False,
    }
    return TrainingArguments(**{**values, **extra})


def train(
    preference_step: PreferenceStep,
    folder: Path,
    *,
    resume: str | None = None,
    moving: MovingReference | None = None,
    **extra: Any,
) -> tuple[list[float], torch.Tensor]:
    """Train; returns the loss at every step and all weights as one vector."""
    companions = [] if moving is None else [moving]
    settings = arguments(folder, **extra)
    trainer = PreferenceTrainer(preference_step, settings, global_batch=GLOBAL_BATCH, companions=companions)
    trainer.train(resume_from_checkpoint=resume)
    losses = [record["loss"] for record in trainer.state.log_history if "loss" in record]
    return losses, weights(preference_step.policy.model)


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().double().flatten() for p in model.parameters()])


def plain_run(objective: Objective, batches: Sequence[Sequence[int]]) -> tuple[list[float], torch.Tensor]:
    """The same training without any of the engine: whole batches, every sequence alone, plain AdamW.

    For objectives on pairs without state.
    """
    from tests.policies.reference_scores import alone
    from truing.objectives.algebra import Batch, Scores

    data = records("pairs")
    model, reference = tiny("llama"), tiny("llama")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    losses = []
    for batch in batches:
        trees = data.trees(batch)
        lengths = torch.tensor([len(b) for tree in trees for b in tree.branches])
        sequence = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
        with torch.no_grad():
            base = alone(reference, trees)
        scores = Scores(alone(model, trees), sequence, len(lengths), base)
        loss = objective(scores, Batch.pairs(len(batch))).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses, weights(model)


def in_two_processes(script: Path, *arguments: str | Path, **environment: str) -> None:
    """Run a script under torchrun with two processes; fails with what it printed."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
