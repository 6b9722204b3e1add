"""A global batch, divided into micro-batches of at most so many tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from truing.objectives.algebra import Batch, Scores
from truing.policies.packing import Tree, partition
from truing.training.examples import Example, ExampleData
from truing.training.gathering import token_count


def divided(
    data: ExampleData, indices: Sequence[int], cost: Callable[[Tree], int], budget: int, processes: int
) -> Plan:
    """Micro-batches of the records with these numbers.

    Args:
        data: tokenised records.
        indices: of the global batch, over all processes.
        cost: tokens that the model runs on for a tree.
        budget: tokens in one micro-batch.
        processes: that share the micro-batches.
    """
    # Every process must take part in the exchange of gradients: fill up with records of weight 0.
    missing = max(0, processes - len(indices))
    indices = [*indices, *(indices[i % len(indices)] for i in range(missing))]
    examples = data.examples(indices)
    trees = [example.trees for example in examples]
    batch = data.batch(examples)
    if missing:
        present = torch.ones(len(indices))
        present[-missing:] = 0.0
        batch = batch.reweighted(present)
    costs = [sum(cost(tree) for tree in group) for group in trees]
    groups = partition(costs, budget, processes)
    return Plan(data, indices, examples, trees, batch, groups, costs, len(indices) - missing)


@dataclass(frozen=True)
class Part:
    """Scores and roles of one micro-batch."""

    scores: Scores
    batch: Batch


@dataclass(frozen=True)
class Plan:
    """One global batch, divided into micro-batches."""

    data: ExampleData
    indices: list[int]
    examples: list[Example]
    trees: list[list[Tree]]
    batch: Batch
    groups: list[list[int]]
    costs: list[int]
    real: int  # records after these fill a batch up that is smaller than the number of processes

    @property
    def lengths(self) -> Tensor:
        """Tokens of every answer."""
        return torch.tensor([float(len(b)) for group in self.trees for tree in group for b in tree.branches])

    def places(self, group: list[int], length: int) -> Tensor:
        """Where a group's values stand among ``length`` values of the whole batch, of tokens or of answers."""
        sizes = torch.tensor([token_count(trees) for trees in self.trees])
        if int(sizes.sum()) != length:
            sizes = torch.tensor([sum(len(tree.branches) for tree in trees) for trees in self.trees])
        starts = sizes.cumsum(0) - sizes
        return torch.cat([torch.arange(int(starts[i]), int(starts[i] + sizes[i])) for i in group])

    def counted(self, group: list[int]) -> Tensor:
        """Which completion tokens of a group belong to real records, boolean ``[M]``."""
        sizes = torch.tensor([token_count(self.trees[i]) for i in group])
        return torch.repeat_interleave(torch.tensor([i < self.real for i in group]), sizes)
