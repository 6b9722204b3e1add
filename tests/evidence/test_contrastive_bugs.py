"""Claims about contrastive decoding fail on planted bugs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.decoding.contrastive.decoder import contrastive_decoding
from truing.decoding.contrastive.score import Contrast, plausible


def _with(kind: type[Contrast]) -> Callable[..., Any]:
    def build(**values: Any) -> Any:
        made = contrastive_decoding(**values)
        contrast = made.contrast
        return replace(
            made, contrast=kind(contrast.alpha, contrast.cut, contrast.form, contrast.amateur_temperature)
        )

    return build


@dataclass(frozen=True)
class _MaskAfter(Contrast):
    def __call__(self, expert: Tensor, amateur: Tensor) -> Tensor:
        scores = replace_cut(self)(expert, amateur)
        return scores.masked_fill(~plausible(scores.log_softmax(-1), self.cut), -torch.inf)


def replace_cut(contrast: Contrast) -> Contrast:
    return Contrast(contrast.alpha, 0.0, contrast.form, contrast.amateur_temperature)


@dataclass(frozen=True)
class _NoCut(Contrast):
    def __call__(self, expert: Tensor, amateur: Tensor) -> Tensor:
        return replace_cut(self)(expert, amateur)


@dataclass(frozen=True)
class _Turned(Contrast):
    def __call__(self, expert: Tensor, amateur: Tensor) -> Tensor:
        return super().__call__(amateur, expert)


@dataclass(frozen=True)
class _Plain(Contrast):
    def __call__(self, expert: Tensor, amateur: Tensor) -> Tensor:
        return Contrast(self.alpha, self.cut, "difference")(expert, amateur)


@dataclass(frozen=True)
class _Added(Contrast):
    def __call__(self, expert: Tensor, amateur: Tensor) -> Tensor:
        return (1 + self.alpha) * expert.log_softmax(-1) + self.alpha * amateur.log_softmax(-1)


def mask_after(**values: Any) -> Any:
    return _with(_MaskAfter)(**values)


def no_cut(**values: Any) -> Any:
    return _with(_NoCut)(**values)


def sides_exchanged(**values: Any) -> Any:
    return _with(_Turned)(**values)


def expert_counts_once(**values: Any) -> Any:
    return _with(_Plain)(**values)


def added(**values: Any) -> Any:
    return _with(_Added)(**values)


BUGS: dict[str, list[Callable[..., Any]]] = {
    "contrastive-decoding/nothing-to-contrast": [no_cut, sides_exchanged],
    "contrastive-decoding/a-shared-prior-goes": [added, sides_exchanged, expert_counts_once],
    "contrastive-decoding/the-implausible-stays-out": [mask_after, no_cut],
    "contrastive-decoding/guidance-is-the-same": [expert_counts_once, sides_exchanged],
}


@planted(BUGS)
def test_claim_fails_on_the_bug(name: str, bug: Callable[..., Any]) -> None:
    must_fail(name, bug)


def test_every_claim_is_paired_with_a_bug() -> None:
    assert claims_of("contrastive-decoding") == set(BUGS)
