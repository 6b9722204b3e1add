"""PINE (2407.01100) as it is registered: what a model says next of prompts whose parts have no order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from truing.judging.method import judging
from truing.registry import Paper

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy
    from truing.policies.pine.segments import Segments


@judging(
    name="pine",
    slug="pine",
    paper=Paper("Eliminating Position Bias of Language Models: A Mechanistic Approach", 2024, "2407.01100"),
    summary="Lets a model read answers, options or documents as a set: exchanging them changes nothing, without "
    "training and in one call.",
    formula="position(token of part j) = E − |part j| + offset − Σ |parts that matter more than j|",
    legend=(
        "E: where the parts end and the rest of the prompt begins",
        "what matters more: Σ over tokens of the part that looks of the mean attention, without positions and among "
        "the other parts, to the tokens of each; itself first",
        "after the parts: every token has an order of its own, by its own attention",
        "attended: what stands before by these positions, so that parts see each other whole; for every head apart",
    ),
    use_when="A local model judges, chooses among options or answers from documents, and their order should have no "
    "say; two calls per pair are too dear, or k! orders too many.",
    avoid_when="Parts have an order that matters (turns, steps). Letters that name parts still count: show each answer "
    "under each letter once.",
    requires=("a local model with rotary positions",),
    cost="one call; attention in plain matrix products, and after the parts keys are rotated anew for every token",
)
def pine(policy: CausalPolicy, prompts: Sequence[Segments]) -> Float[Tensor, "prompts vocabulary"]:
    """Logits of the token that follows each prompt, float32.

    Args:
        policy: the model.
        prompts: each with its parts.

    Raises:
        ModelError: if the model's positions are not rotary, or a prompt is longer than its sliding window.
    """
    from truing.policies.pine.invariant import PositionInvariant

    invariant = PositionInvariant(policy)
    found = [invariant.logits(prompt) for prompt in prompts]
    return torch.stack(found) if found else torch.zeros(0, policy.inner.config.vocab_size)
