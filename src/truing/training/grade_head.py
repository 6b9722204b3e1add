"""A classifier of how much is left of an answer, on the policy's own states (SPO, 2409.17791)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from truing.objectives.algebra import Batch, Scores
from truing.objectives.algebra.parts import part_of
from truing.policies.packing import Tree


class GradeHead(nn.Module):
    """Two layers from an answer's mean state to its grade; it is thrown away after training.

    Args:
        part: the part whose samples are the grades, the whole answer first; its name ends with their number.
        hidden: width of the states.
    """

    reads: Literal["states"] = "states"

    def __init__(self, part: str, hidden: int) -> None:
        super().__init__()
        self.part = part
        grades = int(part.rpartition("_")[2])
        self.layers = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, grades))

    def forward(self, scores: Scores, trees: Sequence[Tree], batch: Batch) -> Float[Tensor, " tokens"]:
        """Cross-entropy of each answer's grade, at every token of it; 0 at all other tokens."""
        assert scores.states is not None
        samples = part_of(batch, self.part)
        index = samples.chosen
        owners = samples.example[index]
        first = index.new_full((batch.examples,), int(index.max()) + 1 if len(index) else 0)
        first = first.scatter_reduce(0, owners, index, reduce="amin")
        logits = self.layers(scores.states[index])
        losses = functional.cross_entropy(logits, index - first[owners], reduction="none")
        each = losses.new_zeros(scores.count).index_copy(0, index, losses)
        return each[scores.sequence]
