"""What could notice, or undo, a push on a model's states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor, nn

from truing.decoding.activation.states import Example, read_states
from truing.policies.fingerprint import of_parameters

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy


@dataclass(frozen=True)
class Monitor:
    """Knows how long states are, and how far they move from block to block, in a model that nobody touched.

    Attributes:
        centre, spread: mean and standard deviation over clean texts, ``[2L]``: log ‖h_l‖ of every block, then
            ‖h_l − h_{l−1}‖/‖h_{l−1}‖ (0 for the first).
        limit: the largest distance from the centre, in spreads, among the clean texts.
    """

    centre: Float[Tensor, " readings"]
    spread: Float[Tensor, " readings"]
    limit: float

    @classmethod
    def fitted(cls, policy: CausalPolicy, examples: Sequence[Example]) -> Monitor:
        """Learn from clean texts; three or more, better a hundred."""
        seen = readings(read_states(policy, examples, "mean"))
        centre, spread = seen.mean(0), seen.std(0).clamp(min=1e-6)
        return cls(centre, spread, float(((seen - centre) / spread).abs().amax()))

    def alarms(self, policy: CausalPolicy, examples: Sequence[Example]) -> Float[Tensor, " examples"]:
        """Largest distance of a text's readings from the centre, in spreads; no clean text was above ``limit``."""
        seen = readings(read_states(policy, examples, "mean"))
        return ((seen - self.centre) / self.spread).abs().amax(1)


def readings(states: Float[Tensor, "examples layers hidden"]) -> Float[Tensor, "examples readings"]:
    """Lengths of states and how far they move, as :class:`Monitor` says."""
    norms = states.norm(dim=-1)
    drift = (states[:, 1:] - states[:, :-1]).norm(dim=-1) / norms[:, :-1]
    return torch.cat([norms.log(), torch.zeros_like(norms[:, :1]), drift], 1)


@dataclass(frozen=True)
class Seal:
    """What a model was when it was sealed: its weights, and what is hooked into it."""

    weights: str
    hooks: tuple[str, ...]

    @classmethod
    def of(cls, model: nn.Module) -> Seal:
        """Seal a model."""
        return cls(of_parameters(model), hooks_of(model))

    def broken(self, model: nn.Module) -> list[str]:
        """What is different now, in words; empty if nothing is."""
        now = Seal.of(model)
        found = [] if now.weights == self.weights else ["the weights are others"]
        found += [f"new hook {name}" for name in now.hooks if name not in self.hooks]
        return found + [f"hook is gone: {name}" for name in self.hooks if name not in now.hooks]


def hooks_of(model: nn.Module) -> tuple[str, ...]:
    """Hooks on a model's modules that can change what passes, as ``MODULE: KIND of TYPE``, sorted.

    Transformers' own, which record states where these are asked for, are left out.
    """
    kinds = ("_forward_hooks", "_forward_pre_hooks")
    return tuple(
        sorted(
            f"{name or 'model'}: {kind.strip('_').removesuffix('s').replace('_', ' ')} of "
            f"{getattr(hook, '__qualname__', type(hook).__qualname__)}"
            for name, module in model.named_modules()
            for kind in kinds
            for hook in getattr(module, kind).values()
            if getattr(hook, "__module__", None) != "transformers.utils.output_capturing"
        )
    )
