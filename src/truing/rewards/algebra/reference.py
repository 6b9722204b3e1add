"""What a fixed reference policy scores on each prompt: quantiles, mean, spread and distribution function.

Made once from samples, before training; the policy that is trained never enters. Several transforms share it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.errors import DataError
from truing.policies.fingerprint import of_values
from truing.rewards.algebra.context import Context, Prompt, prompt_key
from truing.rewards.algebra.values import Rewards

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Origin:
    """What the statistics were made from; two that agree in this are the same statistics.

    Attributes:
        policy: fingerprint of the reference policy's weights.
        scorer: fingerprint or name of what judged its samples.
        sampling: number of samples, temperature, seed, length and whatever else decides what is drawn.
        prompts: fingerprint of the prompts; filled in by :meth:`ReferenceStats.of`.
    """

    policy: str
    scorer: str
    sampling: Mapping[str, Any] = field(default_factory=dict)
    prompts: str = ""

    @property
    def key(self) -> str:
        """A short name that is the same for the same origin."""
        return of_values([self.policy, self.scorer, dict(self.sampling), self.prompts])


@dataclass(frozen=True)
class ReferenceStats:
    """Scores of a reference policy's samples.

    Args:
        samples: ascending along the second dimension, what is not known last as ``nan``, shape ``[P, S, K]``.
        names: the K objectives.
        keys: of the P prompts.
        origin: what they were made from.
    """

    samples: Float[Tensor, "prompts samples objectives"]
    names: tuple[str, ...]
    keys: tuple[str, ...]
    origin: Origin

    @classmethod
    def of(
        cls,
        scores: Float[Tensor, "prompts samples objectives"],
        names: Sequence[str],
        prompts: Sequence[Prompt],
        origin: Origin,
    ) -> ReferenceStats:
        """From the scores of S samples to each of P prompts.

        Args:
            scores: shape ``[P, S, K]``; ``nan`` where a sample was not judged by an objective.
            names: K objectives.
            prompts: P different prompts.
            origin: what the scores come from.

        Raises:
            DataError: if shapes do not fit, a prompt is there twice, or a score is infinite.
        """
        keys = tuple(prompt_key(prompt) for prompt in prompts)
        if (
            scores.ndim != 3
            or scores.shape[0] != len(keys)
            or scores.shape[2] != len(names)
            or not scores.shape[1]
        ):
            raise DataError(
                f"scores of shape {tuple(scores.shape)} do not fit {len(keys)} prompts and {len(names)} objectives",
                allowed="[prompts, samples, objectives], with at least one sample",
            )
        if len(set(keys)) < len(keys):
            place = next(place for place, key in enumerate(keys) if key in keys[:place])
            raise DataError("the same prompt is there twice", where=f"prompt {place}", fix="join its samples")
        if scores.isinf().any():
            p, s, k = scores.isinf().nonzero()[0].tolist()
            raise DataError("a score is infinite", where=f"prompt {p}, sample {s}, objective {names[k]!r}")
        # Sorting puts nan last.
        ordered = scores.detach().sort(1).values
        return cls(ordered, tuple(names), keys, replace(origin, prompts=of_values(keys)))

    @cached_property
    def _place(self) -> dict[str, int]:
        return {key: place for place, key in enumerate(self.keys)}

    @cached_property
    def counts(self) -> Int[Tensor, "prompts objectives"]:
        """How many samples are known."""
        return (~self.samples.isnan()).sum(1)

    def prompts(self, keys: Sequence[str]) -> Int[Tensor, " answers"]:
        """Numbers of the prompts with these keys.

        Raises:
            DataError: if the reference was not sampled on one of them.
        """
        for row, key in enumerate(keys):
            if key not in self._place:
                raise DataError(
                    "the reference policy was not sampled on this prompt",
                    where=f"answer {row} of {len(keys)}; {len(self.keys):,} prompts are known",
                    fix="build the statistics from all prompts that are trained on, with the same system message",
                )
        return torch.tensor([self._place[key] for key in keys], dtype=torch.long, device=self.samples.device)

    def only(self, names: Sequence[str]) -> ReferenceStats:
        """The statistics of some objectives, in the order asked for.

        Raises:
            DataError: if the reference's samples were not judged by one of them.
        """
        for name in names:
            if name not in self.names:
                raise DataError(
                    f"the reference's samples have no scores of the objective {name!r}",
                    allowed=", ".join(self.names),
                    fix="build the statistics with the scorers of the recipe",
                )
        columns = [self.names.index(name) for name in names]
        return replace(self, samples=self.samples[:, :, columns], names=tuple(names))

    def quantile(self, level: float, keys: Sequence[str]) -> Float[Tensor, "answers objectives"]:
        """The quantile of each prompt, interpolated between neighbouring samples; ``nan`` without samples."""
        place = self.prompts(keys)
        at = level * (self.counts[place] - 1).clamp(min=0).to(self.samples.dtype)
        low, high = at.floor().long(), at.ceil().long()
        chosen = self.samples[place]
        first, second = (chosen.gather(1, index[:, None])[:, 0] for index in (low, high))
        return first + (at - low) * (second - first)

    def mean(self, keys: Sequence[str]) -> Float[Tensor, "answers objectives"]:
        """The mean of each prompt's samples; ``nan`` without samples."""
        return self.samples.nanmean(1)[self.prompts(keys)]

    def std(self, keys: Sequence[str]) -> Float[Tensor, "answers objectives"]:
        """The standard deviation of each prompt's samples, with n − 1; ``nan`` for fewer than two."""
        apart = (self.samples - self.samples.nanmean(1, keepdim=True)).square().nansum(1)
        spread = (apart / (self.counts - 1)).sqrt()
        return spread.masked_fill(self.counts < 2, torch.nan)[self.prompts(keys)]

    def overall(self) -> tuple[Float[Tensor, " objectives"], Float[Tensor, " objectives"]]:
        """Mean and standard deviation (n − 1) of each objective over all samples of all prompts."""
        flat = self.samples.flatten(0, 1)
        mean, count = flat.nanmean(0), (~flat.isnan()).sum(0)
        return mean, ((flat - mean).square().nansum(0) / (count - 1)).sqrt().masked_fill(count < 2, torch.nan)

    def cdf(self, values: Tensor, keys: Sequence[str]) -> Float[Tensor, "answers objectives"]:
        """Share of the prompt's samples below each value, plus half of those equal to it; ``nan`` without samples.

        Args:
            values: shape ``[N, K]``, in the order of ``names``; ``nan`` gives ``nan``.
            keys: N prompts.
        """
        place, found = self.prompts(keys), []
        for rows, own in zip(values.split(_ROWS_AT_ONCE), place.split(_ROWS_AT_ONCE), strict=True):
            samples = self.samples[own]
            beaten = (samples < rows[:, None]).sum(1) + 0.5 * (samples == rows[:, None]).sum(1)
            found.append(beaten.to(values.dtype) / self.counts[own].to(values.dtype))
        return torch.cat(found).masked_fill(values.isnan(), torch.nan)

    def through(self, change: Callable[[Rewards, Context], Rewards]) -> ReferenceStats:
        """The statistics of the same samples after a pointwise transform of their scores.

        A transform that follows another one then compares like with like.
        """
        prompts, count, objectives = self.samples.shape
        keys = tuple(key for key in self.keys for _ in range(count))
        flat = self.samples.reshape(-1, objectives)
        changed = change(Rewards.of(flat, self.names, ~flat.isnan()), Context(keys, self))
        return replace(
            self, samples=changed.values.reshape(prompts, count, -1).sort(1).values, names=changed.names
        )
