"""Transforms that compare answers with a reference's: samples of the starting model, drawn once and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

from truing.policies.fingerprint import of_values
from truing.rewards.algebra import prompt_key
from truing.rewards.pipeline import Pipeline
from truing.rewards.reference_scores import kept_reference_stats
from truing.training.batches import GlobalBatchSampler
from truing.training.distributed import World
from truing.training.online.drawing import Drawing
from truing.training.prepare import Prepared

FOLDER = "reference_samples"


def compared_with_start(drawing: Drawing, prepared: Prepared, world: World) -> Drawing:
    """The same, with rewards that know how the starting model's answers score; where no transform asks, as it is.

    Only prompts that the run will come to are answered. A run that goes on reads what it drew before its first step.
    The policy must still be the starting model.

    Args:
        drawing: of the run.
        prepared: the run.
        world: this process among all; the first draws, and the others read.
    """
    if not drawing.rewards.needs_reference:
        return drawing
    recipe = prepared.recipe
    online = recipe.online
    assert online is not None
    indices = first_of_each_prompt(drawing, coming(prepared))
    prompts, columns = drawing.asked(indices)
    tokens = [list(row["prompt_ids"]) for row in drawing.records.take(indices)]
    sampling = {
        "answers": online.reference_answers,
        "max_new_tokens": online.max_new_tokens,
        "temperature": online.temperature,
        "top_p": online.top_p,
        "seed": recipe.training.seed + 1,
    }

    def draw() -> list[list[str]]:
        drawing.sampler.follow(main=True)
        drawn = drawing.sampler(tokens, online.reference_answers, recipe.training.seed + 1)
        return [[drawing.decode(answer) for answer in group] for group in drawn]

    def kept() -> Pipeline:
        return drawing.rewards.with_reference(
            kept_reference_stats(
                prepared.output / FOLDER,
                drawing.rewards.score,
                prompts,
                draw,
                policy=prepared.weights,
                scorer=of_values([str(spec) for spec in online.rewards]),
                sampling=sampling,
                columns=columns or None,
            )
        )

    return replace(drawing, rewards=_first_then_others(kept, world))


def records_of(prepared: Prepared, step: int) -> list[int] | None:
    """Numbers of the records of a step, as the trainer comes to them; ``None`` behind the last step."""
    if step >= prepared.steps:
        return None
    training = prepared.recipe.training
    order = GlobalBatchSampler(len(prepared.train.examples), training.global_batch, training.seed)
    epoch, place = divmod(step, len(order))
    order.set_epoch(epoch)
    return next(islice(order, place, None))


def coming(prepared: Prepared) -> list[int]:
    """Numbers of the records that the run will come to, each once; all of them where prompts may be replaced."""
    training, online = prepared.recipe.training, prepared.recipe.online
    size = len(prepared.train.examples)
    if online is not None and online.redraw:
        return list(range(size))
    order = GlobalBatchSampler(size, training.global_batch, training.seed)
    seen: dict[int, None] = {}
    steps, epoch = prepared.steps, 0
    while steps > 0 and len(seen) < size:
        order.set_epoch(epoch)
        for batch in islice(order, steps):
            seen.update(dict.fromkeys(index % size for index in batch))
        steps, epoch = steps - len(order), epoch + 1
    return list(seen)


def first_of_each_prompt(drawing: Drawing, indices: Sequence[int]) -> list[int]:
    """One record of all that have the same prompt."""
    found: dict[str, int] = {}
    for index, prompt in zip(indices, drawing.asked(indices)[0], strict=True):
        found.setdefault(prompt_key(prompt), index)
    return list(found.values())


def _first_then_others(make: Callable[[], Pipeline], world: World) -> Pipeline:
    """What the first process makes and keeps, and the others find."""
    made = make() if world.is_main else None
    world.barrier()
    return make() if made is None else made
