"""Global batches: which records are in which optimiser step.

The order depends on the seed and the epoch only, not on the number of processes or on memory. Every process
sees the whole list and takes its share, so that two processes train on exactly the batches of one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Dataset, Sampler


class GlobalBatchSampler(Sampler[list[int]]):
    """Yields the record numbers of one global batch after another.

    In later passes over the data ``count`` is added to the numbers for every pass before, so that what is drawn
    anew for a record in every pass can be told from its number.

    The last batch of an epoch is smaller where the sizes do not divide; its loss is a mean over its own
    records, so no record counts more or less than any other in its batch.

    Args:
        count: number of records.
        size: records in a global batch.
        seed: of the shuffling.
    """

    def __init__(self, count: int, size: int, seed: int) -> None:
        self.count = count
        self.size = size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the permutation of an epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(self.count / self.size)

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.count)
        for start in range(0, self.count, self.size):
            yield (order[start : start + self.size] + self.epoch * self.count).tolist()


def batches(count: int, size: int, seed: int) -> DataLoader[Any]:
    """A loader of lists of record numbers, one list a global batch.

    Args:
        count, size, seed: as for :class:`GlobalBatchSampler`.
    """
    numbers: Any = _Numbers(count)
    return _EpochLoader(numbers, batch_sampler=GlobalBatchSampler(count, size, seed), collate_fn=list)


class _Numbers(Dataset[int]):
    """Record numbers as a data set; those of later passes lie beyond its length."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> int:
        return index


class _EpochLoader(DataLoader[Any]):
    """A loader that passes the epoch on to its batch sampler."""

    def set_epoch(self, epoch: int) -> None:
        self.batch_sampler.set_epoch(epoch)  # type: ignore[union-attr]
