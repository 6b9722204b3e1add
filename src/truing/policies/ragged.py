"""Keys and values of answers that do not keep step: each may be cut back, copied, and go on by itself."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from truing.policies.decoding import Decoding, LayerMemory

# Places that are added at a time where an answer outgrows what is there.
_CHUNK = 32


class Ragged(Decoding):
    """As :class:`~truing.policies.decoding.Decoding`, for answers of different lengths.

    Cutting an answer back costs nothing: what lies behind its last token is hidden, and is written over.

    Args:
        places: where the tokens of each prompt lie in the first pass.
        count: answers to each.
        device: of the model.
    """

    def __init__(self, places: Sequence[Int[Tensor, " tokens"]], count: int, device: torch.device) -> None:
        super().__init__(places, count, _CHUNK, device)
        self.place = torch.full_like(self.prompt, -1)
        self._longest = 0

    @property
    def longest(self) -> int:
        return self._longest

    @property
    def positions(self) -> Int[Tensor, "rows one"]:
        return (self.lengths[self.prompt] + self.place)[:, None]

    def advance(self, going: Bool[Tensor, " rows"]) -> None:
        """Make room for one token of every answer; of those that do not go on it is not remembered."""
        self.place = self.place + 1
        self._longest = int(self.place.max()) + 1
        self._room(self._longest)
        self._kept = torch.where(going, self.place, self.place - 1)

    def settle(self) -> None:
        """After the forward pass: forget the token of answers that did not go on."""
        self.place = self._kept

    def take(self, rows: Int[Tensor, " taken"]) -> Ragged:
        """These answers, each as often as it is named; what becomes of them does not change the others."""
        found = copy.copy(self)
        found.prompt, found.place = self.prompt[rows], self.place[rows]
        found.slot, found.count = _slots(found.prompt)
        found._longest = int(found.place.max()) + 1 if len(rows) else 0
        found._layers = {
            number: LayerMemory(layer.prompt_keys, layer.prompt_values, layer.keys[rows], layer.values[rows])
            for number, layer in self._layers.items()
        }
        return found

    def keep(self, going: Int[Tensor, " going"]) -> None:
        """Forget all other answers."""
        self.__dict__.update(self.take(going).__dict__)

    def join(self, other: Ragged) -> None:
        """Remember also the answers of ``other``, to prompts of their own, which stand behind those that are here."""
        self.prompt = torch.cat([self.prompt, other.prompt + len(self.lengths)])
        self.slot, self.count = torch.cat([self.slot, other.slot]), max(self.count, other.count)
        self.place = torch.cat([self.place, other.place])
        self._longest = max(self._longest, other._longest)
        self._know(torch.cat([self.lengths, other.lengths]))
        self._layers = {number: _stacked(layer, other._layers[number]) for number, layer in self._layers.items()}

    def forget(self) -> Int[Tensor, " kept"]:
        """Forget prompts that no answer is to. Returns the numbers that the others had."""
        kept: Tensor = self.prompt.unique()
        self.prompt = torch.searchsorted(kept, self.prompt)
        self._know(self.lengths[kept])
        longest, room = self._beyond.shape[1], self._longest + _CHUNK
        self._layers = {
            number: LayerMemory(
                layer.prompt_keys[kept, ..., :longest],
                layer.prompt_values[kept, :, :longest],
                layer.keys[:, :, :room],
                layer.values[:, :, :room],
            )
            for number, layer in self._layers.items()
        }
        return kept

    @property
    def size(self) -> tuple[int, int]:
        """Places of its longest prompt, and those that each of its answers has."""
        layer = next(iter(self._layers.values()))
        return self._beyond.shape[1], layer.keys.shape[2]

    def _know(self, lengths: Int[Tensor, " prompts"]) -> None:
        self.lengths = lengths
        place = torch.arange(int(lengths.max()), device=lengths.device)
        self._beyond = place[None, :] >= lengths[:, None]

    def put(self, rows: Int[Tensor, " put"], other: Ragged) -> None:
        """Let these answers be as those of ``other``, one each, to the same prompts."""
        self._room(other._longest)
        self.place[rows] = other.place
        self._longest = int(self.place.max()) + 1
        for number, layer in self._layers.items():
            theirs = other._layers[number]
            layer.keys[rows, :, : other._longest] = theirs.keys[:, :, : other._longest]
            layer.values[rows, :, : other._longest] = theirs.values[:, :, : other._longest]

    def cut(self, lengths: Int[Tensor, " rows"]) -> None:
        """Keep only the first tokens of every answer."""
        self.place = lengths - 1
        self._longest = int(lengths.max()) if len(lengths) else 0

    def _room(self, needed: int) -> None:
        for layer in self._layers.values():
            lacking = needed - layer.keys.shape[2]
            if lacking > 0:
                more = layer.keys.new_zeros(*layer.keys.shape[:2], lacking + _CHUNK, layer.keys.shape[3])
                layer.keys = torch.cat([layer.keys, more], 2)
                more = layer.values.new_zeros(*layer.values.shape[:2], lacking + _CHUNK, layer.values.shape[3])
                layer.values = torch.cat([layer.values, more], 2)

    def _remember(
        self, layer: LayerMemory, key: Float[Tensor, "rows heads width"], value: Float[Tensor, "rows heads width"]
    ) -> None:
        rows = torch.arange(len(key), device=key.device)
        layer.keys[rows, :, self.place] = key
        layer.values[rows, :, self.place] = value

    def _to_come(self, step: Int[Tensor, " steps"]) -> Bool[Tensor, "rows steps"]:
        return step > self.place[:, None]


def _stacked(one: LayerMemory, other: LayerMemory) -> LayerMemory:
    return LayerMemory(
        _padded(one.prompt_keys, other.prompt_keys, 3),
        _padded(one.prompt_values, other.prompt_values, 2),
        _padded(one.keys, other.keys, 2),
        _padded(one.values, other.values, 2),
    )


def _padded(one: Tensor, other: Tensor, side: int) -> Tensor:
    """Both, one after the other, the narrower one filled up with zeros, which are hidden from everything."""
    shape = list(one.shape)
    shape[0], shape[side] = len(one) + len(other), max(one.shape[side], other.shape[side])
    found = one.new_zeros(shape)
    found[: len(one)].narrow(side, 0, one.shape[side]).copy_(one)
    found[len(one) :].narrow(side, 0, other.shape[side]).copy_(other)
    return found


def _slots(prompt: Int[Tensor, " rows"]) -> tuple[Int[Tensor, " rows"], int]:
    """A number for each answer among those to its prompt, and how many the most have."""
    order = prompt.argsort(stable=True)
    grouped = prompt[order]
    first = torch.searchsorted(grouped, grouped)
    slot = torch.empty_like(prompt)
    slot[order] = torch.arange(len(prompt), device=prompt.device) - first
    return slot, int(slot.max()) + 1 if len(slot) else 0
