"""Prompts and answers as trees of tokens: answers to the same prompt that follow each other share its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from transformers import PreTrainedTokenizerBase

from truing.data.chat import ChatRenderer
from truing.data.row_encoder import RowEncoder
from truing.data.token_tally import TokenTally
from truing.policies.packing import Tree
from truing.rewards.algebra import Prompt

BATCH = 256
"""Prompts that are tokenised at a time."""


@dataclass(frozen=True)
class Placed:
    """A prompt with some answers.

    Attributes:
        places: where these answers stand among all.
        tree: their tokens.
    """

    places: list[int]
    tree: Tree


def placed_trees(
    tokenizer: PreTrainedTokenizerBase,
    max_length: int | None,
    prompts: Sequence[Prompt],
    completions: Sequence[str],
) -> list[Placed]:
    """``completions[i]`` as an answer to ``prompts[i]``; empty answers, and what cannot be tokenised, are left out.

    Args:
        tokenizer: of the model.
        max_length: tokens of prompt plus answer; any number where it is ``None``.
        prompts, completions: of equal number.
    """
    filled = [i for i, text in enumerate(completions) if text]
    runs = [list(run) for _, run in groupby(filled, key=lambda i: repr(prompts[i]))]
    rows = [_row(number, prompts[run[0]], [completions[i] for i in run]) for number, run in enumerate(runs)]
    trees: dict[int, Tree] = {}
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        for talk in (False, True):
            own = [row for row in part if isinstance(row["prompt"], list) == talk]
            encoder = RowEncoder(
                tokenizer, ChatRenderer(tokenizer, None, None) if talk else None, max_length, None
            )
            for tokens in encoder(own, "ranked", TokenTally()) if own else ():
                trees[int(tokens.row["id"])] = Tree(tokens.prompt, tokens.completions)
    return [Placed(runs[number], trees[number]) for number in sorted(trees)]


def _row(number: int, prompt: Prompt, completions: Sequence[str]) -> dict[str, Any]:
    if isinstance(prompt, str):
        return {"id": str(number), "prompt": prompt, "completions": list(completions), "scores": []}
    said = [[{"role": "assistant", "content": text}] for text in completions]
    return {"id": str(number), "prompt": list(prompt), "completions": said, "scores": []}
