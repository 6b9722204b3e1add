"""Letting answers grow to their end."""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from truing.policies.generation import Sampling
from truing.policies.group_sampling import chosen
from truing.policies.growing import Rows

# Answers that have ended are dropped when fewer than this share go on.
_GOING = 0.75


def finish(
    rows: Rows,
    ends: Set[int],
    sampling: Sampling,
    luck: Float[Tensor, "rows steps"],
    limits: Sequence[int] | None = None,
) -> int:
    """Draw tokens for every answer until it ends.

    Args:
        rows: changed in place; answers that have ended already stay as they are.
        ends: tokens that end an answer.
        sampling: how to draw; ``max_new_tokens`` is the longest answer where there are no limits.
        luck: numbers from [0, 1), one for each token that may be drawn. An answer's are its own, so that what becomes
            of it does not depend on which others are beside it.
        limits: longest length of each answer, tokens in all.

    Returns:
        Tokens that were drawn.
    """
    most = [sampling.max_new_tokens] * len(rows.tokens) if limits is None else list(limits)
    going = [row for row, tokens in enumerate(rows.tokens) if open_ended(tokens, ends, most[row])]
    drawn = step = 0
    while going:
        if len(going) < _GOING * len(rows.tokens):
            part = rows.take(going)
            drawn += finish(part, ends, sampling, luck[going, step:], [most[row] for row in going])
            rows.put(going, part)
            return drawn
        own = luck[:, step].to(rows.logits.device)
        tokens = chosen(rows.logits, own, sampling.temperature, sampling.top_p, sampling.top_k)
        on = torch.zeros(len(rows.tokens), dtype=torch.bool, device=rows.logits.device)
        on[going] = True
        rows.push(tokens, on)
        drawn += len(going)
        step += 1
        going = [row for row in going if open_ended(rows.tokens[row], ends, most[row])]
    return drawn


def luck_after(
    seed: int, item: int, tokens: Sequence[int], steps: int, *, purpose: int = 0
) -> Float[Tensor, " steps"]:
    """Numbers from [0, 1) that an answer to a prompt goes on with: the same whenever the same answer goes on.

    Args:
        seed: of all that is drawn.
        item: number of the prompt.
        tokens: of the answer so far.
        steps: how many numbers.
        purpose: what they are for; an answer that is drawn must not meet the numbers that its value was found with.
    """
    known = [seed % 2**64, purpose, item, *tokens]
    return torch.from_numpy(np.random.default_rng(known).random(steps))


def open_ended(tokens: Sequence[int], ends: Set[int], limit: int) -> bool:
    """Whether an answer may go on."""
    return len(tokens) < limit and not (tokens and tokens[-1] in ends)
