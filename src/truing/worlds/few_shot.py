"""A query under sets of demonstrations, a teacher that sees all about them, and a student that hears one number.

What a set shows is a vector of features. The teacher's answer depends on it in two ways: one direction makes the gold
answer likelier, another one, at a right angle to it, decides between two wrong answers and does so more strongly. The
student is the teacher with all features but one direction taken away: it can hear what makes the gold answer likelier,
what decides between the wrong ones, or some of both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from truing.objectives import Batch, Objective, Scores
from truing.policies.distributions import FUNCTIONALS

GOLD = 0
FEATURES = 4
_LEAD, _STRENGTH = -0.3, 3.0


@dataclass(frozen=True)
class Classroom:
    """A teacher and sets of demonstrations.

    Attributes:
        gold: unit vector; features along it make the gold answer likelier.
        wrong: unit vector at a right angle; features along it decide between the wrong answers.
        train, held_out: features of the sets of every query, ``[Q, N, F]``.
    """

    gold: Float[Tensor, " features"]
    wrong: Float[Tensor, " features"]
    train: Float[Tensor, "queries sets features"]
    held_out: Float[Tensor, "queries sets features"]

    @classmethod
    def random(cls, seed: int, queries: int = 40, sets: int = 4) -> Classroom:
        """A teacher and queries, drawn from a seed."""
        generator = torch.Generator().manual_seed(seed)

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        gold, wrong = torch.linalg.qr(normal(FEATURES, 2)).Q.T
        return cls(gold, wrong, normal(queries, sets, FEATURES), normal(queries, sets, FEATURES))

    def log_probs(self, features: Tensor) -> Float[Tensor, "... answers"]:
        """The teacher's."""
        return _answers(features @ self.gold, features @ self.wrong)

    def student(self, angle: float, features: Tensor) -> Float[Tensor, "... answers"]:
        """Of a student that hears cos(angle) of what matters for the gold answer, and sin(angle) of the rest."""
        share = math.cos(angle), math.sin(angle)
        heard = features @ (share[0] * self.gold + share[1] * self.wrong)
        return _answers(share[0] * heard, share[1] * heard)

    def extremes(self) -> tuple[Tensor, Tensor]:
        """Features of the teacher's best and worst set of every training query, each ``[Q, F]``."""
        scores = self.log_probs(self.train)[..., GOLD]
        rows = torch.arange(len(scores))
        return self.train[rows, scores.argmax(1)], self.train[rows, scores.argmin(1)]


def _answers(gold: Tensor, wrong: Tensor) -> Tensor:
    # The two wrong answers have one mass in all, so that only ``gold`` says how likely the gold one is.
    split = [functional.logsigmoid(sign * _STRENGTH * wrong) for sign in (1, -1)]
    return torch.log_softmax(torch.stack([gold + _LEAD, *split], -1), -1)


def batch_of(room: Classroom, own: Float[Tensor, "sequences answers"]) -> tuple[Scores, Batch]:
    """What the objective sees: queries under better sets as records, under worse ones as the part ``worse``.

    Args:
        room: with the teacher.
        own: the student's log-probabilities under the better and the worse set of each query, in turn.
    """
    theirs = room.log_probs(torch.stack(room.extremes(), 1).flatten(0, 1))
    count = len(own) // 2
    place, none = torch.arange(count), torch.arange(0)
    scores = Scores(
        own[:, GOLD],
        torch.arange(2 * count),
        2 * count,
        derived={"kl:truing/tiny": FUNCTIONALS["kl"](own, theirs)},
    )
    example = place.repeat_interleave(2)
    worse = Batch(example, count, 2 * place + 1, none, paired=False, own=2 * place + 1)
    margin = torch.ones(count, dtype=torch.float64)
    better = Batch(
        example, count, 2 * place, none, paired=False, own=2 * place, margin=margin, parts={"worse": worse}
    )
    return scores, better


def taught(objective: Objective, room: Classroom, angles: int = 13) -> float:
    """The angle at which the objective is least, of several from 0 to 90 degrees, radians."""
    features = torch.stack(room.extremes(), 1).flatten(0, 1)
    grid = [math.pi / 2 * number / (angles - 1) for number in range(angles)]
    return min(grid, key=lambda angle: float(objective(*batch_of(room, room.student(angle, features))).loss))


def agreement(room: Classroom, angle: float) -> tuple[float, float]:
    """On held-out queries: Kendall's tau between the orders of sets, mean over queries; and the student's accuracy."""
    own = room.student(angle, room.held_out)
    first, second = (
        torch.sign(values[:, :, None, GOLD] - values[:, None, :, GOLD])
        for values in (own, room.log_probs(room.held_out))
    )
    pairs = own.shape[1] * (own.shape[1] - 1)
    tau = float((first * second).sum((1, 2)).mean() / pairs)
    return tau, float((own.argmax(-1) == GOLD).double().mean())
