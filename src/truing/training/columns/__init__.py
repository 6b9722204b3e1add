"""Numbers that an objective wants with every record and that are worked out from the data before training.

An objective that requires ``column:x`` finds x in the data, or, where a way to work it out is registered here, gets
it computed once with the starting model. Adding one is a file here and an entry in :data:`COLUMNS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file, save_file

from truing.errors import DataError
from truing.training.columns.density_ratio import density_ratio
from truing.training.columns.mean_logp import mean_logp
from truing.training.columns.source import names_of, source
from truing.training.distributed import World
from truing.writing import atomic_path

if TYPE_CHECKING:
    from truing.data.encoded import Encoded
    from truing.objectives.algebra import Objective
    from truing.training.prepare import Prepared, Split


@dataclass(frozen=True)
class Column:
    """A way to work a column out.

    Attributes:
        summary: what it says about a record, for messages.
        compute: from a prepared run (and what follows the colon) to one number per record, for the training and for
            the held-out records.
        names: what the numbers stand for, where they stand for names, from a split and what follows the colon.
    """

    summary: str
    compute: Callable[..., tuple[np.ndarray, np.ndarray | None]]
    names: Callable[[Split, str], tuple[str, ...]] | None = None


COLUMNS: dict[str, Column] = {
    "density_ratio": Column(
        "how much likelier its prompt is among liked answers than among disliked", density_ratio
    ),
    "mean_logp": Column("its log-probability per token under another model", mean_logp),
    "source": Column("which source it comes from", source, names_of),
}
"""By name; what follows a colon in the name of a wanted column is passed on, e.g. ``mean_logp:MODEL``."""


def missing(objective: Objective, encoded: Encoded) -> list[str]:
    """Columns that the objective requires and the data does not bring along."""
    asked = sorted(r.removeprefix("column:") for r in objective.requires if r.startswith("column:"))
    present = encoded.dataset.column_names or []
    return [name for name in asked if name not in present]


def names_in(objective: Objective, split: Split) -> dict[str, tuple[str, ...]]:
    """What the numbers in computed columns stand for, by the column's name, for those that stand for names."""
    found = {}
    for name in missing(objective, split.encoded):
        kind, _, argument = name.partition(":")
        column = COLUMNS.get(kind)
        if column is not None and column.names is not None:
            found[name] = column.names(split, argument)
    return found


def check(objective: Objective, encoded: Encoded, source: str) -> None:
    """Refuse columns that are neither in the data nor can be worked out.

    Raises:
        DataError: naming the column and what to do.
    """
    for name in missing(objective, encoded):
        if name.partition(":")[0] not in COLUMNS:
            raise DataError(
                f"objective {objective.name!r} uses the column {name!r}, and the data has none",
                where=source,
                fix=f"use data whose every row has a {name!r}; data.columns renames one: {{{name}: YOUR_COLUMN}}",
            )


def with_columns(prepared: Prepared) -> Prepared:
    """The run with the columns that its objective wants, computed or read from the run's folder."""
    names = missing(prepared.objective, prepared.train.encoded)
    if not names:
        return prepared
    path = prepared.output / "columns.safetensors"
    world = World.current()
    if world.is_main and not path.exists():
        _compute(prepared, names, path)
    world.barrier()  # one process works them out, all read
    stored = load_file(str(path))
    train = _attached(prepared.train, {name: stored[f"train.{name}"] for name in names})
    held = prepared.held_out
    if held is not None:
        held = _attached(held, {name: stored[f"held_out.{name}"] for name in names})
    return replace(prepared, train=train, held_out=held)


def _compute(prepared: Prepared, names: list[str], path: Path) -> None:
    found: dict[str, np.ndarray] = {}
    for name in names:
        column, *argument = name.split(":", 1)
        train, held = COLUMNS[column].compute(prepared, *argument)
        found[f"train.{name}"] = train.astype(np.float32)
        if held is not None:
            found[f"held_out.{name}"] = held.astype(np.float32)
    with atomic_path(path) as partial:
        save_file(found, str(partial))


def _attached(split: Split, columns: dict[str, np.ndarray]) -> Split:
    examples = replace(split.examples, columns={**split.examples.columns, **columns})
    return replace(split, examples=examples)
