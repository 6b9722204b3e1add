"""PINE (2407.01100): orders of parts, on random transformers, and against attention worked out token by token."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.pine_by_hand import logits_by_hand, random_decoder
from truing.policies.pine.segments import Segments

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy

Pine = Callable[..., Tensor]

METHOD = "pine"
_SOURCE = "2407.01100; catalogue, pine"
_WORLDS = 3


def _prompt(seed: int, sizes: tuple[int, ...] = (4, 2, 3)) -> Segments:
    generator = torch.Generator().manual_seed(seed)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(3, 40, (count,), generator=generator).tolist())

    return Segments(tokens(3), tuple(tokens(size) for size in sizes), tokens(2))


def _orders(prompt: Segments) -> list[Segments]:
    return [prompt.ordered(order) for order in itertools.permutations(range(len(prompt.parts)))]


def _plain(policy: CausalPolicy, prompts: list[Segments]) -> Tensor:
    with torch.no_grad():
        return torch.stack([policy.model(torch.tensor([prompt.ids])).logits[0, -1] for prompt in prompts])


def _spread(logits: Tensor) -> float:
    return float((logits - logits[:1]).abs().max())


@claim(
    method=METHOD,
    statement="In 3 random transformers of 2 layers the next token's logits are the same in all 6 orders of 3 parts: "
    "largest difference below 1e-5.",
    source=f"{_SOURCE}: evidence",
)
def no_order_matters(pine: Pine, seed: int) -> Measurement:
    worlds = range(_WORLDS * seed, _WORLDS * (seed + 1))
    return below(1e-5, max(_spread(pine(random_decoder(n), _orders(_prompt(n)))) for n in worlds), "logits")


@claim(
    method=METHOD,
    statement="The same transformers without it differ between orders by more than 0.01.",
    source=f"{_SOURCE}: evidence; what there is to remove",
)
def orders_matter_without_it(pine: Pine, seed: int) -> Measurement:
    prompts = [(random_decoder(n), _orders(_prompt(n))) for n in range(_WORLDS * seed, _WORLDS * (seed + 1))]
    plain = min(_spread(_plain(*given)) for given in prompts)
    mended = max(_spread(pine(*given)) for given in prompts)
    return above(0.01, plain if mended < plain / 100 else 0.0, "logits", mended=mended)


@claim(
    method=METHOD,
    statement="With one part, and with none, it is the model itself: largest difference of logits 0, within 1e-5.",
    source=f"{_SOURCE}: prefix-only or k = 1 equals the vanilla model",
)
def one_part_is_the_model(pine: Pine, seed: int) -> Measurement:
    policy = random_decoder(seed)
    prompts = [_prompt(seed, (5,)), _prompt(seed + 1, ())]
    return equals(0.0, float((pine(policy, prompts) - _plain(policy, prompts)).abs().max()), 1e-5, "logits")


@claim(
    method=METHOD,
    statement="A transformer of 2 layers, worked out token by token in float64 with positions assigned by hand, has "
    "the same logits for 2, 3 and 4 parts: largest difference 0, within 1e-4.",
    source=f"{_SOURCE}: steps 1 to 5",
)
def equals_the_sum_by_hand(pine: Pine, seed: int) -> Measurement:
    policy = random_decoder(seed)
    prompts = [_prompt(seed + n, sizes) for n, sizes in enumerate(((3, 2), (4, 2, 3), (1, 4, 2, 3)))]
    expected = torch.stack([logits_by_hand(policy, prompt) for prompt in prompts])
    return equals(0.0, float((pine(policy, prompts).double() - expected).abs().max()), 1e-4, "logits")
