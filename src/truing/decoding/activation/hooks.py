"""Change the output of a model's blocks for as long as a ``with`` block lasts."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from truing.decoding.activation.blocks import blocks, stack
from truing.decoding.activation.edits import EDITS, EditName
from truing.errors import ModelError, did_you_mean

Positions = Literal["all", "answer"]


@dataclass(frozen=True)
class Push:
    """What happens to the output of one block.

    Attributes:
        vector: direction, ``[H]``.
        strength: c; its meaning is the edit's.
        edit: see :mod:`truing.decoding.activation.edits`.
    """

    vector: Tensor
    strength: float = 1.0
    edit: EditName = "add"

    def __call__(self, states: Tensor) -> Tensor:
        """Changed states, of their own type; worked out in float32 at least."""
        wide = torch.promote_types(states.dtype, torch.float32)
        direction = self.vector.to(states.device, wide)
        return EDITS[self.edit](states.to(wide), direction, self.strength).to(states.dtype)


@contextlib.contextmanager
def steered(model: nn.Module, pushes: Mapping[int, Push], positions: Positions = "all") -> Iterator[None]:
    """A model whose blocks' outputs are changed; as it was before when the ``with`` block ends, by an error too.

    It works in plain ``model.generate``, in :func:`truing.policies.generation.generate` (padding on the left, cache of
    keys and values), in scoring, and with ``positions="all"`` in :class:`~truing.policies.group_sampling.GroupSampler`.

    Args:
        model: of transformers, or a PEFT model around one.
        pushes: by the number of the block, from 0.
        positions: ``"all"`` changes every state, the prompt's cached keys and values of later blocks with them;
            ``"answer"`` those from the prompt's last token on, which predicts the first token of the answer.
            What a pass without cached keys runs on is taken as prompt, so that a prompt must not come in parts.

    Raises:
        ModelError: if the model has no such block, or a direction does not fit its states; and inside, if
            ``"answer"`` is asked of a pass that does not say where the answer begins.
    """
    layers = blocks(model)
    for number, push in pushes.items():
        _check(number, push, len(layers), model)
    begun = _Begin()
    with contextlib.ExitStack() as hooks:
        if positions == "answer":
            hooks.callback(stack(model).register_forward_pre_hook(begun.look, with_kwargs=True).remove)
        for number, push in pushes.items():
            hooks.callback(layers[number].register_forward_hook(_Hook(push, begun)).remove)
        yield


@dataclass
class _Begin:
    """Which states of the pass that is running belong to the answer; ``None`` where all of them do."""

    answer: Bool[Tensor, "rows places"] | None = None

    def look(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Read it off the arguments of the whole stack."""
        if kwargs.get("tree_layout") is not None or kwargs.get("decoding") is not None:
            raise ModelError(
                "where answers begin is not known while several share one prompt",
                where='positions="answer"',
                fix='use positions="all", or draw with truing.policies.generation.generate',
            )
        if kwargs.get("use_cache") is False:
            raise ModelError(
                "where the answer begins is not known without a cache of keys and values",
                where='positions="answer"',
                fix='use positions="all", or leave use_cache as it is',
            )
        past = kwargs.get("past_key_values")
        if past is not None and past.get_seq_length() > 0:
            self.answer = None
            return
        given = kwargs.get("input_ids", args[0] if args else None)
        tokens = kwargs["inputs_embeds"] if given is None else given
        rows, width = tokens.shape[:2]
        place = torch.arange(width, device=tokens.device)
        mask = kwargs.get("attention_mask")
        real = (
            mask.bool() if mask is not None and mask.ndim == 2 else torch.ones_like(place, dtype=torch.bool)[None]
        )
        last = (place * real).amax(-1, keepdim=True)
        self.answer = (place >= last).expand(rows, width)


@dataclass(frozen=True)
class _Hook:
    push: Push
    begun: _Begin

    def __call__(self, module: nn.Module, args: Any, output: Any) -> Any:
        states = output[0] if isinstance(output, tuple) else output
        changed = self.push(states)
        if self.begun.answer is not None:
            changed = torch.where(self.begun.answer[..., None], changed, states)
        return (changed, *output[1:]) if isinstance(output, tuple) else changed


def _check(number: int, push: Push, count: int, model: Any) -> None:
    if not 0 <= number < count:
        raise ModelError(f"there is no block {number}", where="layer", allowed=f"0 to {count - 1}")
    if push.edit not in EDITS:
        raise ModelError(
            f"there is no edit {push.edit!r}",
            where="edit",
            allowed=", ".join(EDITS),
            fix=did_you_mean(push.edit, EDITS),
        )
    if not math.isfinite(push.strength):
        raise ModelError(f"strength = {push.strength}", where="strength", allowed="a finite number")
    width = model.get_input_embeddings().weight.shape[1]
    hidden = getattr(model.config.get_text_config(decoder=True), "hidden_size", width)
    if push.vector.shape != (hidden,) or not bool(push.vector.isfinite().all()) or not bool(push.vector.any()):
        raise ModelError(
            f"the direction for block {number} has shape {list(push.vector.shape)}, or is zero or not finite",
            where="direction",
            allowed=f"{hidden} finite numbers that are not all 0",
            fix="fit the direction on this model",
        )
