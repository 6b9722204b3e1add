"""OptDist on plain tables of features (2408.08585)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from truing.errors import DataError, ObjectiveError
from truing.objectives.algebra import Batch, Objective, Scores
from truing.objectives.algebra.values import head_width
from truing.objectives.algebra.zero_inflated import NOISE, Heads, ZeroInflated
from truing.objectives.methods.optdist import optdist
from truing.rewards.distributional.measures import ValueReport, checked_values, value_report


@dataclass(frozen=True)
class ValueModel:
    """A distribution of the value for each row of a table.

    Attributes:
        network: from standardised features to the outputs of the heads.
        centre, spread: what features were standardised with.
        history: loss (nats) and entropy of the heads' usage (nats), every tenth of training.
    """

    network: nn.Module
    centre: Float[Tensor, " features"]
    spread: Float[Tensor, " features"]
    history: list[dict[str, float]] = field(default_factory=list)

    @torch.no_grad()
    def heads(self, features: Float[np.ndarray, "records features"]) -> Heads:
        """What every head says, and the selector.

        Raises:
            DataError: if the table has another number of columns, or a cell is not finite.
        """
        table = _table(features)
        if table.shape[1] != len(self.centre):
            raise DataError(f"the table has {table.shape[1]} columns, and the model knows {len(self.centre)}")
        return Heads.of(self.network((table - self.centre) / self.spread))

    def predict(self, features: Float[np.ndarray, "records features"]) -> ZeroInflated:
        """P(0), mean and quantiles of each row's value, of the head that the selector picks."""
        return self.heads(features).picked

    def evaluate(
        self, features: Float[np.ndarray, "records features"], values: Float[np.ndarray, " records"]
    ) -> ValueReport:
        """Order, size and likelihood on rows that were not learned from."""
        found = self.predict(features)
        losses = found.losses(torch.from_numpy(np.asarray(values, dtype=np.float64)))
        return value_report(np.asarray(values, dtype=np.float64), found.mean.numpy(), losses.numpy())


def fit_values(
    features: Float[np.ndarray, "records features"],
    values: Float[np.ndarray, " records"],
    *,
    objective: Objective | None = None,
    hidden: int = 0,
    steps: int = 400,
    rate: float = 0.03,
    decay: float = 1e-4,
    seed: int = 0,
) -> ValueModel:
    """Learn distributions of values from features, by Adam on all rows at a time.

    Args:
        features: numbers, one row a record.
        values: at least 0, raw.
        objective: ``optdist`` with its hyper-parameters; with the defaults, and a choice among heads that is as good as
            hard at the end of these steps, if left out.
        hidden: width of a layer that all heads share; 0 makes every head linear.
        steps: of training.
        rate: of Adam.
        decay: of the weights.
        seed: of the start and of the Gumbel noise.

    Raises:
        DataError: if a value is negative, a cell is not finite, or numbers of rows differ.
        ObjectiveError: if the objective learns no distributions.
    """
    table, target = _table(features), torch.from_numpy(checked_values(np.asarray(values, dtype=np.float64)))
    if len(table) != len(target):
        raise DataError(f"there are {len(table)} rows of features and {len(target)} values")
    centre, spread = table.mean(0), table.std(0)
    spread = torch.where(spread > 0, spread, torch.ones_like(spread))
    draw = torch.Generator().manual_seed(seed)
    objective = optdist(steps=steps / 5) if objective is None else objective
    width = head_width(objective.requires) or 0
    if width == 0 or width % 4:
        raise ObjectiveError(f"objective {objective.name!r} learns no distributions of values", allowed="optdist")
    heads = width // 4
    network = _network(table.shape[1], hidden, width, draw)
    inputs, state = (table - centre) / spread, objective.init()
    optimiser = torch.optim.Adam(network.parameters(), lr=rate, weight_decay=decay)
    index, nothing = torch.arange(len(target)), torch.zeros(len(target), dtype=torch.float64)
    history = []
    for step in range(steps):
        noise = -torch.log(-torch.log(torch.rand(heads, len(target), generator=draw, dtype=torch.float64)))
        batch = Batch(
            index,
            len(target),
            index[:0],
            index[:0],
            paired=False,
            reward=target,
            per_sequence={f"{NOISE}:{k}": noise[k] for k in range(heads)},
        )
        state = objective.update(state, None, batch)
        outputs = network(inputs)
        loss = objective(Scores(nothing, index, len(target), values=outputs), batch, state).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % max(1, steps // 10) == 0 or step == steps - 1:
            usage = Heads.of(outputs.detach()).usage_entropy
            history.append({"step": step, "loss": float(loss.detach()), "usage_entropy": usage})
    return ValueModel(network.eval(), centre, spread, history)


def _network(features: int, hidden: int, outputs: int, draw: torch.Generator) -> nn.Module:
    sizes = [features, hidden, outputs] if hidden else [features, outputs]
    layers: list[nn.Module] = []
    for number, (before, after) in enumerate(pairwise(sizes)):
        layer = nn.Linear(before, after, dtype=torch.float64)
        with torch.no_grad():
            # Outputs begin small: heads then differ by their places alone, and the selector favours none.
            size = 0.05 if number == len(sizes) - 2 else 1.0
            layer.weight.copy_(
                size * torch.randn(after, before, generator=draw, dtype=torch.float64) / before**0.5
            )
            layer.bias.zero_()
        layers += [nn.Tanh(), layer] if number else [layer]
    return nn.Sequential(*layers)


def _table(features: Float[np.ndarray, "records features"]) -> Float[Tensor, "records features"]:
    table = torch.from_numpy(np.asarray(features, dtype=np.float64))
    if table.ndim != 2:
        raise DataError(
            f"features have the shape {tuple(table.shape)}", allowed="one row a record, two dimensions"
        )
    if not table.isfinite().all():
        row, column = (~table.isfinite()).nonzero()[0].tolist()
        raise DataError(
            "a cell is not finite", where=f"record {row}, column {column}", fix="fill it, or leave it out"
        )
    return table
