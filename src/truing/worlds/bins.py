"""A line of bins: one answer a bin, a bell of probability at the start, a reward that falls away from a peak.

What is learned about a bin can stay there or spread to its neighbours, depending on the features. Many runs stand side
by side, one a prompt, each with parameters of its own, so that all of them take a step at once.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from truing.objectives.algebra import Batch
from truing.objectives.algebra.policy_gradient import PROPOSAL
from truing.worlds.data import Data
from truing.worlds.policies import SingleToken


def bell(peak: float, width: float, bins: int = 100) -> Float[Tensor, " bins"]:
    """Probabilities that fall from ``peak`` as a normal density of standard deviation ``width``, both in bins."""
    place = torch.arange(bins, dtype=torch.float64)
    return torch.softmax(-0.5 * ((place - peak) / width) ** 2, dim=-1)


def tent(peak: float, height: float = 4.0, bins: int = 100) -> Float[Tensor, " bins"]:
    """A reward of 0 at ``peak`` that falls by ``height / bins`` a bin."""
    return -height * (torch.arange(bins, dtype=torch.float64) - peak).abs() / bins


def bumps(count: int = 21, width: float = 8.0, bins: int = 100) -> Float[Tensor, "bins features"]:
    """Features that neighbouring bins share: bells at equal distances, of unit square sum on average."""
    place = torch.arange(bins, dtype=torch.float64)[:, None]
    centres = torch.linspace(0, bins - 1, count, dtype=torch.float64)
    found = torch.exp(-0.5 * ((place - centres) / width) ** 2)
    return found / found.square().sum(-1).mean().sqrt()


class SideBySide(SingleToken):
    """Equal policies, one a prompt, that share features and no parameter.

    Args:
        base: logits at the start, shape ``[K]``.
        features: shape ``[K, D]``; ``None`` gives every output a parameter of its own.
        runs: number of policies.
    """

    base: Tensor
    features: Tensor | None

    def __init__(self, base: Float[Tensor, " outputs"], features: Tensor | None = None, runs: int = 1) -> None:
        super().__init__()
        self.register_buffer("base", base.to(torch.float64))
        self.register_buffer("features", None if features is None else features.to(torch.float64))
        size = len(base) if features is None else features.shape[-1]
        self.theta = nn.Parameter(torch.zeros(runs, size, dtype=torch.float64))

    def logits(self) -> Float[Tensor, "prompts outputs"]:
        return self.base + (self.theta if self.features is None else self.theta @ self.features.T)


def every_answer(reward: Float[Tensor, " outputs"], runs: int = 1) -> Data:
    """All outputs of all prompts once, with their rewards, as if drawn evenly: then a mean over samples is exact."""
    outputs = torch.arange(len(reward)).expand(runs, -1)
    even = -torch.log(torch.tensor(float(len(reward)), dtype=torch.float64))
    return rewarded_answers(outputs, reward.expand(runs, -1), even.expand(outputs.shape))


def rewarded_answers(
    outputs: Int[Tensor, "prompts samples"],
    reward: Float[Tensor, "prompts samples"],
    proposal: Float[Tensor, "prompts samples"],
) -> Data:
    """Samples of every prompt with their rewards, as the part ``samples`` of one record a prompt.

    Args:
        outputs: what was drawn.
        reward: of each sample.
        proposal: log-probability of each sample under what drew it, nats.
    """
    prompts, count = outputs.shape
    prompt = torch.arange(prompts)[:, None].expand(-1, count)
    items = torch.stack([prompt, outputs], -1).reshape(-1, 2)
    drawn = Batch.samples([count] * prompts)
    drawn = replace(
        drawn,
        reward=reward.reshape(-1),
        per_sequence={PROPOSAL: proposal.detach().reshape(-1)},
        own=torch.arange(len(items)),
    )
    none = torch.arange(0)
    return Data(items, replace(drawn, chosen=none, own=none, parts={"samples": drawn}))
