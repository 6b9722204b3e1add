"""Global batches: which records are in which optimiser step.

The order depends on the seed and the epoch only, not on the number of processes or on memory. Every process
sees the whole list and takes its share, so that two processes train on exactly the batches of one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler


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
