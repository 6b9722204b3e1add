"""Answers that are right if they say a word as often as asked: to count, then to compare (for critiques, 2502.10391).

One body with two heads, both linear: the output head writes the count of an answer, the reward head reads answer and
critique. With one weight for each word and each number that is asked for, it can compare a count that it reads, and
cannot count by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from truing.objectives import Batch, Objective, Scores
from truing.objectives.algebra.critiques import CRITIQUE
from truing.rewards.algebra import Prompt, Rewards, Scorer

MOST, HIDDEN = 4, 6
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

    @property
    def answers(self) -> list[str]:
        """Chosen and rejected in turn."""
        return [text for pair in zip(self.chosen, self.rejected, strict=True) for text in pair]

    @property
    def asked(self) -> list[str]:
        """The prompt of each answer."""
        return [prompt for prompt in self.prompts for _ in range(2)]


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


def true_counts(answers: Sequence[str]) -> list[str]:
    """Critiques by people: how often each answer says the word."""
    return [f"count{answer.split().count('yes')}" for answer in answers]


@dataclass(frozen=True)
class Body:
    """Two heads on the sum of the states of the words that were read.

    Attributes:
        words: state of each word.
        critic: from the state after an answer, and a constant, to the logits of its count.
        score: from the state after answer and critique to the score, for each number that is asked for.
        temperature: of critiques; 0 writes the likeliest.
        shift: added to the count that is written: a model that is wrong.
    """

    words: Float[Tensor, "words hidden"]
    critic: Float[Tensor, "more counts"]
    score: Float[Tensor, "asked hidden"]
    temperature: float = 0.0
    shift: int = 0

    @classmethod
    def of(cls, weights: Sequence[Tensor]) -> Body:
        """From its weights, in the order of :attr:`weights`."""
        words, critic, score = weights
        return cls(words, critic, score)

    @property
    def weights(self) -> list[Tensor]:
        """States of words, output head and reward head."""
        return [self.words, self.critic, self.score]

    def logits(self, answers: Sequence[str]) -> Float[Tensor, "answers counts"]:
        """Of the count that is written."""
        states = _bag(answers) @ self.words
        return states @ self.critic[:-1] + self.critic[-1]

    def scores(self, asked: Sequence[Prompt], texts: Sequence[str]) -> Float[Tensor, " answers"]:
        """What the reward head says at the end of each text."""
        places = torch.tensor([int(str(prompt)) for prompt in asked])
        return ((_bag(texts) @ self.words) * self.score[places]).sum(1)

    def critiques(self, answers: Sequence[str], turn: int) -> list[str]:
        """What the output head writes."""
        logits = self.logits(answers)
        if self.temperature == 0:
            found = logits.argmax(1)
        else:
            draw = torch.Generator().manual_seed(turn)
            found = torch.multinomial(torch.softmax(logits / self.temperature, 1), 1, generator=draw)[:, 0]
        return [f"count{(int(n) + self.shift * (1 + place % MOST)) % (MOST + 1)}" for place, n in enumerate(found)]

    def at(self, turn: int) -> Scorer:
        """Scores after the model's own critiques."""
        return OwnCritiques(self, turn)


@dataclass(frozen=True)
class OwnCritiques:
    """Scores of a body that writes a critique of each answer, and reads it."""

    body: Body
    turn: int
    names: tuple[str, ...] = ("score",)

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        written = behind(completions, self.body.critiques(completions, self.turn))
        return Rewards.of(self.body.scores(prompts, written), self.names)


def behind(answers: Sequence[str], critiques: Sequence[str]) -> list[str]:
    """Answers with critiques behind them."""
    return [f"{answer} {critique}" for answer, critique in zip(answers, critiques, strict=True)]


def accuracy(scores: Float[Tensor, " answers"]) -> float:
    """Share of pairs in the right order, of chosen and rejected in turn; ties count one half."""
    gap = scores[0::2] - scores[1::2]
    return float((gap > 0).double().mean() + 0.5 * (gap == 0).double().mean())


def fresh(seed: int) -> Body:
    """A body that knows nothing."""
    draw = torch.Generator().manual_seed(seed)
    shapes = ((len(_WORDS), HIDDEN), (HIDDEN + 1, MOST + 1), (MOST + 1, HIDDEN))
    return Body.of([0.3 * torch.randn(shape, generator=draw, dtype=torch.float64) for shape in shapes])


def joint_scores(body: Body, data: Counted, *, critiques: bool = True) -> tuple[Scores, Batch]:
    """What an objective sees of pairs with people's critiques: one token of critique, and the score behind it.

    Without critiques the score is read behind the answers, and nothing is written.
    """
    answers, batch = data.answers, Batch.pairs(len(data.prompts))
    index = torch.arange(len(answers))
    if not critiques:
        values = body.scores(data.asked, answers)
        return Scores(torch.zeros_like(values).detach(), index, len(answers), values=values[:, None]), batch
    said = true_counts(answers)
    place = torch.tensor([_WORDS.index(word) - 2 for word in said])
    logps = body.logits(answers).log_softmax(1).gather(1, place[:, None])[:, 0]
    values = body.scores(data.asked, behind(answers, said))
    batch = replace(batch, per_sequence={CRITIQUE: torch.ones(len(answers), dtype=torch.float64)})
    return Scores(logps, index, len(answers), values=values[:, None]), batch


def trained(objective: Objective, data: Counted, seed: int, *, critiques: bool = True) -> Body:
    """A body that minimises an objective, with a little weight decay."""
    start = fresh(seed)
    weights = [own.clone().requires_grad_() for own in start.weights]

    def loss() -> Tensor:
        scores, batch = joint_scores(Body.of(weights), data, critiques=critiques)
        decay = 1e-4 * torch.stack([own.square().sum() for own in weights]).sum()
        return objective(scores, batch).loss + decay

    _minimise(weights, loss)
    return Body.of([own.detach() for own in weights])


def _minimise(weights: list[Tensor], loss: Callable[[], Tensor]) -> None:
    optimiser = torch.optim.LBFGS(weights, max_iter=40, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        found: Tensor = loss()
        found.backward()
        return found

    optimiser.step(closure)


def _bag(texts: Sequence[str]) -> Float[Tensor, "texts words"]:
    return _counts(tuple(texts))


@lru_cache(maxsize=256)
def _counts(texts: tuple[str, ...]) -> Float[Tensor, "texts words"]:
    """Asked for at every step of a fit, and so counted once."""
    return torch.tensor([[text.split().count(word) for word in _WORDS] for text in texts], dtype=torch.float64)
