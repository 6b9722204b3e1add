"""Majority and weighted vote over sampled answers (2203.11171), and the least risky answer for open text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from truing.decoding.answers import Candidate, Decoded
from truing.decoding.best_of_n import Count, drawn_and_worth, draws
from truing.decoding.choosing import best, risks, soft_weights, tally
from truing.decoding.final_answers import READINGS
from truing.decoding.foresight import Most, whole_answers
from truing.decoding.method import decoder
from truing.decoding.task import Task
from truing.errors import DataError, RecipeError
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper

Ballot = Literal["equal", "exp", "sigmoid", "reward"]
Weighing = Annotated[
    Ballot,
    Doc(
        "what an answer counts: equal; exp: e^(r/beta); sigmoid: σ(r); reward: r itself, a probability",
        "equal, exp, sigmoid or reward; all but equal need rewards",
    ),
]
Result = Literal["number", "option", "boxed", "text", "similarity"]
Of = Annotated[
    Result,
    Doc(
        "what is counted: the final number, the option's letter, what is boxed, the whole text, or similarity of "
        "open texts (minimum Bayes risk)",
        "number, option, boxed, text or similarity",
    ),
]
Beta = Annotated[float, POSITIVE, Doc("β of e^(r/β), in the reward's unit", "beta > 0")]


@dataclass(frozen=True)
class Vote:
    """See :func:`vote`."""

    n: int
    by: Ballot
    of: Result
    beta: float

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        if self.by != "equal":
            task.valued(f"a vote weighed by {self.by!r}")

    def most(self, task: Task) -> Most:
        """See :class:`~truing.decoding.foresight.Bounded`."""
        return whole_answers(task, draws(self.n, task.sampling))

    def __call__(self, task: Task) -> list[Decoded]:
        self.check(task)
        generator = torch.Generator().manual_seed(task.sampling.seed)
        found = []
        for item, (answers, worth) in enumerate(drawn_and_worth(task, self.n)):
            values = worth.tolist() if task.worth is not None else [-torch.inf] * len(answers)
            weights = ballots(self.by, worth, self.beta)
            candidates = [
                replace(candidate, weight=float(weight))
                for candidate, weight in zip(task.candidates(item, answers, values), weights, strict=True)
            ]
            place, notes = elected(candidates, weights, self.of, generator)
            notes["drawn"] = float(len(answers))
            found.append(Decoded(task.prompts[item], candidates[place], tuple(candidates), notes))
        return found


def ballots(by: Ballot, worth: Float[Tensor, " answers"], beta: float) -> Float[Tensor, " answers"]:
    """What each answer counts; those whose reward is not known count nothing; where nothing counts, all do alike.

    Raises:
        DataError: if rewards are to count as they are, and one is no probability.
    """
    if by == "equal":
        return torch.ones_like(worth)
    if by == "exp":
        return soft_weights(worth, beta)
    found = _as_they_are(worth) if by == "reward" else torch.where(worth > -torch.inf, worth.sigmoid(), 0.0)
    return found if float(found.sum()) > 0 else torch.ones_like(worth)


def _as_they_are(worth: Float[Tensor, " answers"]) -> Float[Tensor, " answers"]:
    known = worth > -torch.inf
    wrong = known & ((worth < 0) | (worth > 1))
    if bool(wrong.any()):
        raise DataError(
            f"a reward of {float(worth[wrong][0]):g} cannot count as it is: one below 0 would count against its answer",
            allowed="rewards from 0 to 1",
            fix="use by: exp or by: sigmoid",
        )
    return torch.where(known, worth, 0.0)


def elected(
    candidates: Sequence[Candidate],
    weights: Float[Tensor, " answers"],
    of: Result,
    generator: torch.Generator,
) -> tuple[int, dict[str, float]]:
    """The place of the elected answer, and numbers on the vote.

    Ties between classes are broken by the sum of rewards, then at random. Of a class the answer with the best reward
    is given.
    """
    rewards = torch.tensor([-torch.inf if c.reward is None else c.reward for c in candidates], dtype=torch.float64)
    if of == "similarity":
        from truing.decoding.likeness import words_shared

        texts = [candidate.text for candidate in candidates]
        loss = risks(words_shared(texts), weights)
        return best(-loss, generator), {"risk": float(loss.min())}
    read = READINGS[of]
    classes = tally([read(candidate.text) for candidate in candidates], weights)
    if not classes:
        return best(rewards, generator), {"share": 0.0, "unread": 1.0, "classes": 0.0}
    top = [entry for entry in classes if entry[1] >= classes[0][1] - 1e-12]
    sums = torch.tensor([float(rewards[rows].nan_to_num(neginf=0.0).sum()) for _, _, rows in top])
    _, weight, rows = top[best(sums, generator)]
    place = rows[best(rewards[rows], generator)]
    unread = 1 - sum(len(members) for _, _, members in classes) / len(candidates)
    total = sum(entry[1] for entry in classes)
    return place, {"share": weight / total if total else 0.0, "unread": unread, "classes": float(len(classes))}


@decoder(
    name="vote",
    slug="vote",
    paper=Paper("Self-Consistency Improves Chain of Thought Reasoning in Language Models", 2022, "2203.11171"),
    summary="Draws n answers and gives the one whose final result most of them share, each counting what its reward "
    "says; for open text the answer that is most like the others.",
    formula="argmax_a Σ_i w_i 1[a(y_i) = a];  open text: argmin_i Σ_j w_j (1 − sim(y_i, y_j))",
    legend=(
        "a: the final result of an answer; answers without one have no vote",
        "w: 1, e^(r/β), σ(r), or r itself",
        "sim: share of words in common, ROUGE-1 F",
        "β: as it falls to 0 the vote by e^(r/β) becomes best-of-n",
    ),
    use_when="Answers end in a number, an option or a few words, and the right one is what the model says most often.",
    avoid_when="The model is more often wrong than right in the same way: more votes then make the wrong answer surer. "
    "A reward that outweighs these odds helps (by: exp).",
    requires=("answers with a final result, or texts of one language",),
    cost="the prompt once, n answers; n rewards unless all count alike; one answer at temperature 0",
    aliases=("self-consistency", "majority-vote", "weighted-vote", "mbr"),
)
def vote(n: Count = 16, by: Weighing = "equal", of: Of = "number", beta: Beta = 1.0) -> Vote:
    """The class of answers that counts most.

    Raises:
        RecipeError: if β is set where nothing depends on it.
    """
    if by != "exp" and beta != 1.0:
        raise RecipeError("beta has no effect", where="decode.beta", allowed="by: exp", fix="remove beta")
    return Vote(n, by, of, beta)
