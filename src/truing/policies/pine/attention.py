"""Attention in which parts of a prompt have no order of their own.

Every part sees every other one whole. Where another part stands, as rotary positions know it, follows from how much
attention it would get without positions, for each head and each part, and after the parts for each token: itself last,
then, going back, the most important of the others, and so on. The input's order does not enter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from truing.errors import ModelError
from truing.policies.pine.segments import Segments

NAME = "truing_pine"
_NUMBERS = 2**25
# Largest tensor of rotated keys: after the parts every token has keys of its own.

Rotate = Callable[[nn.Module, Float[Tensor, "batch tokens width"], Int[Tensor, "batch tokens"]], Tensor]


@dataclass(frozen=True)
class Reading:
    """What the attention of a pass has to know.

    Attributes:
        segments: of the prompt.
        rotate: turns states to positions as the model's own layer does.
    """

    segments: Segments
    rotate: Rotate


def register() -> None:
    """Make the attention known to transformers; calling it again changes nothing."""
    AttentionInterface.register(NAME, pine_attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)


def pine_attention(
    module: nn.Module,
    query: Float[Tensor, "one heads queries width"],
    key: Float[Tensor, "one key_heads keys width"],
    value: Float[Tensor, "one key_heads keys value_width"],
    attention_mask: Tensor | None,
    scaling: float | None = None,
    softcap: float | None = None,
    sliding_window: int | None = None,
    pine: Reading | None = None,
    **kwargs: Any,
) -> tuple[Float[Tensor, "one queries heads value_width"], None]:
    """Attention function in the form that transformers' models call; queries and keys are not rotated yet.

    Raises:
        ModelError: if the pass is none of a single prompt, read whole and then token by token.
    """
    _check(pine, query, key, sliding_window, kwargs)
    assert pine is not None
    own = _Layer(module, pine, key[0], value[0], query.shape[1], scaling or query.shape[-1] ** -0.5, softcap)
    queries, keys, end = query.shape[2], key.shape[2], pine.segments.end
    parts = []
    if queries == keys:
        parts = [own.prefix(query[0]), *own.parts(query[0])]
        query, queries = query[:, :, end:], keys - end
    parts.append(own.after(query[0], torch.arange(keys - queries, keys, device=query.device)))
    return torch.cat(parts, 1).transpose(0, 1)[None].contiguous(), None


class _Layer:
    """Keys and values of one layer, and what attends to them."""

    def __init__(
        self,
        module: nn.Module,
        reading: Reading,
        key: Float[Tensor, "key_heads keys width"],
        value: Tensor,
        heads: int,
        scale: float,
        softcap: float | None,
    ) -> None:
        self.module, self.reading, self.scale, self.softcap = module, reading, scale, softcap
        self.key, self.value = (states.repeat_interleave(heads // len(states), 0) for states in (key, value))
        layout = reading.segments
        self.region = slice(layout.start, layout.end)
        self.lengths, self.owner, self.base = (
            found.to(key.device) for found in (layout.lengths, layout.owner, layout.base)
        )

    def prefix(self, query: Float[Tensor, "heads queries width"]) -> Tensor:
        """Tokens before the parts: ordinary causal attention."""
        places = torch.arange(self.region.start, device=query.device).expand(len(query), -1)
        return self._attended(query[:, : self.region.start], self.region.start, places, places)

    def parts(self, query: Float[Tensor, "heads queries width"]) -> Iterator[Tensor]:
        """Tokens of the parts, one part after the other: causal in itself, everything else before it."""
        start = self.region.start
        for number, length in enumerate(self.lengths.tolist()):
            own = query[:, start : start + length]
            places = self._places(self._importance(own, number))
            at = slice(start, start + length)
            yield self._attended(own, self.region.stop, places[:, at], places)
            start += length

    def after(self, query: Float[Tensor, "heads queries width"], place: Int[Tensor, " queries"]) -> Tensor:
        """Tokens after the parts: each has an order of the parts of its own."""
        heads, _, width = query.shape
        keys = self.key.shape[1]
        found = []
        for some in torch.arange(len(place), device=place.device).split(
            max(1, _NUMBERS // (heads * keys * width))
        ):
            shares = self._shares(query[:, some], None)
            places = torch.arange(keys, device=place.device).expand(heads, len(some), -1).clone()
            places[..., self.region] = self.base - _shift(shares, self.lengths)[..., self.owner]
            rotated = self._rotated(
                self.key[:, None].expand(-1, len(some), -1, -1).reshape(-1, keys, width), places.reshape(-1, keys)
            ).unflatten(0, (heads, -1))
            turned = self._rotated(query[:, some], place[some].expand(heads, -1))
            logits = self._capped((turned[:, :, None] @ rotated.transpose(-1, -2))[:, :, 0])
            # The parts stand before every token that follows them, whatever their order.
            hidden = torch.arange(keys, device=place.device) > place[some][:, None]
            found.append(self._weighted(logits, hidden) @ self.value)
        return torch.cat(found, 1) if found else query.new_zeros(heads, 0, self.value.shape[-1])

    def _attended(self, query: Tensor, keys: int, of_queries: Tensor, of_keys: Tensor) -> Tensor:
        """Attention of tokens that share the places of the first ``keys`` keys, ``[heads, keys]``."""
        rotated = self._rotated(self.key[:, :keys], of_keys)
        logits = self._capped(self._rotated(query, of_queries) @ rotated.transpose(-1, -2))
        return self._weighted(logits, of_keys[:, None] > of_queries[..., None]) @ self.value[:, :keys]

    def _places(self, importance: Float[Tensor, "heads parts"]) -> Int[Tensor, "heads places"]:
        """Where every token up to the end of the parts stands, for one part's queries."""
        places = torch.arange(self.region.stop, device=importance.device).expand(len(importance), -1).clone()
        places[:, self.region] = self.base - _shift(importance, self.lengths)[:, self.owner]
        return places

    def _importance(self, query: Float[Tensor, "heads queries width"], own: int) -> Float[Tensor, "heads parts"]:
        """What each part's tokens get on average from one part's tokens; the part itself comes first."""
        found = self._shares(query, own).sum(1)
        found[:, own] = torch.inf
        return found

    def _shares(self, query: Tensor, own: int | None) -> Float[Tensor, "heads queries parts"]:
        """Attention without positions, among the parts, averaged over the tokens of each; float32."""
        logits = self._capped(query.float() @ self.key[:, self.region].float().transpose(-1, -2))
        if own is not None:
            logits = logits.masked_fill(self.owner == own, torch.finfo(logits.dtype).min)
        sums = logits.new_zeros(*logits.shape[:2], len(self.lengths))
        return sums.index_add(-1, self.owner, logits.softmax(-1)) / self.lengths

    def _capped(self, products: Tensor) -> Tensor:
        logits = products * self.scale
        return logits if self.softcap is None else self.softcap * torch.tanh(logits / self.softcap)

    def _weighted(self, logits: Tensor, hidden: Bool[Tensor, "*heads queries keys"]) -> Tensor:
        masked = logits.masked_fill(hidden, torch.finfo(logits.dtype).min)
        return masked.softmax(-1, dtype=torch.float32).to(logits.dtype)

    def _rotated(self, states: Tensor, places: Tensor) -> Tensor:
        return self.reading.rotate(self.module, states, places)


