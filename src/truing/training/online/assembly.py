"""From a prepared online run to its step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from truing.errors import DataError
from truing.policies.generation import Sampling, end_tokens
from truing.recipe.online import OnlineSection
from truing.rewards.algebra import Prompt
from truing.rewards.build import build
from truing.rewards.pipeline import Pipeline
from truing.rewards.weighters.direction import Directions
from truing.training.distributed import World
from truing.training.online.choosers import Given, chooser_for
from truing.training.online.condition import DIRECTION, Condition, DirectionCondition
from truing.training.online.drawing import Drawing
from truing.training.online.logged import logged_in
from truing.training.online.population import population_for
from truing.training.online.reference_samples import compared_with_start, records_of
from truing.training.online.rollouts import RolloutLog
from truing.training.online.sampler import OwnSampler, Sampler
from truing.training.online.shown import COMPLAINT, ComplaintShown
from truing.training.online.step import OnlineStep
from truing.training.online.telling import Telling
from truing.training.online.vllm import vllm_sampler
from truing.training.prepare import Prepared
from truing.training.step import References


def online_step(prepared: Prepared, references: References, world: World) -> OnlineStep:
    """The step of a run with an `online` section."""
    recipe, online = prepared.recipe, prepared.recipe.online
    assert online is not None
    assert prepared.policy.tokenizer is not None
    decode = prepared.policy.tokenizer.decode
    rewards = build(online, where="online")
    records = prepared.train.examples
    rows = _rows(prepared, ("prompt", *rewards.columns))

    def asked(indices: Sequence[int]) -> tuple[list[Prompt], dict[str, list[Any]]]:
        own = [rows[str(row["id"])] for row in records.take(indices)]
        return [row["prompt"] for row in own], {name: [row[name] for row in own] for name in rewards.columns}

    drawing = Drawing(
        records,
        _sampler(prepared, online),
        lambda answer: decode(answer, skip_special_tokens=True),
        rewards,
        asked,
        RolloutLog(prepared.output),
        online.answers,
        recipe.training.seed,
        world,
        ends=frozenset(end_tokens(prepared.policy)),
        unfinished=online.unfinished,
        redraw=online.redraw,
        condition=_condition(prepared, rewards),
        shown=_shown(prepared),
    )
    drawing = compared_with_start(drawing, prepared, world)
    return OnlineStep(
        prepared.policy,
        prepared.objective,
        drawing,
        references,
        budget=prepared.budget,
        steps_per_rollout=online.steps_per_rollout,
        population=None
        if online.opponents is None
        else population_for(prepared, online.opponents, online.steps_per_rollout),
        coming=partial(records_of, prepared) if online.ahead else None,
        choose=chooser_for(
            prepared.objective,
            Given(
                prepared.policy,
                lambda name: rows[name]["prompt"],
                rewards,
                RolloutLog(prepared.output).folder,
                logged_in(records),
            ),
        ),
    )


def _sampler(prepared: Prepared, online: OnlineSection) -> Sampler:
    """What draws the answers."""
    if online.sampler is None:
        return OwnSampler(prepared.policy, online.max_new_tokens, online.temperature, online.top_p, online.batch)
    sampling = Sampling(online.max_new_tokens, online.temperature, online.top_p)
    return vllm_sampler(online.sampler, prepared.policy, prepared.output, sampling)


def _condition(prepared: Prepared, rewards: Pipeline) -> Condition | None:
    """What the policy is told of the direction of its rewards."""
    online, records = prepared.recipe.online, prepared.train.records
    if online is None or online.condition != DIRECTION:
        return None
    assert isinstance(rewards.weighter, Directions)  # checked with the recipe
    condition = DirectionCondition(rewards.weighter, rewards.names, _telling(prepared))
    condition.check(list(records.dataset["prompt"]), records.source)
    return condition


def _shown(prepared: Prepared) -> ComplaintShown | None:
    """What the policy is shown while it draws, and not while it learns."""
    online, rows = prepared.recipe.online, prepared.train.examples.rows
    if online is None or online.condition != COMPLAINT:
        return None
    plain = dict(zip(map(str, rows["id"]), map(list, rows["prompt_ids"]), strict=True))
    return ComplaintShown.of(prepared.train.records, plain, _telling(prepared))


def _telling(prepared: Prepared) -> Telling:
    data, tokenizer = prepared.recipe.data, prepared.policy.tokenizer
    assert tokenizer is not None
    return Telling(tokenizer, data.max_length, data.chat_template, data.system)


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
