"""What other models think of the answers: log-probability per token, each with its own tokenizer and template."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from truing.errors import DataError
from truing.policies.causal import CausalPolicy, sequence_logps
from truing.policies.loading import load_model, load_tokenizer

if TYPE_CHECKING:
    from truing.training.prepare import Prepared, Split


def mean_logp(prepared: Prepared, model: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Nats per token of the first completion of every record, under another model.

    Args:
        prepared: the run.
        model: hub name or folder.

    Raises:
        DataError: if the other tokenizer or template drops a record.
    """
    tokenizer = load_tokenizer(model)
    policy = CausalPolicy(
        load_model(model, device=prepared.policy.device), tokenizer, precision=prepared.recipe.training.precision
    )
    held = prepared.held_out
    return (
        _scored(prepared, policy, prepared.train, model),
        None if held is None else _scored(prepared, policy, held, model),
    )


def _scored(prepared: Prepared, policy: CausalPolicy, split: Split, model: str) -> np.ndarray:
    from truing.training.prepare import encode

    recipe = prepared.recipe
    # The lengths are limits of the trained model; another tokenizer may need more tokens for the same text.
    data = recipe.data.model_copy(update={"max_length": None, "max_prompt_length": None})
    encoded, examples = encode(
        split.records, policy.tokenizer, recipe.model_copy(update={"data": data}), prepared.objective, seed=0
    )
    number = {name: place for place, name in enumerate(encoded.dataset["id"])}
    wanted = split.encoded.dataset["id"]
    lost = [name for name in wanted if name not in number]
    if lost:
        raise DataError(
            f"{len(lost):,} records cannot be scored by {model!r}: its tokenizer or chat template leaves them out",
            where=f"row {lost[0]}",
            fix="choose another model, or remove these rows",
        )
    with policy.evaluating():
        scores = policy.score_all(examples.trees(range(len(examples))), budget=prepared.budget)
    means = (sequence_logps(scores).double() / scores.lengths.double()).cpu().numpy()
    found: np.ndarray = means[[number[name] for name in wanted]]
    return found
