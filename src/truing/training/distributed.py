"""The little that training needs to know about other processes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class World:
    """One process among all.

    Attributes:
        rank: 0..size-1.
        size: number of processes.
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def current(cls) -> World:
        """Read from torch.distributed, if it runs."""
        if dist.is_available() and dist.is_initialized():
            return cls(dist.get_rank(), dist.get_world_size())
        return cls()

    @classmethod
    def join(cls) -> World:
        """As :meth:`current`; under ``torchrun`` or ``accelerate launch`` first meets the other processes."""
        if int(os.environ.get("WORLD_SIZE", "1")) > 1 and dist.is_available() and not dist.is_initialized():
            on_gpu = torch.cuda.is_available()
            if on_gpu:
                torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
            dist.init_process_group("nccl" if on_gpu else "gloo")
        return cls.current()

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def gather(self, value: Any) -> list[Any]:
        """One Python object from every process, in rank order."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, value)
        return found

    def sum(self, values: dict[str, float]) -> dict[str, float]:
        """Add numbers up over processes, by name."""
        total: dict[str, float] = {}
        for part in self.gather(values):
            for name, value in part.items():
                total[name] = total.get(name, 0.0) + value
        return total

    def add_up(self, values: Sequence[Tensor]) -> None:
        """Replace tensors by their sums over processes; the same shapes in the same order everywhere."""
        if self.size > 1:
            for own in values:
                dist.all_reduce(own)

    def barrier(self) -> None:
        """Wait for every process."""
        if self.size > 1:
            dist.barrier()
