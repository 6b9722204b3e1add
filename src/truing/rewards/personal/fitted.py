"""Rewards of known users, and of a new one from a few pairs."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import DataError
from truing.rewards.personal.comparisons import Comparisons
from truing.rewards.personal.ideal_points import IdealPoints

PRIOR = 3.0
"""Standard deviation of a user's logits before anything is known of them: the weights may be as good as one-hot."""


@dataclass(frozen=True)
class PersonalRewards:
    """A fitted model.

    Attributes:
        points: the network; frozen.
        names: of the users, in the order of its rows.
    """

    points: IdealPoints
    names: tuple[str, ...]

    @property
    def weights(self) -> Float[Tensor, "users prototypes"]:
        """What each prototype counts for each user; rows sum to 1."""
        return self.points.weights().detach()

    @torch.no_grad()
    def rewards(
        self,
        users: Sequence[str],
        prompts: Float[Tensor, "answers width"],
        answers: Float[Tensor, "answers width"],
    ) -> Float[Tensor, " answers"]:
        """R_u(x, y), nats; the difference of two answers to one prompt is the log-odds of the user's preference.

        Raises:
            DataError: if a user is not known.
        """
        own = Comparisons.of(users, answers, answers, prompts).numbers(self.names)
        found: Tensor = self.points(self.points.of_users(own), prompts, answers)
        return found

    @torch.no_grad()
    def log_odds(self, pairs: Comparisons) -> Float[Tensor, " pairs"]:
        """That each pair's user prefers the chosen answer, nats.

        Raises:
            DataError: if a user is not known.
        """
        weights = self.points.of_users(pairs.numbers(self.names))
        return self.points.log_odds(weights, pairs.prompts, pairs.chosen, pairs.rejected)

    def accuracy(self, pairs: Comparisons) -> float:
        """Share of pairs in the user's order."""
        return float((self.log_odds(pairs) > 0).double().mean())

    def with_user(self, name: str, pairs: Comparisons) -> PersonalRewards:
        """The same and one user more, whose weights alone are fitted: K − 1 numbers.

        What is minimised is the loss of the pairs and a normal prior on the logits, :data:`PRIOR`; a single pair
        therefore does not settle the weights.

        Args:
            name: of the new user.
            pairs: what the user chose; the names in them are not read.

        Raises:
            DataError: if there is a user of that name.
        """
        if name in self.names:
            raise DataError(f"there is a user {name!r} already", fix="choose another name, or fit all users anew")
        logits = fit_logits(self.points, pairs)
        points = copy.deepcopy(self.points)
        points.users = torch.nn.Parameter(torch.cat([points.users.detach(), logits[None]]), requires_grad=False)
        return PersonalRewards(points, (*self.names, name))


def fit_logits(points: IdealPoints, pairs: Comparisons) -> Float[Tensor, " prototypes"]:
    """Logits of one user's weights, everything else frozen, by L-BFGS from equal weights."""
    logits = torch.zeros_like(points.users[0]).requires_grad_()
    optimiser = torch.optim.LBFGS([logits], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        weights = points.mixture(logits).expand(len(pairs), -1)
        gaps = points.log_odds(weights, pairs.prompts, pairs.chosen, pairs.rejected)
        total: Tensor = points.loss(gaps).sum() + prior(logits)
        (logits.grad,) = torch.autograd.grad(total, [logits])
        return total

    optimiser.step(loss)
    return logits.detach()


def prior(logits: Tensor) -> Tensor:
    """Minus the log-density of logits under the prior, up to a constant."""
    return logits.square().sum() / (2 * PRIOR**2)
