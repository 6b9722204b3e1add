"""Comparisons of the two answers of every vote, each pair of texts looked at once, whoever voted on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from truing.audit.judges.votes import Votes

Compare = Callable[[Sequence[str], Sequence[str], Sequence[str]], np.ndarray]
"""From prompts, first and second answers to numbers that change sign when the answers are exchanged, ``[N, P]``."""


def compared_once(votes: Votes, compare: Compare) -> np.ndarray:
    """What ``compare`` says of every row; shape ``[rows, P]``."""
    keys = votes.keys
    place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    found = compare(*([key[part] for key in place] for part in range(3)))
    turned = [key[1] != own for key, own in zip(keys, votes.first, strict=True)]
    signed: np.ndarray = found[[place[key] for key in keys]] * np.where(turned, -1.0, 1.0)[:, None]
    return signed
