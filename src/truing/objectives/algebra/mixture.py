"""Two estimators of one gradient, mixed by a weight that is estimated in the run (BVPO, 2510.05095, theorem 2).

The mean squared error of α a + (1 − α) e to a gradient μ is smallest at

    α* = (|b_e|² + V_e − b_a·b_e − C) / (|b_a − b_e|² + V_a + V_e − 2C),

b the biases of both, V the traces of their covariances, C that of their cross-covariance. Of these a run can estimate
V, C and b_a − b_e. It cannot know μ, the gradient of the loss of the answers' own probabilities, which are sums over
all reasoning; so it knows neither b_a nor b_e, only how far they are apart. Here b_a is taken to be 0: the mean of a
over all reasoning that could have been sampled stands for μ. Then b_e = E[e] − E[a], and

    α* = 1 − (V_a − C) / E|a − e|²,

of which both parts have unbiased estimates from groups of records. The logarithm of a mean is not the mean of
logarithms, so b_a is not quite 0; what that costs is in the details of the claims about bvpo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ObjectiveError
from truing.objectives.algebra.margins import State
from truing.objectives.algebra.objective import Objective
from truing.objectives.algebra.scores import Batch, DataKind, Scores
from truing.objectives.algebra.term import Term, TermLoss

MIXTURE = "mixture"
"""What an objective requires whose mixing weight training estimates from gradients in all weights."""
GROUPS = 4
"""Groups of records of a batch whose gradients are compared."""
MOMENTUM = 0.9
"""Of the running means of both parts, once there are ten estimates; before, all count alike."""
EVERY, FIRST = 10, 10
"""An estimate is made at each of the first ten steps, then at every tenth."""


@dataclass(frozen=True)
class Mixed:
    """A term that counts with a share of the mixture, from the state.

    Args:
        term: one of the two losses.
        steady: whether it is the one without noise of its own, whose share is 1 − α.
    """

    term: Term
    steady: bool

    @property
    def requires(self) -> frozenset[str]:
        return self.term.requires | {MIXTURE}

    @property
    def data(self) -> frozenset[DataKind]:
        return self.term.data

    @property
    def part_data(self) -> Mapping[str, frozenset[DataKind]]:
        return self.term.part_data

    @property
    def coupling(self) -> str:
        return "batch" if self.term.coupling == "batch" else "auxiliary"

    @property
    def coupled(self) -> bool:
        return self.term.coupled

    @property
    def compares(self) -> bool:
        return self.term.compares

    def losses(self, scores: Scores, batch: Batch, state: State) -> TermLoss:
        found = self.term.losses(scores, batch, state)
        return found._replace(weights=found.weights * state["share"].to(found.weights))

    def denominator(self, batch: Batch, lengths: Float[Tensor, " sequences"]) -> Tensor:
        return self.term.denominator(batch, lengths)

    def init(self) -> dict[str, Tensor]:
        """Half of each, until the first estimate; the running parts of it are those of the noisy side."""
        zero = torch.zeros((), dtype=torch.float64)
        own = {"share": zero + 0.5}
        running = {} if self.steady else {name: zero.clone() for name in ("noise", "apart", "estimates", "steps")}
        return {**self.term.init(), **own, **running}

    def update(
        self, state: State, scores: Scores | None, batch: Batch, auxiliary: Scores | None, training: bool
    ) -> dict[str, Tensor]:
        return {**state, **self.term.update(state, scores, batch, auxiliary, training)}

    def report(self, state: State, names: Mapping[str, Sequence[str]]) -> dict[str, float]:
        own = {} if self.steady else {"mixing weight alpha": float(state["share"])}
        return {**self.term.report(state, names), **own}

    def text(self) -> str:
        return f"{'(1 − α̂)' if self.steady else 'α̂'}·({self.term.text()})"


def mixed(noisy: Objective, steady: Objective) -> Objective:
    """α̂ · noisy + (1 − α̂) · steady, each an objective of one term."""
    (one,), (other,) = ([term for _, term in side.terms] for side in (noisy, steady))
    terms = ((1.0, Mixed(one, False)), (1.0, Mixed(other, True)))
    return Objective(noisy.name, terms, noisy.reward, noisy.reward_scale)


def sides(objective: Objective) -> list[tuple[int, int]]:
    """Places of the noisy and of the steady term of every mixture.

    Raises:
        ObjectiveError: if a mixture stands inside another term, where its sides cannot be told apart.
    """
    places = [
        [n for n, (_, term) in enumerate(objective.terms) if isinstance(term, Mixed) and term.steady == steady]
        for steady in (False, True)
    ]
    if not places[0] or len(places[0]) != len(places[1]):
        raise ObjectiveError(
            f"in {objective.name!r} a mixing weight is to be estimated inside another term",
            fix="give alpha as a number, or leave the modifier out",
        )
    return list(zip(*places, strict=True))


def side(objective: Objective, place: int) -> Objective:
    """One side of a mixture by itself, by its place as :func:`sides` gives it."""
    term = objective.terms[place][1]
    assert isinstance(term, Mixed)
    return Objective(f"{objective.name}, one side", ((1.0, term.term),), None)


class Comparison:
    """Gradients of both sides for groups of records, of which two numbers are needed.

    Groups may differ in size: the variance of a group's mean is taken to fall with its share of the batch.
    """

    def __init__(self) -> None:
        self._noisy: Tensor | float = 0.0
        self._apart: Tensor | float = 0.0
        self._products = 0.0
        self._count = 0

    def add(self, noisy: Float[Tensor, " parameters"], steady: Float[Tensor, " parameters"], share: float) -> None:
        """The mean gradients of a group, and its share of the batch; all shares add up to 1."""
        noisy, apart = noisy.double(), noisy.double() - steady.double()
        self._noisy = self._noisy + share * noisy
        self._apart = self._apart + share * apart
        self._products += share * float(noisy @ apart)
        self._count += 1

    def found(self) -> tuple[float, float]:
        """V_a − C of the mean over the batch, and |a − e|² there; for two groups or more."""
        noisy, apart = torch.as_tensor(self._noisy), torch.as_tensor(self._apart)
        return (self._products - float(noisy @ apart)) / (self._count - 1), float(apart @ apart)


def due(state: State) -> bool:
    """Whether an estimate is made in the step that begins."""
    steps = int(state["steps"])
    return steps < FIRST or steps % EVERY == 0


def estimated(state: State, noise: float, apart: float) -> dict[str, Tensor]:
    """The noisy side's state after an estimate.

    Args:
        state: before it.
        noise: V_a − C.
        apart: |a − e|².
    """
    count = float(state["estimates"])
    keep = min(MOMENTUM, count / (count + 1))
    parts = {
        "noise": keep * state["noise"] + (1 - keep) * noise,
        "apart": keep * state["apart"] + (1 - keep) * apart,
    }
    share = weight(float(parts["noise"]), float(parts["apart"]))
    return {**state, **parts, "estimates": state["estimates"] + 1, "share": torch.full_like(state["share"], share)}


def weight(noise: float, apart: float) -> float:
    """α* in [0, 1] from V_a − C and E|a − e|²; a half where the two sides do not differ."""
    return min(max(1 - noise / apart, 0.0), 1.0) if apart > 0 else 0.5
