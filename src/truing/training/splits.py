"""The training and the held-out records of a run, as text."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from truing.data.derive import relabelled
from truing.data.perturb import build as perturbations
from truing.data.perturb import perturbed
from truing.data.sources import load
from truing.data.streaming import taken
from truing.data.views import view
from truing.recipe import Recipe

if TYPE_CHECKING:
    from truing.data.records import Records


def load_splits(recipe: Recipe, quarantine: Path | None = None) -> tuple[Records, Records | None]:
    """The training and the held-out records as the objective sees them."""
    return relabel_splits(recipe, *read_splits(recipe, quarantine))


def read_splits(recipe: Recipe, quarantine: Path | None = None) -> tuple[Records, Records | None]:
    """Read the training and the held-out records; perturbations change the former only."""
    data = recipe.data
    changes = perturbations(data.perturb)
    options: dict[str, Any] = {
        "layout": data.layout,
        "columns": data.columns,
        "on_bad_row": data.on_bad_row,
        "streaming": data.streaming,
    }
    if quarantine is None and data.on_bad_row == "quarantine":
        quarantine = Path(recipe.output) / "quarantine.jsonl"
    records = load(data.path, split=data.split, limit=data.limit, quarantine_path=quarantine, **options)
    if data.streaming:
        records = taken(records, _rows_needed(recipe))
    held: Records | None = None
    if data.eval_path is not None:
        held = load(data.eval_path, **{**options, "streaming": False, "on_bad_row": "error"})
    elif data.eval_fraction > 0:
        seed = recipe.training.seed if data.eval_seed is None else data.eval_seed
        records, held = hold_out(records, data.eval_fraction, seed)
    return _mended(recipe, perturbed(records, changes)), held


def _mended(recipe: Recipe, records: Records) -> Records:
    """Training pairs with labels repaired, where the recipe asks for it; held-out ones stay as people labelled them."""
    if recipe.data.repair is None:
        return records
    from truing.rewards.labels.repair import repair_of

    mend = repair_of(recipe.data.repair, recipe.model.name)
    return mend(view(records, frozenset({"pairs"}), ranked_as=recipe.data.ranked_as)).records


def relabel_splits(recipe: Recipe, records: Records, held: Records | None) -> tuple[Records, Records | None]:
    """Both after the recipe's relabellings."""
    data = recipe.data
    if not data.relabel:
        return records, held
    # Ranked answers become pairs first, since it is pairs that are relabelled.
    both = [view(r, {"pairs", r.kind} - {"ranked"}, ranked_as=data.ranked_as) for r in (records, held) if r]
    records, *others = (relabelled(r, data.relabel) for r in both)
    return records, others[0] if others else None


def _rows_needed(recipe: Recipe) -> int:
    """Rows of a stream that the run trains on, each once, and those that are held out beside them."""
    assert recipe.training.max_steps is not None
    held_out = 0.0 if recipe.data.eval_path is not None else recipe.data.eval_fraction
    return math.ceil(recipe.training.max_steps * recipe.training.global_batch / (1 - held_out))


def hold_out(records: Records, fraction: float, seed: int) -> tuple[Records, Records | None]:
    """Set aside a share of the *prompts*: no prompt stands on both sides.

    The same seed holds out the same prompts.
    """
    import json

    prompts = [json.dumps(prompt, sort_keys=True) for prompt in records.dataset["prompt"]]
    unique = list(dict.fromkeys(prompts))
    count = round(len(unique) * fraction)
    if count == 0 or count == len(unique):
        return records, None
    order = np.random.default_rng((seed, 77)).permutation(len(unique))
    chosen = {unique[i] for i in order[:count]}
    inside = [i for i, prompt in enumerate(prompts) if prompt in chosen]
    outside = [i for i, prompt in enumerate(prompts) if prompt not in chosen]
    dataset: Any = records.dataset
    return replace(records, dataset=dataset.select(outside)), replace(records, dataset=dataset.select(inside))
