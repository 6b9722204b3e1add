"""From a prepared online run to its step."""

from __future__ import annotations

from collections.abc import Sequence

from truing.rewards.algebra import Prompt
from truing.training.distributed import World
from truing.training.online.checks import pipeline_of
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
    texts = dict(
        zip(map(str, prepared.train.records.dataset["id"]), prepared.train.records.dataset["prompt"], strict=True)
    )

    def prompts(indices: Sequence[int]) -> list[Prompt]:
        return [texts[str(row["id"])] for row in prepared.train.examples.take(indices)]

    return OnlineStep(
        prepared.policy,
        prepared.objective,
        prepared.train.examples,
        references,
        budget=prepared.budget,
        world=world,
        sampler=sampler,
        rewards=pipeline_of(online),
        prompts=prompts,
        log=RolloutLog(prepared.output),
        kind=kind_for(prepared.objective),
        answers=online.answers,
        steps_per_rollout=online.steps_per_rollout,
        seed=recipe.training.seed,
    )
