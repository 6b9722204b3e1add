"""Updates of chosen weights only: the others keep their bits, whatever optimiser, momentum or weight decay does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from truing.unlearning.masks import check_mask
from truing.unlearning.selection import Mask


class HeldWeights:
    """Holds the weights of a model that a mask does not free.

    Gradients are masked as they arrive, before they are accumulated, so that gradient norms and clipping see what is
    used and momentum of held weights stays 0. Decoupled weight decay moves a weight without any gradient; therefore
    held weights are put back after each step.

    Args:
        model: plain, or wrapped by PEFT; each process has whole weights.
        mask: True where a weight may change; one entry for every trainable parameter.

    Raises:
        TruingError: if mask and model do not go together.
    """

    def __init__(self, model: nn.Module, mask: Mask) -> None:
        check_mask(mask, model)
        self._held: list[tuple[nn.Parameter, Tensor, Tensor]] = []
        self._hooks = []
        for name, p in model.named_parameters():
            if not p.requires_grad or bool(mask[name].all()):
                continue
            held = ~mask[name].to(p.device)
            # Only what is held is copied: with a share p of weights free, a share 1 − p of the memory.
            self._held.append((p, held, p.detach()[held].clone()))
            self._hooks.append(p.register_hook(_Masked(held)))

    @torch.no_grad()
    def restore(self) -> None:
        """Put held weights back; to be called after every step of the optimiser."""
        for p, held, values in self._held:
            p[held] = values

    def release(self) -> None:
        """Let all weights move again."""
        for hook in self._hooks:
            hook.remove()
        self._hooks, self._held = [], []


class _Masked:
    """A hook that removes the gradient of held weights."""

    def __init__(self, held: Tensor) -> None:
        self.held = held

    def __call__(self, gradient: Tensor) -> Tensor:
        # Not a product: a gradient that is infinite times 0 is not a number.
        return gradient.masked_fill(self.held, 0.0)


class MaskedUpdates(TrainerCallback):
    """A callback of transformers' Trainer: ``Trainer(..., callbacks=[MaskedUpdates(mask)])``.

    Args:
        mask: see :class:`HeldWeights`.
    """

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self._held: HeldWeights | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._held = HeldWeights(kwargs["model"], self.mask)

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self._held is not None:
            self._held.restore()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self._held is not None:
            self._held.release()
            self._held = None


@contextlib.contextmanager
def masked_updates(model: nn.Module, mask: Mask, optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """The same for a training loop of one's own: inside the block only freed weights move.

    Args:
        model, mask: see :class:`HeldWeights`.
        optimizer: steps the model; every step puts held weights back.
    """
    held = HeldWeights(model, mask)
    after = optimizer.register_step_post_hook(lambda *_: held.restore())
    try:
        yield
    finally:
        after.remove()
        held.release()
