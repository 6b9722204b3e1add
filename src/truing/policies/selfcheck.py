"""Is trunk-and-branch scoring exact for this model? Asked of the model itself, once, before it is used.

A few random tokens are scored in trees and compared with the model's own logits on every sequence alone.
Where they differ, padded rows are tried; where those differ too, the model cannot be scored. Nothing is
decided by the name of an architecture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from transformers import PreTrainedModel

from truing.errors import ModelError
from truing.policies import llama_stack
from truing.policies.attention import UnsupportedAttentionError
from truing.policies.packing import Packed, Tree, pack
from truing.policies.rows import encoder_decoder_rows, rows
from truing.policies.scoring import Layout, ScoringRequest

LayoutName = Literal["trees", "rows", "encoder-decoder"]


@dataclass(frozen=True)
class Verdict:
    """Which layout is exact for a model.

    Attributes:
        layout: the fastest layout whose scores agree with the model's own.
        reason: one sentence for the plan and the report.
        difference: largest disagreement found for that layout, nats per token.
        fast_layers: whether the engine's own code for Llama-shaped layers agrees too.
    """

    layout: LayoutName
    reason: str
    difference: float
    fast_layers: bool = False


def builder(layout: LayoutName, model: PreTrainedModel) -> Callable[[Sequence[Tree]], Layout]:
    """The function that lays trees out."""
    if layout == "encoder-decoder":
        start = model.config.decoder_start_token_id
        return lambda trees: encoder_decoder_rows(trees, start)
    return pack if layout == "trees" else rows


def check(model: PreTrainedModel, allow_trees: bool = True) -> Verdict:
    """Find the layout.

    Args:
        model: with scoring installed and its attention set; put into evaluation mode meanwhile.
        allow_trees: whether the tree attention is available at all.

    Raises:
        ModelError: if no layout reproduces the model's own log-probabilities.
    """
    trees = probe(model)
    plain: LayoutName = "encoder-decoder" if model.config.is_encoder_decoder else "rows"
    return settle(
        model,
        Own("log-probabilities", " nats a token", "causal language models and encoder-decoders of transformers"),
        expected=lambda: _own(model, trees),
        layout=lambda name: builder(name, model)(trees),
        run=lambda request: model(scoring=request)[0],
        plain=plain,
        allow_trees=allow_trees and plain == "rows",
    )


@dataclass(frozen=True)
class Own:
    """What a model gives by itself, in words.

    Attributes:
        values: e.g. log-probabilities.
        unit: of a difference, after the number.
        allowed: models that give them.
        relative: whether a difference counts relative to the largest of them, where that is above 1.
    """

    values: str
    unit: str
    allowed: str
    relative: bool = False


@torch.no_grad()
def settle(
    model: PreTrainedModel,
    own: Own,
    *,
    expected: Callable[[], Tensor],
    layout: Callable[[LayoutName], Layout],
    run: Callable[[ScoringRequest], Tensor],
    plain: LayoutName,
    allow_trees: bool,
) -> Verdict:
    """The fastest layout that gives what the model gives by itself.

    Args:
        model: put into evaluation mode meanwhile.
        own: what it gives, for messages.
        expected: by its plain forward pass on every sequence alone.
        layout: of the same sequences.
        run: what the engine gives for them.
        plain: the layout that is tried last.
        allow_trees: whether the tree attention may be tried.

    Raises:
        ModelError: if no layout does.
    """
    training = model.training
    model.eval()
    try:
        target = expected()
        tolerance = {torch.bfloat16: 5e-2, torch.float16: 2e-2}.get(model.dtype, 1e-3)
        if own.relative:
            tolerance *= max(1.0, float(target.abs().max()))
        candidates: list[tuple[LayoutName, bool]] = [(plain, False)]
        if allow_trees:
            candidates = [("trees", True), ("trees", False), *candidates]
        why_not = "" if allow_trees else "its attention cannot be exchanged"
        for name, fast in candidates:
            laid = layout(name).to(model.device)
            if fast and not (isinstance(laid, Packed) and llama_stack.supports(model, laid)):
                continue
            try:
                found = run(ScoringRequest(laid, fast_layers=fast))
            except (UnsupportedAttentionError, TypeError, ValueError, RuntimeError, AttributeError) as error:
                why_not = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
                continue
            difference = float((found.float() - target).abs().max())
            if difference <= tolerance:
                return Verdict(name, _reason(name, why_not, own), difference, fast)
            why_not = f"{own.values} differ from the model's own by {difference:.2g}{own.unit}"
    finally:
        model.train(training)
    raise ModelError(
        f"{type(model).__name__} cannot be scored: {why_not}",
        allowed=own.allowed,
        fix="if its own code is right, please report the architecture",
    )


def _reason(layout: LayoutName, why_not: str, own: Own) -> str:
    if layout == "trees":
        return f"trunk and branches, checked against the model's own {own.values}"
    if layout == "encoder-decoder":
        return "one row a completion: encoder-decoders read the prompt with another stack"
    return f"one padded row a completion: {why_not}"


def probe(model: PreTrainedModel) -> list[Tree]:
    """A few random tokens in two trees."""
    size = model.config.get_text_config().vocab_size
    generator = torch.Generator().manual_seed(0)

    def tokens(count: int) -> list[int]:
        return [int(i) for i in torch.randint(min(10, size // 2), size, (count,), generator=generator)]

    return [Tree(tokens(6), [tokens(3), tokens(4)]), Tree(tokens(3), [tokens(2), tokens(1), tokens(3)])]


@torch.no_grad()
def _own(model: PreTrainedModel, trees: Sequence[Tree]) -> Tensor:
    """Log-probabilities by the model's plain forward pass on each sequence alone."""
    found = []
    for tree in trees:
        for branch in tree.branches:
            target = torch.tensor(branch, device=model.device)
            if model.config.is_encoder_decoder:
                decoder = [model.config.decoder_start_token_id, *branch[:-1]]
                logits = model(
                    input_ids=torch.tensor([tree.prompt], device=model.device),
                    decoder_input_ids=torch.tensor([decoder], device=model.device),
                ).logits[0]
            else:
                ids = torch.tensor([[*tree.prompt, *branch]], device=model.device)
                logits = model(input_ids=ids, use_cache=False).logits[0, len(tree.prompt) - 1 : -1]
            found.append(logits.float().log_softmax(-1).gather(1, target[:, None])[:, 0])
    return torch.cat(found)