def _shift(
    importance: Float[Tensor, "*heads parts"], lengths: Int[Tensor, " parts"]
) -> Int[Tensor, "*heads parts"]:
    """How far before the end every part ends: the length of the parts that are more important."""
    order = torch.argsort(importance, dim=-1, descending=True, stable=True)
    sizes = lengths[order]
    return torch.zeros_like(sizes).scatter(-1, order, sizes.cumsum(-1) - sizes)


def _check(
    pine: Reading | None, query: Tensor, key: Tensor, sliding_window: int | None, further: dict[str, Any]
) -> None:
    if pine is None or further.get("tree_layout") is not None or further.get("decoding") is not None:
        raise ModelError(
            "parts without order are read by PositionInvariant alone",
            fix="use its logits, log_probs or answers, or model.generate inside `reading`",
        )
    if query.shape[0] != 1:
        raise ModelError(
            f"{query.shape[0]} prompts in one pass", allowed="one", fix="run them one after the other"
        )
    keys, end = key.shape[2], pine.segments.end
    if (query.shape[2] != keys and keys - query.shape[2] < end) or (query.shape[2] == keys and keys <= end):
        raise ModelError(
            f"a pass over {query.shape[2]} of {keys} tokens, where the parts end at {end}",
            allowed="the whole prompt in one pass, then what follows it",
        )
    if sliding_window and sliding_window < keys:
        raise ModelError(
            f"the model sees {sliding_window} tokens back, and the text has {keys}",
            allowed="texts that fit into the model's sliding window",
            fix="shorten the parts, or take a model without sliding windows",
        )
