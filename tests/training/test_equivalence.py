"""Whatever the engine does to be fast, the trajectory is that of the plain float32 run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.policies.models import tiny
from tests.training.runs import EPOCHS, GLOBAL_BATCH, RECORDS, in_two_processes, plain_run, step, train, weights
from truing.objectives import METHODS, Objective, aot, bco, dpo, kto, nll, rrhf, simpo, wpo
from truing.policies import head
from truing.training.batches import GlobalBatchSampler
from truing.training.reference import Live, MovingReference

LOSS, WEIGHTS = 2e-5, 5e-5


def _batches() -> list[list[int]]:
    sampler = GlobalBatchSampler(RECORDS, GLOBAL_BATCH, seed=42)
    found = []
    for epoch in range(EPOCHS):
        sampler.set_epoch(epoch)
        found += list(sampler)
    return found


@pytest.fixture(scope="module")
def plain() -> tuple[list[float], torch.Tensor]:
    return plain_run(dpo(), _batches())


def _same(found: tuple[list[float], torch.Tensor], expected: tuple[list[float], torch.Tensor]) -> None:
    assert found[0] == pytest.approx(expected[0], abs=LOSS)
    torch.testing.assert_close(found[1], expected[1], atol=WEIGHTS, rtol=0)
    # And no one-sided drift: differences of either sign are equally frequent.
    difference = found[1] - expected[1]
    moved = difference[difference != 0]
    if len(moved) > 100:
        assert 0.3 < float((moved > 0).double().mean()) < 0.7


def test_the_plain_run_moves_the_weights(plain: tuple[list[float], torch.Tensor]) -> None:
    start = weights(tiny("llama"))
    assert float((plain[1] - start).abs().max()) > 50 * WEIGHTS
    assert len(plain[0]) == EPOCHS * 3


@pytest.mark.parametrize("budget", [1, 25, 60, 100_000])
def test_accumulation_and_packing(budget: int, plain: tuple[list[float], torch.Tensor], tmp_path: Path) -> None:
    _same(train(step(dpo(), budget=budget), tmp_path, seed=42), plain)


@pytest.mark.parametrize("layout", ["trees", "rows"])
def test_trunk_sharing(layout: str, plain: tuple[list[float], torch.Tensor], tmp_path: Path) -> None:
    _same(train(step(dpo(), layout=layout), tmp_path, seed=42), plain)


def test_chunking_of_the_head(
    plain: tuple[list[float], torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head, "SMALLEST_CHUNK", 3)
    monkeypatch.setattr(head, "CHUNK_BYTES", {"cpu": 1, "cuda": 1})
    monkeypatch.setattr(head, "KEPT_BYTES", 0)
    _same(train(step(dpo()), tmp_path, seed=42), plain)


def test_live_reference_equals_cached_reference(plain: tuple[list[float], torch.Tensor], tmp_path: Path) -> None:
    _same(train(step(dpo(), live=True), tmp_path, seed=42), plain)


def test_gradient_checkpointing(plain: tuple[list[float], torch.Tensor], tmp_path: Path) -> None:
    model = tiny("llama")
    model.gradient_checkpointing_enable({"use_reentrant": False})
    _same(train(step(dpo(), model=model), tmp_path, seed=42), plain)


def test_a_sum_of_objectives(tmp_path: Path) -> None:
    mixed = simpo() + 0.3 * nll("tokens")
    _same(train(step(mixed, budget=25), tmp_path, seed=42), plain_run(mixed, _batches()))


COUPLED: dict[str, tuple[Objective, str]] = {
    "aot": (aot(), "pairs"),
    "kto": (kto(), "unpaired"),
    "bco": (bco(), "unpaired"),
    "wpo": (wpo(), "pairs"),
    "rrhf": (rrhf(), "ranked"),
}


@pytest.mark.parametrize("name", COUPLED)
def test_batch_statistics_do_not_depend_on_micro_batches(name: str, tmp_path: Path) -> None:
    objective, kind = COUPLED[name]
    whole = train(step(objective, kind, budget=100_000), tmp_path / "whole", seed=42)
    parts = train(step(objective, kind, budget=20), tmp_path / "parts", seed=42)
    _same(parts, whole)


@pytest.mark.parametrize("name", ["dpo", "bco"])
def test_resuming_is_bit_identical(name: str, tmp_path: Path) -> None:
    objective = METHODS.get(name)()
    kind = "unpaired" if name == "bco" else "pairs"
    _, whole = train(step(objective, kind), tmp_path / "a", save_strategy="steps", save_steps=2)
    broken = step(objective, kind)
    train(broken, tmp_path / "b", save_strategy="steps", save_steps=2, max_steps=5)
    resumed = step(objective, kind)
    checkpoint = tmp_path / "b" / "checkpoints" / "checkpoint-4"
    _, found = train(resumed, tmp_path / "b", resume=str(checkpoint), save_strategy="no")
    assert torch.equal(found, whole)


def test_resuming_brings_a_moving_reference_back(tmp_path: Path) -> None:
    def run(folder: Path, resume: str | None = None, **extra: object) -> torch.Tensor:
        moving_step = step(dpo(), live=True)
        source = moving_step.references.own
        assert isinstance(source, Live)
        moving = MovingReference(source.policy.model, every=2, mix=0.5)
        _, found = train(
            moving_step, folder, resume=resume, moving=moving, save_strategy="steps", save_steps=2, **extra
        )
        return found

    whole = run(tmp_path / "a")
    run(tmp_path / "b", max_steps=5)
    assert torch.equal(run(tmp_path / "b", resume=str(tmp_path / "b" / "checkpoints" / "checkpoint-4")), whole)


def test_a_moving_reference_changes_the_run(plain: tuple[list[float], torch.Tensor], tmp_path: Path) -> None:
    moving_step = step(dpo(), live=True)
    source = moving_step.references.own
    assert isinstance(source, Live)
    moving = MovingReference(source.policy.model, every=1, mix=1.0)
    losses, _ = train(moving_step, tmp_path, moving=moving, seed=42)
    # With a hard update after every step the policy equals its reference at each loss: ln 2 for ever.
    assert losses == pytest.approx([0.6931472] * len(losses), abs=1e-5)


TWO_PROCESSES = """
import sys, torch
from pathlib import Path
from tests.training.runs import step, train
from truing.objectives import METHODS
from truing.training.distributed import World
kinds = {"dpo": "pairs", "aot": "pairs", "kto": "unpaired", "bco": "unpaired", "sft": "pairs", "lcpo": "pairs"}
torch.distributed.init_process_group("gloo")
found = {
    name: train(step(METHODS.get(name)(), kind), Path(sys.argv[1]) / name, seed=42, ddp_backend="gloo")
    for name, kind in kinds.items()
}
if World.current().is_main:
    torch.save(found, Path(sys.argv[1]) / "found.pt")
"""


@pytest.mark.slow
def test_two_processes_follow_one(tmp_path: Path) -> None:
    script = tmp_path / "two.py"
    script.write_text(TWO_PROCESSES)
    in_two_processes(script, tmp_path)
    found = torch.load(tmp_path / "found.pt")
    kinds = {"dpo": "pairs", "aot": "pairs", "kto": "unpaired", "bco": "unpaired", "sft": "pairs", "lcpo": "pairs"}
    for name, kind in kinds.items():
        _same(found[name], train(step(METHODS.get(name)(), kind), tmp_path / "one", seed=42))
