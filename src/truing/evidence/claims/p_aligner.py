"""P-Aligner (2508.04626) in landscapes of tags whose worth is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import WORLDS
from truing.prompting.aligner.align import Search, training_row
from truing.prompting.aligner.rewriting import read_question, reply_of
from truing.prompting.transform import PromptTransform, Shown
from truing.worlds.rewrites import PRINCIPLES, TASKS, Landscape, random_best, rewrite

Make = Callable[..., Search]

_SOURCE = "2508.04626; catalogue, p-aligner: evidence"
_ITERATIONS, _DEPTH = 60, 4


def _search(make: Make, landscape: Landscape, seed: int, **settings: Any) -> Search:
    """A model's answer is its question; its reward is the landscape's, with noise."""
    draw = np.random.default_rng(seed)

    def score(originals: Sequence[Any], answers: Sequence[str], contexts: Sequence[Any]) -> list[float]:
        return [landscape.value(answer) + landscape.noise * draw.normal() for answer in answers]

    values = {"iterations": _ITERATIONS, "depth": _DEPTH, "exploration": 0.3, "seed": seed, **settings}
    return make(rewriter=rewrite, sampler=_echo, reward=score, principles=PRINCIPLES, **values)


def _echo(shown: Sequence[Shown], draw: int = 0) -> list[str]:
    return [str(one.prompt) for one in shown]


@claim(
    method="p-aligner",
    statement="The result is never worth less than the original, for which it may always be left: in 20 "
    "landscapes, half "
    "of them without any helpful rewrite, the least gain is above -1e-12, and where nothing helps all originals "
    "stay.",
    source=f"{_SOURCE}: value(x*) >= value(root) always",
)
def never_worse_than_the_original(make: Make, seed: int) -> Measurement:
    gains = []
    for number in range(WORLDS):
        landscape = Landscape.random(WORLDS * seed + number, noise=0.0, helps=number % 2 == 0)
        (shown,) = _search(make, landscape, number)([Shown.of("sort")])
        gain = landscape.value(str(shown.prompt)) - landscape.value("sort")
        gains.append(gain if number % 2 == 0 or shown.prompt == "sort" else -1.0)
    return above(-1e-12, min(gains), "reward", gains=gains)


@claim(
    method="p-aligner",
    statement="With 60 noisy evaluations the search finds words of a higher true worth than the best of 40 "
    "random chains "
    "of rewrites: the difference is above 0 (40 landscapes).",
    source=f"{_SOURCE}: MCTS against random search at equal evaluations",
)
def better_than_random_chains(make: Make, seed: int) -> Measurement:
    gaps = []
    for number in range(2 * WORLDS):
        landscape = Landscape.random(100 + 2 * WORLDS * seed + number)
        (shown,) = _search(make, landscape, number)([Shown.of("sort")])
        draw = np.random.default_rng(1000 + number)
        other = random_best(landscape, "sort", _ITERATIONS, _DEPTH, draw)
        gaps.append(landscape.value(str(shown.prompt)) - landscape.value(other))
    return above(0.0, gaps, "reward")


@claim(
    method="p-aligner",
    statement="A rewrite into an easier question, whose answers are good answers to it and none to what was "
    "asked, is not "
    "taken: share of 20 questions whose task stays is 1.",
    source=f"{_SOURCE}; pitfall: scoring the answer against the rewritten text",
)
def an_easier_question_does_not_win(make: Make, seed: int) -> Measurement:
    def easier(text: str, principle: str) -> str | None:
        return "greet" if principle == "p0" else rewrite(text, principle)

    def score(originals: Sequence[Any], answers: Sequence[str], contexts: Sequence[Any]) -> list[float]:
        # Greetings are easy: ten where one was asked for. Anything else answers its own task alone.
        return [
            (10.0 if original == "greet" else 1.0) if answer.split()[0] == str(original).split()[0] else 0.0
            for original, answer in zip(originals, answers, strict=True)
        ]

    search = make(
        rewriter=easier, sampler=_echo, reward=score, principles=PRINCIPLES, iterations=20, depth=2, seed=seed
    )
    asked = [Shown.of(f"{TASKS[number % len(TASKS)]} item{number}") for number in range(20)]
    kept = [
        str(one.prompt).split()[0] == str(one.original).split()[0] and one.original == before.original
        for one, before in zip(search(asked), asked, strict=True)
    ]
    return equals(1.0, float(np.mean(kept)), 0.0, "share")


class _Learned:
    """A rewriter that learned from rows which tags results have: it adds those that most of them have."""

    name = "learned"

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        replies = [str(read_question(row["completion"][0]["content"])) for row in rows]
        self._tags = [tag for tag in PRINCIPLES if np.mean([tag in text.split() for text in replies]) > 0.5]

    def __call__(self, questions: Sequence[Any], read: Callable[[str], Any]) -> list[Any]:
        asked = [messages[-1]["content"].split("\n")[1] for messages in questions]
        return [
            read(reply_of(" ".join([text, *(t for t in self._tags if t not in text.split())]))) for text in asked
        ]


@claim(
    method="p-aligner-rewriter",
    statement="A rewriter that learned from rows of a search raises the true worth of held-out questions by more "
    "than 0 "
    "in each of 5 landscapes, while at least 0.95 of them keep their task.",
    source=f"{_SOURCE}: lift on held-out questions with intent accuracy of at least 95 %",
)
def the_rewriter_lifts_held_out_questions(make: Callable[..., PromptTransform], seed: int) -> Measurement:
    from truing.prompting.prompts import p_aligner

    lifts, kept = [], []
    for number in range(5):
        landscape = Landscape.random(300 + 5 * seed + number, noise=0.1)
        search = _search(p_aligner, landscape, number)
        train = [Shown.of(f"{TASKS[item % len(TASKS)]} train{item}") for item in range(6)]
        rewriter = make(model=_Learned([training_row(one, search.search(one)) for one in train]))
        asked = [Shown.of(f"{TASKS[item % len(TASKS)]} held{item}") for item in range(20)]
        shown = rewriter(asked)
        lifts += [min(landscape.value(str(one.prompt)) - landscape.value(str(one.original)) for one in shown)]
        kept += [str(one.prompt).split()[:2] == str(one.original).split()[:2] for one in shown]
    share = float(np.mean(kept))
    return above(0.0, min(lifts) if share >= 0.95 else -1.0, "reward", lifts=lifts, kept=share)
