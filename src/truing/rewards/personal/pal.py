"""PAL (2406.08469): one reward model for people of different tastes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from truing.parameters import NON_NEGATIVE, POSITIVE, Doc
from truing.registry import Paper
from truing.rewards.method import personal_reward
from truing.rewards.personal.comparisons import Comparisons
from truing.rewards.personal.fitted import PersonalRewards, prior
from truing.rewards.personal.ideal_points import IdealPoints, Loss, Score, Variant


@dataclass(frozen=True)
class Pal:
    """How ideal points are fitted.

    Args:
        prototypes, dim, variant, score, hidden, dropout, loss, temperature, gumbel: see :class:`IdealPoints`.
        epochs, batch, learning_rate, decay: of AdamW, whose rate falls to 0 along a cosine.
        seed: of first weights, order, dropout and Gumbel noise.
    """

    prototypes: int
    dim: int
    variant: Variant
    score: Score
    hidden: int
    dropout: float
    epochs: int
    batch: int
    learning_rate: float
    decay: float
    seed: int
    loss: Loss
    temperature: float
    gumbel: bool

    def untrained(self, width: int, users: int) -> IdealPoints:
        """The network with first weights; the global random state is left as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return IdealPoints(
                width,
                users,
                prototypes=self.prototypes,
                dim=self.dim,
                variant=self.variant,
                score=self.score,
                hidden=self.hidden,
                dropout=self.dropout,
                loss=self.loss,
                temperature=self.temperature,
                gumbel=self.gumbel,
            )

    def fit(self, pairs: Comparisons) -> PersonalRewards:
        """Prototypes, the map of answers, and all users' weights together.

        Minimises the mean loss of R_u(x, y_w) − R_u(x, y_l), and the prior of :mod:`.fitted` on users' logits.
        """
        names = pairs.names
        points = self.untrained(pairs.width, len(names)).to(pairs.chosen.dtype)
        points.standardise(torch.cat([pairs.chosen, pairs.rejected]))
        users, count = pairs.numbers(names), len(pairs)
        maps = [own for name, own in points.named_parameters() if name.startswith(("items", "prototypes.maps"))]
        rest = [own for own in points.parameters() if all(own is not other for other in maps)]
        groups = [{"params": maps, "weight_decay": self.decay}, {"params": rest, "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, lr=self.learning_rate)
        steps = self.epochs * -(-count // self.batch)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            points.train()
            for _ in range(self.epochs):
                for rows in torch.randperm(count).split(self.batch):
                    optimiser.zero_grad()
                    _loss(points, pairs, users, rows).backward()
                    optimiser.step()
                    schedule.step()
        return PersonalRewards(points.eval().requires_grad_(False), names)


def _loss(points: IdealPoints, pairs: Comparisons, users: Tensor, rows: Tensor) -> Tensor:
    gaps = points.log_odds(
        points.of_users(users[rows]), pairs.prompts[rows], pairs.chosen[rows], pairs.rejected[rows]
    )
    return points.loss(gaps).mean() + prior(points.users) / len(pairs)


def parameters_of(points: nn.Module) -> int:
    """How many numbers were learned."""
    return sum(own.numel() for own in points.parameters())


@personal_reward(
    name="pal",
    slug="pal",
    paper=Paper(
        "PAL: Pluralistic Alignment Framework for Learning from Heterogeneous Preferences", 2024, "2406.08469"
    ),
    summary="Every user's taste is a mixture of a few shared ideal points on a frozen model's states; a new user is "
    "learned from a handful of pairs.",
    formula="R_u(x, y) = −‖f(e(x, y)) − Σ_k w_uk p_k‖, w_u = softmax(a_u/T), "
    "fitted by −log σ(R_u(x, y_w) − R_u(x, y_l))",
    legend=(
        "e: mean state of the answer under a frozen language model",
        "f: a learned map",
        "p_k: prototype, a point (variant a) or a function of the prompt (variant b)",
        "w_u: weights of user u, on the simplex",
    ),
    use_when="People who label disagree for good reasons, rows say who labelled, and rewards are wanted for each of "
    "them, or for somebody new with few labels.",
    avoid_when="Nothing says who labelled, or everybody has few labels and the same taste: one shared model "
    "(prototypes: 1) then knows as much from the same data.",
    requires=("pairs", "column annotator", "frozen language model"),
    cost="one forward pass of the frozen model over the data; seconds to minutes to fit",
)
def pal(
    prototypes: Annotated[
        int,
        Field(ge=1, le=64),
        Doc("shared tastes, K", "1 <= prototypes <= 64; with 1 all users share one reward model"),
    ] = 2,
    dim: Annotated[int, Field(ge=1), Doc("of the space of preferences", "dim >= 1")] = 16,
    variant: Annotated[Variant, Doc("prototypes are points (a) or functions of the prompt (b)", "a or b")] = "a",
    score: Annotated[Score, Doc("how near an answer is to the ideal", "distance or angle")] = "distance",
    hidden: Annotated[
        int, NON_NEGATIVE, Doc("width of the hidden layer of f", "hidden >= 0; 0 for a linear map")
    ] = 0,
    dropout: Annotated[
        float, Field(ge=0, lt=1), Doc("after the hidden layer", "0 <= dropout < 1; without effect if hidden is 0")
    ] = 0.5,
    epochs: Annotated[int, Field(gt=0), Doc("passes over the pairs", "epochs > 0")] = 60,
    batch: Annotated[int, Field(gt=0), Doc("pairs in one step", "batch > 0")] = 128,
    learning_rate: Annotated[float, POSITIVE, Doc("of AdamW", "learning_rate > 0")] = 0.01,
    decay: Annotated[
        float,
        NON_NEGATIVE,
        Doc("weight decay of the maps", "decay >= 0; pairs are few, states are wide"),
    ] = 1.0,
    seed: Annotated[int, Field(ge=0), Doc("seed of the fit", "a whole number of at least 0")] = 0,
    loss: Annotated[
        Loss,
        Doc(
            "logistic: rewards are log-odds; hinge: max(0, 1 − lead), after which a pair counts no more",
            "one of them",
        ),
    ] = "logistic",
    temperature: Annotated[
        float, POSITIVE, Doc("T, what users' logits are divided by", "temperature > 0; small ones part users")
    ] = 1.0,
    gumbel: Annotated[
        bool,
        Doc("whether training draws users' weights with Gumbel noise; it takes more epochs then", "true or false"),
    ] = False,
) -> Pal:
    """2406.08469. Prototypes live in the space of preferences; alternating updates are made as joint ones.

    The temperature is not learned: logits are free, so that it would be learned twice.
    """
    fitting = (epochs, batch, learning_rate, decay, seed)
    return Pal(prototypes, dim, variant, score, hidden, dropout, *fitting, loss, temperature, gumbel)
