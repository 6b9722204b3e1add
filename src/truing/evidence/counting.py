"""Answers that are right if they say a word as often as asked: to count, then to compare (for critiques, 2502.10391).

A critic learns to write the count. A score of small capacity, linear in the words for each number that is asked for,
can compare a count that it reads, and cannot count by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from truing.objectives import Batch, Scores, bradley_terry
from truing.rewards.algebra import Prompt, Rewards
from truing.rewards.judges.critique import with_critique

MOST = 6
_WORDS = ("yes", "no", *(f"count{n}" for n in range(MOST + 1)))


@dataclass(frozen=True)
class Counted:
    """Pairs of answers.

    Attributes:
        prompts: the number that is asked for, as text.
        chosen, rejected: answers; only the first says ``yes`` as often as asked.
    """

    prompts: list[str]
    chosen: list[str]
    rejected: list[str]


def counted_pairs(seed: int, count: int) -> Counted:
    """Random pairs; the wrong answer says the word once more or once less than asked."""
    draw = torch.Generator().manual_seed(seed)

    def number(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=draw))

    prompts, chosen, rejected = [], [], []
    for _ in range(count):
        asked, off = number(1, MOST - 1), 2 * number(0, 1) - 1
        prompts.append(str(asked))
        chosen.append(_answer(asked, number(0, 3)))
        rejected.append(_answer(asked + off, number(0, 3)))
    return Counted(prompts, chosen, rejected)


def _answer(yes: int, no: int) -> str:
    return " ".join(["yes"] * yes + ["no"] * no) or "no"


def count_of(answer: str) -> int:
    """How often an answer says the word."""
    return answer.split().count("yes")


@dataclass(frozen=True)
class LearnedCritic:
    """Writes a count; logits are linear in how often each word is said.

    Attributes:
        weights: of the logits, shape ``[3, MOST + 1]``; the last row is the constant.
        temperature: 0 writes the likeliest count.
        shift: added to what is written: a critic that is wrong.
    """

    weights: Float[Tensor, "three counts"]
    temperature: float = 0.0
    shift: int = 0

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str], turn: int) -> list[str]:
        logits = _said(completions) @ self.weights
        if self.temperature == 0:
            found = logits.argmax(1)
        else:
            draw = torch.Generator().manual_seed(turn)
            found = torch.multinomial(torch.softmax(logits / self.temperature, 1), 1, generator=draw)[:, 0]
        return [f"count{(int(n) + self.shift * (1 + place % MOST)) % (MOST + 1)}" for place, n in enumerate(found)]


@dataclass(frozen=True)
class LinearScore:
    """R = w_asked · counts of words: one weight for each word and each number that is asked for."""

    weights: Float[Tensor, "asked words"]
    names: tuple[str, ...] = ("score",)

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        return Rewards.of((self.weights[_asked(prompts)] * _bag(completions)).sum(1), self.names)


def learned_critic(data: Counted) -> LearnedCritic:
    """Maximum likelihood of people's critiques, which say the true count."""
    answers = [*data.chosen, *data.rejected]
    inputs, target = _said(answers), torch.tensor([count_of(text) for text in answers])
    weights = torch.zeros(3, MOST + 1, dtype=torch.float64, requires_grad=True)
    _minimise(weights, lambda: functional.cross_entropy(inputs @ weights, target) + 1e-5 * weights.square().sum())
    return LearnedCritic(weights.detach())


def learned_score(data: Counted, *, critiques: bool) -> LinearScore:
    """Bradley–Terry on pairs; with people's critiques after the answers, or without."""
    sides = [
        [with_critique(text, f"count{count_of(text)}") if critiques else text for text in texts]
        for texts in (data.chosen, data.rejected)
    ]
    texts = [text for pair in zip(*sides, strict=True) for text in pair]
    places, bag = _asked(data.prompts).repeat_interleave(2), _bag(texts)
    weights = torch.zeros(MOST + 1, len(_WORDS), dtype=torch.float64, requires_grad=True)
    index, nothing = torch.arange(len(texts)), torch.zeros(len(texts), dtype=torch.float64)
    objective, batch = bradley_terry(centre=0.0), Batch.pairs(len(data.prompts))

    def loss() -> Tensor:
        values = (weights[places] * bag).sum(1, keepdim=True)
        return (
            objective(Scores(nothing, index, len(texts), values=values), batch).loss
            + 1e-3 * weights.square().sum()
        )

    _minimise(weights, loss)
    return LinearScore(weights.detach())


def _minimise(weights: Tensor, loss: Callable[[], Tensor]) -> None:
    optimiser = torch.optim.LBFGS([weights], max_iter=80, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        found: Tensor = loss()
        found.backward()
        return found

    optimiser.step(closure)


def _asked(prompts: Sequence[Prompt]) -> Tensor:
    return torch.tensor([int(str(prompt)) for prompt in prompts])


def _bag(texts: Sequence[str]) -> Float[Tensor, "texts words"]:
    return torch.tensor([[text.split().count(word) for word in _WORDS] for text in texts], dtype=torch.float64)


def _said(answers: Sequence[str]) -> Float[Tensor, "answers three"]:
    bag = _bag(answers)[:, :2]
    return torch.cat([bag, torch.ones(len(bag), 1, dtype=torch.float64)], 1)
