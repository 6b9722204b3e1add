"""Scores of a whole global batch from those of its micro-batches, over all processes, without gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from truing.objectives.algebra import Scores
from truing.policies.packing import Tree


class Piece(NamedTuple):
    """What belongs to one record, on the CPU; ``reference`` may be missing."""

    policy: Tensor
    reference: Tensor | None
    signals: Mapping[str, Tensor]
    derived: Mapping[str, Tensor]
    values: Tensor | None = None
    states: Tensor | None = None


def pieces(scores: Scores, trees: Sequence[Sequence[Tree]]) -> list[Piece]:
    """The scores of a few records, record by record.

    Args:
        scores: of all their completions.
        trees: of every record.
    """
    tokens = [token_count(own) for own in trees]
    answers = [sum(len(tree.branches) for tree in own) for own in trees]

    def split(values: Tensor) -> tuple[Tensor, ...]:
        sizes = tokens if len(values) == sum(tokens) else answers
        return torch.split(values.detach().float().cpu(), sizes)

    policy = split(scores.token_logps)

    def each(values: Tensor | None) -> Sequence[Tensor | None]:
        """What belongs to answers, not to tokens."""
        nothing = [None] * len(trees)
        return nothing if values is None else torch.split(values.detach().float().cpu(), answers)

    reference = split(scores.reference) if scores.reference is not None else [None] * len(trees)
    values, states = each(scores.values), each(scores.states)
    signals, derived = (
        {name: split(values) for name, values in found.items()} for found in (scores.signals, scores.derived)
    )
    return [
        Piece(
            policy[place],
            reference[place],
            {name: parts[place] for name, parts in signals.items()},
            {name: parts[place] for name, parts in derived.items()},
            values[place],
            states[place],
        )
        for place in range(len(trees))
    ]


def assembled(found: Sequence[Piece], trees: Sequence[Sequence[Tree]]) -> Scores:
    """The scores of all records, in their order.

    Args:
        found: a piece for every record.
        trees: of every record.
    """
    lengths = torch.tensor([len(branch) for own in trees for tree in own for branch in tree.branches])
    references = [piece.reference for piece in found if piece.reference is not None]
    return Scores(
        torch.cat([piece.policy for piece in found]),
        torch.repeat_interleave(torch.arange(len(lengths)), lengths),
        len(lengths),
        torch.cat(references) if references else None,
        {name: torch.cat([piece.signals[name] for piece in found]) for name in found[0].signals},
        {name: torch.cat([piece.derived[name] for piece in found]) for name in found[0].derived},
        states=_together([piece.states for piece in found]),
        values=_together([piece.values for piece in found]),
    )


def _together(parts: Sequence[Tensor | None]) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return torch.cat(there) if there else None


def token_count(trees: Sequence[Tree]) -> int:
    """Completion tokens."""
    return sum(len(branch) for tree in trees for branch in tree.branches)
