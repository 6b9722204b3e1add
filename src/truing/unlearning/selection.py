"""The share of weights with the largest scores, over all tensors together.

The threshold is found by counting, tensor by tensor: the bits of a float32 that is not negative, read as an integer,
have the order of the floats, so that two counts over 2^16 bins each (upper bits, then lower bits) give it exactly.
Nothing is sorted, and all scores are never in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from truing.errors import TruingError

Mask = Mapping[str, Tensor]
"""True where a weight may change, by the name of the parameter."""

_HALF = 16
_CHUNK = 2**24


def select(scores: Mapping[str, Tensor], keep: float) -> dict[str, Tensor]:
    """A mask of the weights with the largest |score|.

    Args:
        scores: by the name of the parameter; compared as float32.
        keep: share of all weights, above 0 and at most 1. Their number is rounded, and at least 1. It is exact: of
            weights with the same score at the threshold the first are taken, in the order of the tensors.

    Raises:
        TruingError: if the share is out of range, there are no scores, or one is not a number.
    """
    if not 0 < keep <= 1:
        raise TruingError(
            f"the share of weights to select is {keep:g}", where="keep", allowed="above 0, at most 1"
        )
    total = sum(value.numel() for value in scores.values())
    if total == 0:
        raise TruingError("there are no scores to select from", where="scores")
    threshold, ties = _threshold(scores, max(1, round(keep * total)))
    mask = {}
    for name, value in scores.items():
        parts = []
        for bits in _bits(name, value):
            part = bits > threshold
            equal = torch.nonzero(bits == threshold)[:ties, 0]
            part[equal] = True
            ties -= len(equal)
            parts.append(part)
        mask[name] = torch.cat(parts).reshape(value.shape) if parts else torch.zeros(value.shape, dtype=torch.bool)
    return mask


def density(mask: Mask) -> dict[str, float]:
    """Share of weights that may change, for each tensor and under ``"all"`` for all together."""
    found = {name: float(value.double().mean()) for name, value in mask.items() if value.numel()}
    total = sum(value.numel() for value in mask.values())
    return found | {"all": sum(int(value.sum()) for value in mask.values()) / total if total else float("nan")}


def _threshold(scores: Mapping[str, Tensor], wanted: int) -> tuple[int, int]:
    """The wanted-th largest value as bits, and how many of those equal to it are to be taken."""
    upper, wanted = _bin(scores, wanted, lambda bits: bits >> _HALF)
    lower, wanted = _bin(scores, wanted, lambda bits: bits[bits >> _HALF == upper] & (2**_HALF - 1))
    return (upper << _HALF) + lower, wanted


def _bin(scores: Mapping[str, Tensor], wanted: int, digit: Callable[[Tensor], Tensor]) -> tuple[int, int]:
    """The bin in which the wanted-th largest lies, and which one of that bin it is."""
    counts = torch.zeros(2**_HALF, dtype=torch.int64)
    for name, value in scores.items():
        for bits in _bits(name, value):
            counts += torch.bincount(digit(bits), minlength=2**_HALF).cpu()
    above = counts.flip(0).cumsum(0)
    place = int(torch.searchsorted(above, wanted))
    before = int(above[place - 1]) if place else 0
    return 2**_HALF - 1 - place, wanted - before


def _bits(name: str, value: Tensor) -> Iterator[Tensor]:
    """The sizes of the scores as integers of the same order, in parts."""
    for part in value.detach().reshape(-1).split(_CHUNK) if value.numel() else ():
        size = part.float().abs().contiguous()
        if bool(torch.isnan(size).any()):
            raise TruingError("a score is not a number", where=name)
        yield size.view(torch.int32).long()
