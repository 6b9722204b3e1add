"""Best-of-n and soft best-of-n: draw n answers, score them, take the best, or one by what it is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import torch
from pydantic import Field

from truing.decoding.answers import Decoded
from truing.decoding.choosing import best, draw, hard_kl_bound, soft_kl_bound, soft_weights
from truing.decoding.engine import Tokens
from truing.decoding.foresight import Most, whole_answers
from truing.decoding.method import decoder
from truing.decoding.task import Task
from truing.parameters import NON_NEGATIVE, Doc
from truing.policies.generation import Sampling
from truing.registry import Paper

Count = Annotated[int, Field(gt=0, le=100_000), Doc("answers drawn for each prompt", "n >= 1")]
Softness = Annotated[
    float,
    NON_NEGATIVE,
    Doc("λ of soft best-of-n, in the reward's unit", "0 takes the best; large ones draw as the model does"),
]


@dataclass(frozen=True)
class BestOfN:
    """See :func:`best_of_n`."""

    n: int
    softness: float

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        task.valued("best-of-n")

    def most(self, task: Task) -> Most:
        """See :class:`~truing.decoding.foresight.Bounded`."""
        return whole_answers(task, draws(self.n, task.sampling))

    def __call__(self, task: Task) -> list[Decoded]:
        self.check(task)
        drawn = drawn_and_worth(task, self.n)
        generator = torch.Generator().manual_seed(task.sampling.seed)
        found = []
        for item, (answers, worth) in enumerate(drawn):
            weights = soft_weights(worth, self.softness)
            place = best(worth, generator) if self.softness == 0 else draw(weights, generator)
            candidates = [
                replace(candidate, weight=float(weight))
                for candidate, weight in zip(task.candidates(item, answers, worth.tolist()), weights, strict=True)
            ]
            bound = hard_kl_bound(len(answers)) if self.softness == 0 else soft_kl_bound(weights)
            notes = {
                "kl_bound": bound,
                "drawn": float(len(answers)),
                "distinct": float(len({candidate.text for candidate in candidates})),
            }
            found.append(Decoded(task.prompts[item], candidates[place], tuple(candidates), notes))
        return found


def draws(n: int, sampling: Sampling) -> int:
    """How many answers n of them are worth drawing: one where all would be equal."""
    return 1 if sampling.temperature == 0 or sampling.top_k == 1 else n


def drawn_and_worth(task: Task, n: int) -> list[tuple[list[Tokens], torch.Tensor]]:
    """Draw n answers to each prompt of a task, and what the rewards say of each; zeros where there are no rewards.

    Where all answers to a prompt would be equal, one is drawn.
    """
    n = draws(n, task.sampling)
    drawn = task.engine.sample(task.encoded, n, task.sampling)
    task.answer_tokens += sum(len(answer) for answers in drawn for answer in answers)
    items = [item for item, answers in enumerate(drawn) for _ in answers]
    texts = [task.text(item, answer) for item, answers in enumerate(drawn) for answer in answers]
    flat = torch.zeros(len(texts), dtype=torch.float64) if task.worth is None else task.worth(items, texts)
    return list(zip(drawn, flat.split(n), strict=True))


@decoder(
    name="best-of-n",
    slug="best-of-n",
    paper=Paper("Theoretical guarantees on the best-of-n alignment policy", 2024, "2401.01879"),
    summary="Draws n answers and gives the one that the reward likes best, or one in proportion to e^(reward/λ).",
    formula="y = argmax_i r(x, y_i);  soft: P(i) ∝ e^(r(x, y_i)/λ);  KL ≤ log n − (n − 1)/n",
    legend=(
        "n: answers drawn from the model",
        "r: the reward",
        "λ: softness; as n grows soft best-of-n tends to the tilt π_ref e^(r/λ)",
        "KL: of the answers that are given from those of the model, nats",
    ),
    use_when="A reward can be trusted on whole answers, and n times the cost of one answer can be paid. The baseline "
    "that every other method has to beat at the same cost.",
    avoid_when="The reward has errors and n is large: the best of many answers is then the one with the largest error. "
    "Use soft best-of-n, or qalign.",
    requires=("a reward",),
    cost="the prompt once, n answers, n rewards; one of each at temperature 0, where all would be equal",
    aliases=("bon", "soft-best-of-n"),
)
def best_of_n(n: Count = 16, softness: Softness = 0.0) -> BestOfN:
    """The best of n, ties at random."""
    return BestOfN(n, softness)
