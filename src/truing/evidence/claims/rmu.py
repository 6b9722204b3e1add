"""RMU (2403.03218): where the states of one layer go."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, below, equals
from truing.evidence.setups import normals
from truing.objectives import Batch, Objective, Scores
from truing.policies.state_targets import RETENTION, StateTarget, asked, unit_vector

HIDDEN, TOKENS = 8, 12
LAYER, LENGTH = 1, 5.0


@dataclass(frozen=True)
class Layer:
    """One linear layer, and answers of three tokens: the first half is to be forgotten, the second to be kept.

    Attributes:
        inputs: of the layer at every token, shape ``[2 TOKENS, features]``.
        weights: before training, shape ``[features, HIDDEN]``.
        seed: of the direction.
    """

    inputs: Tensor
    weights: Tensor
    seed: int

    @classmethod
    def apart(cls, seed: int) -> Layer:
        """What is to be forgotten and what is to be kept use features of their own."""
        blocks = normals(seed, 2, TOKENS, TOKENS) + 4 * torch.eye(TOKENS, dtype=torch.float64)
        return cls(torch.block_diag(*blocks), normals(seed + 1, 2 * TOKENS, HIDDEN), seed)

    def scores(self, weights: Tensor, objective: Objective) -> Scores:
        """Scores with the distances that the objective asks for; the log-probabilities say nothing."""
        states = self.inputs @ weights
        frozen = self.inputs @ self.weights
        flat = -torch.ones(2 * TOKENS, dtype=torch.float64)
        sequence = torch.arange(2 * TOKENS) // 3
        found = {}
        for name in objective.requires:
            one = asked(name.removeprefix("derived:"))
            if one is not None:
                aim = frozen if one.kind == RETENTION else one.coefficient * unit_vector(HIDDEN, self.seed)
                found[one.name] = StateTarget(one.name, one.layer, aim).distance(states)
        return replace(Scores(flat, sequence, 2 * TOKENS // 3), derived=found)

    def trained(self, objective: Objective, start: float = 0.0) -> Tensor:
        """States of all tokens at the optimum, from weights that are ``start`` above the reference's."""
        weights = (self.weights + start).requires_grad_()
        optimizer = torch.optim.LBFGS([weights], max_iter=500, line_search_fn="strong_wolfe", tolerance_grad=1e-10)

        def closure() -> float:
            optimizer.zero_grad()
            loss = objective(self.scores(weights, objective), _batch()).loss
            loss.backward()
            return float(loss.detach())

        optimizer.step(closure)
        return self.inputs @ weights.detach()


def _batch() -> Batch:
    """Records with an unwanted answer each, and an answer of the part ``retain`` beside it."""
    count = TOKENS // 3
    own = torch.arange(count)
    kept = Batch(torch.cat([own, own]), count, own + count, own[:0], paired=False, own=own + count)
    return Batch(torch.cat([own, own]), count, own[:0], own, paired=False, own=own, parts={"retain": kept})


def _objective(make: Factory) -> Objective:
    return make(layer=LAYER, coefficient=LENGTH, alpha=2.0)


@claim(
    method="rmu",
    statement="In a linear layer with features of their own for both sets, the states on what is to be forgotten end "
    "at the length that is asked for: 5, the mean over 12 tokens.",
    source="2403.03218, section 4: the forget loss has its minimum at c·u",
)
def reaches_the_length(make: Factory, seed: int) -> Measurement:
    astray = Layer.apart(seed).trained(_objective(make))[:TOKENS]
    return equals(LENGTH, float(astray.norm(dim=-1).mean()), 1e-3, "length of a state")


@claim(
    method="rmu",
    statement="In the same worlds all of them point the same way: 1 minus the mean cosine between two is below 0.001.",
    source="2403.03218, section 4: u is held fixed throughout training",
)
def one_direction(make: Factory, seed: int) -> Measurement:
    astray = Layer.apart(seed).trained(_objective(make))[:TOKENS]
    directions = torch.nn.functional.normalize(astray, dim=-1)
    return below(1e-3, float(1 - (directions @ directions.T).mean()), "1 − cosine")


@claim(
    method="rmu",
    statement="In the same worlds, from weights that are not the reference's, the states on what is to be kept end at "
    "the reference's: the largest distance is below 0.001.",
    source="2403.03218, section 4: the retain loss has its minimum at the frozen states",
)
def keeps_the_others(make: Factory, seed: int) -> Measurement:
    world = Layer.apart(seed)
    kept = (world.trained(_objective(make), start=0.5) - world.inputs @ world.weights)[TOKENS:]
    return below(1e-3, float(kept.norm(dim=-1).max()), "distance of states")
