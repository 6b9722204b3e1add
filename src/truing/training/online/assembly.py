"""From a prepared online run to its step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from truing.errors import DataError
from truing.rewards.algebra import Prompt
from truing.rewards.build import build
from truing.training.distributed import World
from truing.training.online.choosing import kind_for
from truing.training.online.rollouts import RolloutLog
from truing.training.online.sampler import OwnSampler
from truing.training.online.step import OnlineStep
from truing.training.prepare import Prepared
from truing.training.step import References


def online_step(prepared: Prepared, references: References, world: World) -> OnlineStep:
    """The step of a run with an `online` section."""
    recipe, online = prepared.recipe, prepared.recipe.online
    assert online is not None
    sampler = OwnSampler(prepared.policy, online.max_new_tokens, online.temperature, online.top_p, online.batch)
    rewards = build(online, where="online")
    rows = _rows(prepared, ("prompt", *rewards.columns))

    def asked(indices: Sequence[int]) -> tuple[list[Prompt], dict[str, list[Any]]]:
        own = [rows[str(row["id"])] for row in prepared.train.examples.take(indices)]
        return [row["prompt"] for row in own], {name: [row[name] for row in own] for name in rewards.columns}

    return OnlineStep(
        prepared.policy,
        prepared.objective,
        prepared.train.examples,
        references,
        budget=prepared.budget,
        world=world,
        sampler=sampler,
        rewards=rewards,
        asked=asked,
        log=RolloutLog(prepared.output),
        kind=kind_for(prepared.objective),
        answers=online.answers,
        steps_per_rollout=online.steps_per_rollout,
        seed=recipe.training.seed,
    )


def _rows(prepared: Prepared, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Columns of the training records as they were written, by the record's id.

    Raises:
        DataError: if the data have no column of a name.
    """
    records = prepared.train.records
    for name in names:
        if name not in records.dataset.column_names:
            raise DataError(
                f"a reward reads the column {name!r}, and the records have none",
                where=f"{records.source}, layout {records.layout!r}",
                allowed=", ".join(records.dataset.column_names),
                fix="name another one as `column` of the reward",
            )
    columns = {name: list(records.dataset[name]) for name in names}
    ids = map(str, records.dataset["id"])
    return {
        name: dict(zip(columns, values, strict=True))
        for name, values in zip(ids, zip(*columns.values(), strict=True), strict=True)
    }
