"""Questions with tags, each added by one principle; hidden weights say what each tag is worth to the answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PRINCIPLES = tuple(f"p{number}" for number in range(12))
TASKS = ("sort", "sum", "plan", "tell")


@dataclass(frozen=True)
class Landscape:
    """What answers are worth.

    Attributes:
        weights: of each tag; most of them are harmful.
        bonus: for two tags together, by their numbers.
        noise: standard deviation of one evaluation.
    """

    weights: tuple[float, ...]
    bonus: tuple[tuple[int, int, float], ...]
    noise: float

    @classmethod
    def random(cls, seed: int, *, noise: float = 0.2, helps: bool = True) -> Landscape:
        """Four tags help and eight harm; two pairs of helpful ones help more together.

        Args:
            seed: of the weights.
            noise: of one evaluation.
            helps: whether any tag helps at all.
        """
        draw = np.random.default_rng(seed)
        signs = draw.permutation([1.0] * 4 + [-1.0] * 8) if helps else -np.ones(12)
        weights = signs * draw.uniform(0.3, 1.0, 12)
        good = [int(number) for number in np.flatnonzero(signs > 0)]
        pairs = [(good[0], good[1]), (good[2], good[3])] if helps else []
        return cls(tuple(map(float, weights)), tuple((a, b, 0.7) for a, b in pairs), noise)

    def value(self, text: str) -> float:
        """Expected reward of answers to a question in these words, as answers to the original."""
        tags = {int(word[1:]) for word in text.split()[1:] if word in PRINCIPLES}
        together = sum(bonus for a, b, bonus in self.bonus if {a, b} <= tags)
        return sum(self.weights[tag] for tag in tags) + together


def rewrite(text: str, principle: str) -> str | None:
    """Adds the principle's tag, once."""
    return None if principle in text.split() else f"{text} {principle}"


def random_best(landscape: Landscape, text: str, evaluations: int, depth: int, draw: np.random.Generator) -> str:
    """The baseline: random chains of rewrites, each evaluated once; the best of them, or the original."""
    best, words = landscape.value(text) + landscape.noise * draw.normal(), text
    for _ in range(evaluations):
        made = text
        for place in draw.permutation(len(PRINCIPLES))[: draw.integers(1, depth + 1)]:
            made = rewrite(made, PRINCIPLES[int(place)]) or made
        seen = landscape.value(made) + landscape.noise * draw.normal()
        if seen > best:
            best, words = seen, made
    return words
