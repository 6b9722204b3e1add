"""Fitting a prompt and its completions into a length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SMALLEST_PROMPT_SHARE = 8
"""A prompt keeps at least ``max_length`` over this: an answer to nothing teaches nothing."""


@dataclass(frozen=True)
class Fitted:
    """A prompt with completions that fit.

    Args:
        prompt: tokens.
        completions: tokens of each.
        prompt_cut: whether the prompt was shortened.
        cut: which completions were.
    """

    prompt: list[int]
    completions: list[list[int]]
    prompt_cut: bool
    cut: list[bool]


def fit(
    prompt: list[int],
    completions: Sequence[list[int]],
    max_length: int | None,
    max_prompt_length: int | None,
    bos: int | None,
) -> Fitted:
    """Shorten the prompt from the left, keeping BOS; cut completions at the end only if that is not enough.

    Args:
        prompt: at least one token.
        completions: with the same prompt; the longest decides how much of the prompt stays.
        max_length: of prompt plus completion, in tokens.
        max_prompt_length: of the prompt, in tokens.
        bos: kept if the prompt begins with it.
    """
    room = len(prompt) if max_prompt_length is None else min(len(prompt), max_prompt_length)
    if max_length is not None:
        least = min(room, max(1, max_length // SMALLEST_PROMPT_SHARE))
        longest = max(map(len, completions), default=0)
        room = max(least, min(room, max_length - longest))
    kept = _left_cut(prompt, room, bos)
    space = None if max_length is None else max_length - len(kept)
    return Fitted(
        prompt=kept,
        completions=[list(completion[:space]) for completion in completions],
        prompt_cut=len(kept) < len(prompt),
        cut=[space is not None and len(completion) > space for completion in completions],
    )


def _left_cut(prompt: list[int], room: int, bos: int | None) -> list[int]:
    if len(prompt) <= room:
        return prompt
    if bos is not None and prompt[0] == bos:
        return [bos, *prompt[len(prompt) - room + 1 :]]
    return prompt[len(prompt) - room :]
