"""Drawing tokens for answers that each have settings and random numbers of their own."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

# Numbers that are drawn at a time.
_AHEAD = 64
# Below this temperature logits would become infinite.
COLDEST = 1e-6
# Two to the power of 64 by the golden ratio: choices of one seed are far from those of its neighbours.
_APART = 0x9E3779B97F4A7C15


class Luck:
    """Random numbers of one answer, which depend on seed, choice and place alone.

    The first choice meets the numbers with which :class:`~truing.policies.group_sampling.GroupSampler` draws the first
    answer to a prompt.

    Args:
        seed: of the request, any whole number.
        choice: number of the answer.
    """

    def __init__(self, seed: int, choice: int) -> None:
        mixed = (seed + choice * _APART) % 2**64
        self._generator = torch.Generator().manual_seed(mixed - 2**64 if mixed >= 2**63 else mixed)
        self._ahead: list[float] = []

    def __call__(self) -> float:
        """The next one, uniform in [0, 1)."""
        if not self._ahead:
            drawn = torch.rand(_AHEAD, generator=self._generator, dtype=torch.float64)
            self._ahead = drawn.flip(0).tolist()
        return self._ahead.pop()


def chosen_each(
    logits: Float[Tensor, "rows vocabulary"],
    luck: Float[Tensor, " rows"],
    temperature: Float[Tensor, " rows"],
    top_p: Float[Tensor, " rows"],
    top_k: Int[Tensor, " rows"],
) -> Int[Tensor, " rows"]:
    """As :func:`~truing.policies.group_sampling.chosen`, with settings of each row's own.

    Args:
        logits: of the next tokens.
        luck: drawn uniformly from [0, 1).
        temperature: 0, or next to nothing, takes the likeliest token.
        top_p: probability of the likeliest tokens that are drawn from; 1 for all.
        top_k: number of them; 0 for all.
    """
    found = torch.empty_like(top_k)
    greedy = (temperature < COLDEST).nonzero()[:, 0]
    if len(greedy):
        found[greedy] = logits[greedy].argmax(-1)
    drawn = (temperature >= COLDEST).nonzero()[:, 0]
    if not len(drawn):
        return found
    kept = logits[drawn].float()
    most = torch.where(top_k[drawn] > 0, top_k[drawn], kept.shape[1]).clamp(max=kept.shape[1])
    cut = (most < kept.shape[1]).nonzero()[:, 0]
    if len(cut):
        least = kept[cut].topk(int(most[cut].max())).values.gather(1, most[cut][:, None] - 1)
        kept[cut] = kept[cut].masked_fill(kept[cut] < least, -torch.inf)
    laws = (kept / temperature[drawn][:, None].float()).softmax(-1)
    nucleus = top_p[drawn] < 1
    tokens = torch.empty_like(drawn)
    whole = (~nucleus).nonzero()[:, 0]
    if len(whole):
        tokens[whole] = _inverted(laws[whole], luck[drawn][whole])
    part = nucleus.nonzero()[:, 0]
    if len(part):
        ordered, places = laws[part].sort(-1, descending=True)
        ordered = ordered * ((ordered.cumsum(-1) - ordered) < top_p[drawn][part][:, None].float())
        place = _inverted(ordered, luck[drawn][part])
        tokens[part] = places.gather(1, place[:, None])[:, 0]
    return found.index_copy(0, drawn, tokens)


def _inverted(laws: Float[Tensor, "rows vocabulary"], luck: Float[Tensor, " rows"]) -> Int[Tensor, " rows"]:
    """Where the sums of probabilities pass the numbers."""
    heaps = laws.double().cumsum(-1)
    found = torch.searchsorted(heaps, (luck * heaps[:, -1])[:, None], right=True)
    return found.clamp(max=heaps.shape[1] - 1)[:, 0]
