"""Letting answers grow to their end."""

from __future__ import annotations

from collections.abc import Sequence, Set

import torch

from truing.policies.generation import Sampling
from truing.policies.group_sampling import chosen
from truing.policies.growing import Rows

# Answers that have ended are dropped when fewer than this share go on.
_GOING = 0.75


def finish(
    rows: Rows,
    ends: Set[int],
    sampling: Sampling,
    generator: torch.Generator,
    limits: Sequence[int] | None = None,
) -> int:
    """Draw tokens for every answer until it ends.

    Args:
        rows: changed in place; answers that have ended already stay as they are.
        ends: tokens that end an answer.
        sampling: temperature and top-p; ``max_new_tokens`` is the longest answer where there are no limits.
        generator: of the tokens.
        limits: longest length of each answer, tokens in all.

    Returns:
        Tokens that were drawn.
    """
    most = list(limits) if limits is not None else [sampling.max_new_tokens] * len(rows.tokens)
    going = [row for row, tokens in enumerate(rows.tokens) if open_ended(tokens, ends, most[row])]
    drawn = 0
    while going:
        if len(going) < _GOING * len(rows.tokens):
            part = rows.take(going)
            drawn += finish(part, ends, sampling, generator, [most[row] for row in going])
            rows.put(going, part)
            return drawn
        luck = torch.rand(len(rows.tokens), generator=generator, dtype=torch.float64).to(rows.logits.device)
        tokens = chosen(rows.logits, luck, sampling.temperature, sampling.top_p, sampling.top_k)
        on = torch.zeros(len(rows.tokens), dtype=torch.bool, device=rows.logits.device)
        on[going] = True
        rows.push(tokens, on)
        drawn += len(going)
        going = [row for row in going if open_ended(rows.tokens[row], ends, most[row])]
    return drawn


def open_ended(tokens: Sequence[int], ends: Set[int], limit: int) -> bool:
    """Whether an answer may go on."""
    return len(tokens) < limit and not (tokens and tokens[-1] in ends)
