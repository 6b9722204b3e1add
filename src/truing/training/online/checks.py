"""What of an online recipe cannot work is refused before anything is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from truing.errors import RecipeError
from truing.objectives.algebra import Objective
from truing.objectives.algebra.agreed import AGREED
from truing.objectives.algebra.crediting import CREDITED
from truing.objectives.algebra.credits import BATCH_MEAN, BATCH_STD
from truing.objectives.algebra.games import OPPONENTS
from truing.objectives.algebra.internal import VERDICTS
from truing.objectives.algebra.logged import LOGGED, REAL
from truing.objectives.algebra.sampled import ONLINE, Sampled
from truing.recipe import Recipe
from truing.rewards.build import build
from truing.rewards.judges.endpoint import key_from_environment
from truing.rewards.judges.posting import usable
from truing.rewards.weighters.direction import Directions
from truing.training.online.choosing import kind_for
from truing.training.online.condition import DIRECTION
from truing.training.online.logged import check_logged
from truing.training.online.shown import COMPLAINT, check_shown

if TYPE_CHECKING:
    from truing.data.records import Records
    from truing.training.examples import ExampleData

_GIVEN = frozenset(
    {
        ONLINE,
        AGREED,
        CREDITED,
        LOGGED,
        OPPONENTS,
        "reference",
        "column:margin",
        f"column:{BATCH_MEAN}",
        f"column:{BATCH_STD}",
    }
).union(f"part:{name}" for name in (REAL, *VERDICTS))


def check_online(recipe: Recipe, objective: Objective) -> None:
    """Refuse objectives that need an `online` section and have none, or cannot learn from drawn answers.

    Raises:
        RecipeError: naming the key and what to do.
    """
    online = recipe.online
    if online is None:
        if ONLINE in objective.requires:
            raise RecipeError(
                f"objective {objective.name!r} learns from answers that the model draws in training",
                where="online",
                fix="add e.g. `online: {rewards: sentiment, answers: 4}`",
            )
        return
    kind = kind_for(objective)
    more = sorted(
        r
        for r in objective.requires - _GIVEN
        if not r.startswith(("signal:", "derived:")) or r.startswith("derived:degree")
    )
    if more:
        raise RecipeError(
            f"objective {objective.name!r} cannot be trained online: it needs {', '.join(more)} beside every answer",
            where="objective and online",
            allowed="objectives that need answers, rewards and a reference only, e.g. grpo, rloo, dpo, raft",
        )
    if kind != "demonstrations" and LOGGED not in objective.requires and online.answers < 2:
        raise RecipeError(
            f"objective {objective.name!r} compares answers to the same prompt, and one is drawn",
            where="online.answers",
            allowed="2 or more",
        )
    if recipe.training.keep == "best":
        raise RecipeError(
            "training.keep: best compares losses on held-out records, and online losses are not comparable",
            where="training.keep",
            fix="use keep: last",
        )
    if online.opponents is not None and OPPONENTS not in objective.requires:
        raise RecipeError(
            f"objective {objective.name!r} is not trained against opponents, so that naming some has no effect",
            where="online.opponents",
            allowed="objectives such as mnpo, inpo and gpo",
            fix="remove opponents, or use one of these",
        )
    _check_opponents(recipe)
    _check_sampler(recipe)
    # Unknown names, and pieces that do not fit together.
    rewards = build(online, where="online")
    if online.condition == COMPLAINT and LOGGED not in objective.requires:
        raise RecipeError(
            f"objective {objective.name!r} learns from how probable its answers were, and with complaints shown they "
            "are drawn from other prompts than it learns with",
            where="online.condition",
            allowed="complaint with an objective that sets answers against logged complaints: drift",
        )
    if online.condition == DIRECTION and not isinstance(rewards.weighter, Directions):
        raise RecipeError(
            "the model is to be told the direction of its rewards, and they have none",
            where="online.condition",
            fix="use `combine: weighted-sum` with `weights: dpa-direction`, or remove condition",
        )


def check_online_data(
    recipe: Recipe, objective: Objective, examples: ExampleData, records: Records
) -> tuple[str, ...]:
    """How many records lack what an online run reads of them, in words.

    Raises:
        DataError: if all of them lack it.
    """
    if recipe.online is None:
        return ()
    shown = check_shown(records) if recipe.online.condition == COMPLAINT else ()
    return (*check_logged(examples, objective, records.source), *shown)


def online_notes(recipe: Recipe, objective: Objective) -> list[str]:
    """What of an online recipe the user should know."""
    online = recipe.online
    if online is None or not online.ahead:
        return []
    if any(isinstance(term, Sampled) and term.reweighs for _, term in objective.terms):
        return ["answers are one step old when they are learned from; their ratio to the policy corrects for that"]
    return [
        f"answers are one step old when they are learned from, and objective {objective.name!r} has no ratio that "
        "corrects for that"
    ]


def _check_sampler(recipe: Recipe) -> None:
    """Refuse a server that cannot be given the weights as they change.

    Raises:
        RecipeError: naming the key and what to do.
        ObjectiveError: if the server's key is not to be had.
    """
    online = recipe.online
    if online is None:
        return
    section = online.sampler
    if online.ahead and section is None:
        raise RecipeError(
            "answers are to be drawn while a step is made, and the model that is to draw them is busy with the step",
            where="online.ahead",
            fix="name a sampler, e.g. `sampler: {name: vllm, url: http://localhost:8000/v1}`, or remove ahead",
        )
    if online.ahead and (online.redraw or online.opponents is not None):
        key = "redraw" if online.redraw else "opponents"
        raise RecipeError(
            f"answers that are drawn ahead are of the weights before a step, and online.{key} needs those after it",
            where=f"online.ahead and online.{key}",
            fix=f"remove ahead, or {key}",
        )
    if section is None:
        return
    if not usable(section.url):
        raise RecipeError(
            "the url of the sampler cannot be used",
            where="online.sampler.url",
            allowed="http:// or https://, a host, and a path up to /completions; no user, key or query",
            fix="e.g. url: http://localhost:8000/v1",
        )
    if recipe.training.peft is None:
        raise RecipeError(
            "a server of vLLM is given new weights as an adapter: whole models it takes through a group of GPUs only, "
            "which the trainer does not join",
            where="online.sampler and training.peft",
            fix="use peft: lora, or remove sampler",
        )
    sharded = next((key for key in ("fsdp", "deepspeed") if recipe.training.arguments.get(key)), None)
    if sharded:
        raise RecipeError(
            f"the server is given the whole adapter, and {sharded} shards it",
            where=f"online.sampler and training.arguments.{sharded}",
            fix="train the adapter without sharding",
        )
    key_from_environment(section.key_from)


def _check_opponents(recipe: Recipe) -> None:
    """Refuse a population that cannot be kept.

    Raises:
        RecipeError: naming the key and what to do.
    """
    online = recipe.online
    if online is None or online.opponents is None:
        return
    section = online.opponents
    if not any(weight > 0 for weight in (*section.history, section.start, *section.models.values())):
        raise RecipeError(
            "the population has no member with a weight above 0",
            where="online.opponents",
            fix="give history, start or models a weight, or remove opponents",
        )
    if section.every is not None and section.every % online.steps_per_rollout:
        raise RecipeError(
            f"a round of {section.every} steps ends within a rollout of {online.steps_per_rollout}",
            where="online.opponents.every",
            allowed=f"a multiple of online.steps_per_rollout, {online.steps_per_rollout}",
        )
    sharded = next((key for key in ("fsdp", "deepspeed") if recipe.training.arguments.get(key)), None)
    if sharded and (any(section.history) or section.start):
        raise RecipeError(
            f"past selves are copies of whole weights, and {sharded} shards them",
            where=f"online.opponents and training.arguments.{sharded}",
            fix="train an adapter without sharding, or name other models as opponents",
        )
