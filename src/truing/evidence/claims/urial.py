"""URIAL (2312.01552): where a tuned copy departs from its base, and prompts of constant examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from truing.diagnostics.token_shift import TokenShift
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import WORLDS
from truing.prompting.transform import PromptTransform, Shown
from truing.worlds.style import STYLE, style_tuned

Audit = Callable[..., TokenShift]

_SOURCE = "2312.01552, section 2; catalogue, urial: evidence"


def _shifts(audit: Audit, seed: int) -> list[TokenShift]:
    worlds = [style_tuned(WORLDS * seed + number) for number in range(WORLDS)]
    return [audit(world.aligned, world.base, world.tokens) for world in worlds]


@claim(
    method="token-shift",
    statement="A model beside itself has rank 1 at every token of its greedy answers and a KL of 0 nats everywhere, in "
    "10 worlds: share of other ranks plus KL is 0 within 1e-12.",
    source=_SOURCE,
)
def a_model_beside_itself(audit: Audit, seed: int) -> Measurement:
    apart = []
    for number in range(WORLDS):
        world = style_tuned(WORLDS * seed + number, push=0.0)
        found = audit(world.aligned, world.base, world.tokens)
        apart.append(1 - found.unshifted.value + max(part.kl.value for part in found.positions))
    return equals(0.0, max(apart), 1e-12, "share + nats")


@claim(
    method="token-shift",
    statement="Of the tokens of a copy that was tuned for style more than 0.5 are the base's own choice (10 worlds).",
    source=_SOURCE,
)
def most_tokens_are_the_bases_own(audit: Audit, seed: int) -> Measurement:
    found = _shifts(audit, seed)
    return above(
        0.5, [shift.unshifted.value for shift in found], "share", shifted=[s.shifted.value for s in found]
    )


@claim(
    method="token-shift",
    statement="Shifted tokens are words of the planted style more often than tokens are: the difference of the two "
    "shares is above 0 (10 worlds).",
    source=_SOURCE,
)
def shifted_tokens_are_those_of_the_style(audit: Audit, seed: int) -> Measurement:
    gaps = []
    for number, shift in enumerate(_shifts(audit, seed)):
        moved = sum(row.shifted for row in shift.most_shifted)
        styled = sum(row.shifted for row in shift.most_shifted if row.token < STYLE)
        rate = float((style_tuned(WORLDS * seed + number).tokens < STYLE).mean())
        gaps.append(styled / moved - rate if moved else float("nan"))
    return above(0.0, gaps, "share")


@claim(
    method="token-shift",
    statement="A style that comes in at the beginning is found there: from each range of positions to the next, KL "
    "falls by more than 0 nats in the mean of 10 worlds.",
    source=f"{_SOURCE}; the shift declines with t",
)
def the_shift_declines(audit: Audit, seed: int) -> Measurement:
    curves = np.array([[part.kl.value for part in shift.positions] for shift in _shifts(audit, seed)])
    falls = -np.diff(curves.mean(0))
    return above(0.0, float(falls.min()), "nats per token", curve=curves.mean(0).tolist())


@claim(
    method="urial",
    statement="A continuer of texts that writes its answer, the closing fence and then a query of its own is read as "
    "its answer alone, whether questions and answers hold fences or not: share read right is 1 (200 questions).",
    source="2312.01552, section 3: stop at the next query, or at the closing fence",
)
def the_answer_is_what_stands_in_the_fence(make: Callable[..., PromptTransform], seed: int) -> Measurement:
    draw = np.random.default_rng(seed)
    right = []
    for shown, answer in _asked(make, draw):
        # What a base model does: it closes the block as the others were closed, and goes on with the record.
        fence = shown.prompt.rstrip("\n").rpartition("\n")[2] if isinstance(shown.prompt, str) else ""
        spilt = f"{answer}\n{fence}\n\n# Query:\n{fence}\nAnd what else?\n{fence}\n"
        right.append(shown.answer(spilt) == answer)
    return equals(1.0, float(np.mean(right)), 0.0, "share")


def _asked(make: Callable[..., PromptTransform], draw: np.random.Generator) -> list[tuple[Shown, str]]:
    found = []
    for number in range(200):
        code = f"\n```\nprint({number})\n```" if draw.random() < 0.5 else ""
        (shown,) = make(examples=1)([Shown.of(f"What does number {number} do?{code}")])
        found.append((shown, f"It prints {number}.{code}"))
    return found


@claim(
    method="urial",
    statement="What stands in front of a question is the same for all questions, so that its states can be kept: of 50 "
    "questions of letters the prompts share 1 prefix, which holds all K = 3 examples.",
    source="2312.01552, section 3: constant examples",
)
def the_prefix_is_constant(make: Callable[..., PromptTransform], seed: int) -> Measurement:
    draw = np.random.default_rng(seed)
    asked = ["".join(draw.choice(list("abcdefgh "), 12)) for _ in range(50)]
    shown: list[Any] = [one.prompt for one in make(examples=3)([Shown.of(text) for text in asked])]
    heads = {
        prompt.partition(f"\n{text}\n")[0]
        for prompt, text in zip(shown, asked, strict=True)
        if f"\n{text}\n" in prompt
    }
    whole = all(head.count("# Answer:") == 3 for head in heads)
    return equals(1.0, float(len(heads)) if whole else float("nan"), 0.0, "prefixes")
