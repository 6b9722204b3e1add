"""Preference data from a world: all of it, weighted by its probability, or a sample.

With the exact forms the loss of an objective *is* its expectation, so that training is deterministic and
an optimum is exact up to the optimiser's tolerance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import torch
from jaxtyping import Int
from torch import Tensor

from truing.objectives.algebra import Batch
from truing.worlds.preferences import Table, Win, as_table


@dataclass(frozen=True)
class Data:
    """Answers and their roles.

    Args:
        items: the answer (prompt, output) of each sequence of the batch, shape ``[N, 2]``.
        batch: roles and weights.
        mismatched: one answer a record in which the output belongs to another prompt, shape ``[E, 2]``;
            ``None`` where there is no other prompt.
    """

    items: Int[Tensor, "sequences 2"]
    batch: Batch
    mismatched: Int[Tensor, "examples 2"] | None = None


def pairs(
    chosen: Sequence[int] | Tensor,
    rejected: Sequence[int] | Tensor,
    *,
    prompt: Sequence[int] | Tensor | None = None,
    weight: Sequence[float] | Tensor | None = None,
    **columns: Tensor,
) -> Data:
    """Pairs that are given one by one; ``prompt`` defaults to 0 and ``weight`` to 1."""
    better, worse = torch.as_tensor(chosen), torch.as_tensor(rejected)
    place = torch.zeros_like(better) if prompt is None else torch.as_tensor(prompt)
    weights = None if weight is None else torch.as_tensor(weight, dtype=torch.float64)
    items = torch.stack([torch.stack([place, better], -1), torch.stack([place, worse], -1)], 1).reshape(-1, 2)
    batch = Batch.pairs(len(better), weight=weights)
    return Data(items, replace(batch, columns=columns))


def exact_pairs(win: Win, sampler: Table | None = None) -> Data:
    """Every ordered pair of every prompt, weighted by the probability of drawing and labelling it so.

    Both outputs are drawn independently from ``sampler`` (uniform if left out), so an output also meets
    itself. Prompts are equally likely.
    """
    prompts, outputs, _ = win.shape
    draw = _draw(sampler, prompts, outputs)
    probability = draw[:, :, None] * draw[:, None, :] * win / prompts
    # Drawing (i, j) and (j, i) leads to the same comparison.
    prompt, chosen, rejected = torch.nonzero(probability, as_tuple=True)
    return pairs(chosen, rejected, prompt=prompt, weight=2 * probability[prompt, chosen, rejected])


def sample_pairs(
    wins: Win | Sequence[Win],
    count: int,
    seed: int,
    *,
    sampler: Table | None = None,
    shares: Sequence[float] | None = None,
    flip_rate: float = 0.0,
) -> Data:
    """``count`` independent pairs.

    Args:
        wins: what annotators prefer; several matrices stand for several kinds of annotators.
        count: number of pairs.
        seed: of all draws.
        sampler: what both outputs are drawn from; uniform if left out.
        shares: how frequent each kind of annotator is; equal if left out.
        flip_rate: probability that a label is exchanged after it was given.

    Returns:
        Data whose columns ``annotator`` and ``flipped`` say what no method is told.
    """
    kinds = [wins] if isinstance(wins, Tensor) else list(wins)
    generator = torch.Generator().manual_seed(seed)
    prompts, outputs, _ = kinds[0].shape
    draw = _draw(sampler, prompts, outputs)
    crowd = torch.ones(len(kinds), dtype=torch.float64) if shares is None else torch.tensor(shares).double()
    prompt = torch.randint(prompts, (count,), generator=generator)
    drawn = torch.multinomial(draw[prompt], 2, replacement=True, generator=generator)
    annotator = torch.multinomial(crowd, count, replacement=True, generator=generator)
    first, second = drawn.unbind(-1)
    prefers_first = torch.stack(kinds)[annotator, prompt, first, second]
    order = torch.rand(count, generator=generator, dtype=torch.float64) < prefers_first
    flip = torch.rand(count, generator=generator, dtype=torch.float64) < flip_rate
    shown = order ^ flip
    return pairs(
        torch.where(shown, first, second),
        torch.where(shown, second, first),
        prompt=prompt,
        annotator=annotator,
        flipped=flip,
    )


def exact_thumbs(up: Table, sampler: Table | None = None) -> Data:
    """Every answer with both verdicts, weighted by their probability.

    Args:
        up: probability of thumbs up.
        sampler: what the outputs are drawn from; uniform if left out.
    """
    prompts, outputs = up.shape
    draw = _draw(sampler, prompts, outputs)
    weight = torch.stack([up, 1 - up], -1) * draw[:, :, None] / prompts
    prompt, output, verdict = torch.nonzero(weight, as_tuple=True)
    return _thumbs(prompt, output, verdict == 0, prompts, weight[prompt, output, verdict])


def sample_thumbs(up: Table, count: int, seed: int, *, sampler: Table | None = None) -> Data:
    """``count`` independent answers with a verdict each."""
    generator = torch.Generator().manual_seed(seed)
    prompts, outputs = up.shape
    draw = _draw(sampler, prompts, outputs)
    prompt = torch.randint(prompts, (count,), generator=generator)
    output = torch.multinomial(draw[prompt], 1, generator=generator)[:, 0]
    liked = torch.rand(count, generator=generator, dtype=torch.float64) < up[prompt, output]
    return _thumbs(prompt, output, liked, prompts, None)


def rankings(reward: Table) -> Data:
    """One record a prompt, with all of its outputs and their rewards."""
    prompts, outputs = reward.shape
    items = torch.cartesian_prod(torch.arange(prompts), torch.arange(outputs)).reshape(-1, 2)
    return Data(items, Batch.ranked([outputs] * prompts, reward.reshape(-1).to(torch.float64)))


def sample_rankings(utility: Table, size: int, count: int, seed: int) -> Data:
    """``count`` rankings of ``size`` different outputs by Plackett–Luce; the reward is minus the rank.

    Adding standard Gumbel noise to the utilities and sorting draws from Plackett–Luce exactly.
    """
    generator = torch.Generator().manual_seed(seed)
    prompts, outputs = utility.shape
    prompt = torch.randint(prompts, (count,), generator=generator)
    shown = torch.rand((count, outputs), generator=generator).argsort(-1)[:, :size]
    uniform = torch.rand((count, size), generator=generator, dtype=torch.float64)
    noisy = utility[prompt[:, None], shown] - torch.log(-torch.log(uniform))
    rank = noisy.argsort(-1, descending=True).argsort(-1)
    items = torch.stack([prompt[:, None].expand(-1, size), shown], -1).reshape(-1, 2)
    return Data(items, Batch.ranked([size] * count, -rank.reshape(-1).double()))


def demonstrations(distribution: Table) -> Data:
    """Every output as a demonstration, weighted by ``distribution`` (rows sum to one)."""
    prompts = len(distribution)
    prompt, output = torch.nonzero(distribution, as_tuple=True)
    weight = distribution[prompt, output].to(torch.float64) / prompts
    batch = Batch.unpaired(torch.ones(len(prompt), dtype=torch.bool), weight=weight)
    return Data(torch.stack([prompt, output], -1), batch)


def beside(own: Data, **parts: Data) -> Data:
    """Records with parts beside them, see :class:`~truing.objectives.algebra.scores.Batch`.

    Args:
        own: the records.
        parts: as many records each, by the part's name; they count with the weights of ``own``.
    """
    sources = [own, *parts.values()]
    example = torch.cat([source.batch.example for source in sources])
    sizes = [len(source.items) for source in sources]
    placed = []
    for source, size, end in zip(sources, sizes, accumulate(sizes), strict=True):
        start = end - size
        placed.append(
            replace(
                source.batch,
                example=example,
                chosen=source.batch.chosen + start,
                rejected=source.batch.rejected + start,
                weight=own.batch.weight,
                own=torch.arange(start, end),
            )
        )
    batch = replace(placed[0], parts=dict(zip(parts, placed[1:], strict=True)))
    return Data(torch.cat([source.items for source in sources]), batch, own.mismatched)


def _thumbs(prompt: Tensor, output: Tensor, liked: Tensor, prompts: int, weight: Tensor | None) -> Data:
    # The same output under the next prompt: a mismatch whose law is that of the data.
    mismatched = torch.stack([(prompt + 1) % prompts, output], -1) if prompts > 1 else None
    batch = Batch.unpaired(liked, weight=weight)
    return Data(torch.stack([prompt, output], -1), batch, mismatched)


def _draw(sampler: Table | None, prompts: int, outputs: int) -> Table:
    if sampler is None:
        return torch.full((prompts, outputs), 1 / outputs, dtype=torch.float64)
    return as_table(sampler)
