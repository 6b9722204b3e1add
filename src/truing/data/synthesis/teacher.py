"""What a model thinks of given answers to given prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

from truing.errors import DataError, ModelError

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy

_PART = 256
"""Answers that are scored between two reports of progress."""


@torch.no_grad()
def answer_scores(
    policy: CausalPolicy,
    asked: Sequence[tuple[str, str]],
    max_length: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[float]:
    """Log-probability per token of each answer after its prompt, nats, as training tokenises them.

    Args:
        policy: the model, with its tokenizer.
        asked: prompts and answers, plain text.
        max_length: most tokens of both; longer prompts lose their beginning.
        progress: called with (answers scored, answers in all).

    Raises:
        ModelError: if the model has no tokenizer.
        DataError: if an answer has no tokens or does not fit.
    """
    from truing.data.sources import load
    from truing.data.text import TextEncoder
    from truing.policies.causal import sequence_logps
    from truing.training.examples import ExampleData

    if policy.tokenizer is None:
        raise ModelError("scoring needs the model's tokenizer", fix="pass tokenizer= to CausalPolicy")
    records = load([{"prompt": prompt, "completion": answer} for prompt, answer in asked])
    encoded = TextEncoder(policy.tokenizer, max_length=max_length).encode(records)
    if len(encoded.dataset) != len(asked):
        raise DataError(
            f"{len(asked) - len(encoded.dataset)} answers do not fit",
            where=f"max_length {max_length}",
            fix="raise it",
        )
    examples = ExampleData(encoded.dataset, records.kind)
    found: list[float] = []
    with policy.evaluating():
        for start in range(0, len(examples), _PART):
            scores = policy.score_all(examples.trees(range(start, min(start + _PART, len(examples)))))
            per_token = sequence_logps(scores).double().cpu() / scores.lengths.double().cpu()
            found += [float(value) for value in per_token]
            if progress is not None:
                progress(len(found), len(examples))
    return found
