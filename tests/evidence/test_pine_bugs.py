"""Claims about PINE fail on planted bugs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.judging.pine.protocol import pine
from truing.policies.pine import attention
from truing.policies.pine.segments import Segments

_shift = attention._shift
_shares = attention._Layer._shares


def plain(policy: Any, prompts: Sequence[Segments]) -> Tensor:
    with torch.no_grad():
        return torch.stack([policy.model(torch.tensor([prompt.ids])).logits[0, -1] for prompt in prompts])


def always_the_given_order(policy: Any, prompts: Sequence[Segments]) -> Tensor:
    def given(importance: Tensor, lengths: Tensor) -> Tensor:
        return (lengths.sum() - lengths.cumsum(0)).expand(importance.shape)

    with mock.patch.object(attention, "_shift", given):
        return pine(policy, prompts)


def the_most_important_farthest(policy: Any, prompts: Sequence[Segments]) -> Tensor:
    def reversed_(importance: Tensor, lengths: Tensor) -> Tensor:
        return _shift(torch.where(importance.isinf(), importance, -importance), lengths)

    with mock.patch.object(attention, "_shift", reversed_):
        return pine(policy, prompts)


def long_parts_win(policy: Any, prompts: Sequence[Segments]) -> Tensor:
    def sums(self: Any, query: Tensor, own: int | None) -> Tensor:
        return _shares(self, query, own) * self.lengths

    with mock.patch.object(attention._Layer, "_shares", sums):
        return pine(policy, prompts)


def the_part_itself_counts(policy: Any, prompts: Sequence[Segments]) -> Tensor:
    def unmasked(self: Any, query: Tensor, own: int | None) -> Tensor:
        return _shares(self, query, None)

    with mock.patch.object(attention._Layer, "_shares", unmasked):
        return pine(policy, prompts)


def everything_at_one_place(policy: Any, prompts: Sequence[Segments]) -> Tensor:
    with mock.patch.object(attention, "_shift", lambda importance, lengths: torch.zeros_like(importance).long()):
        return pine(policy, prompts)


def part_is_reversed(policy: Any, prompts: Sequence[Segments]) -> Tensor:
    turned = [Segments(one.prefix, tuple(part[::-1] for part in one.parts), one.suffix) for one in prompts]
    return pine(policy, turned)


BUGS: dict[str, list[Callable[..., Any]]] = {
    "pine/no-order-matters": [plain, always_the_given_order],
    "pine/orders-matter-without-it": [plain],
    "pine/one-part-is-the-model": [part_is_reversed],
    "pine/equals-the-sum-by-hand": [
        the_most_important_farthest,
        long_parts_win,
        the_part_itself_counts,
        everything_at_one_place,
    ],
}


@planted(BUGS)
def test_claim_fails_on_the_bug(name: str, bug: Callable[..., Any]) -> None:
    must_fail(name, bug)


def test_every_claim_is_paired_with_a_bug() -> None:
    assert claims_of("pine") == set(BUGS)
