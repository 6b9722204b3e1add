"""The resolved plan: what will happen, in numbers and words, before it happens."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from truing.objectives.algebra import Objective
from truing.recipe import Recipe
from truing.training.combinations import only_policies
from truing.training.distributed import World
from truing.training.prepare import Prepared, prepare


def planned(
    recipe: Recipe, *, accepts: Callable[[Objective], None] = only_policies
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What a run would do, as values and in words; nothing is written.

    Args:
        recipe: as checked.
        accepts: as for :func:`~truing.training.prepare.prepare`.

    Raises:
        TruingError: on anything that would go wrong later.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(recipe, quarantine=Path(folder) / "quarantine.jsonl", accepts=accepts)
        values = plan(prepared)
    return values, describe(values)


def plan(prepared: Prepared) -> dict[str, Any]:
    """The plan as a mapping, for run.json, ``--dry-run --json`` and the report."""
    recipe, policy = prepared.recipe, prepared.policy
    trained = sum(p.numel() for p in policy.model.parameters() if p.requires_grad)
    total = sum(p.numel() for p in policy.model.parameters())
    report = prepared.train.encoded.report
    held = prepared.held_out
    return {
        "model": {
            "name": recipe.model.name,
            "parameters": total,
            "trained_parameters": trained,
            "weights": str(policy.inner.dtype).removeprefix("torch."),
            "precision": policy.precision.name,
            "precision_reason": policy.precision.reason,
            "fingerprint": prepared.weights,
            "scoring": policy.verdict.layout,
            "scoring_reason": policy.verdict.reason,
            "device": str(policy.device),
        },
        "data": {
            "source": prepared.train.records.source,
            "layout": prepared.train.records.layout,
            "kind": prepared.train.records.kind,
            "rows": report.rows,
            "held_out_rows": held.encoded.report.rows if held else 0,
            "prompt_tokens": round(report.prompt_tokens.total),
            "completion_tokens": round(report.completion_tokens.total),
            "tokenisation": report.as_dict(),
            "fingerprint": prepared.train.records.fingerprint,
        },
        "objective": {
            "name": prepared.objective.name,
            "formula": prepared.objective.text(),
            "requires": sorted(prepared.objective.requires),
            "scored_twice": prepared.objective.coupling == "batch",
        },
        "training": {
            "steps": prepared.steps,
            "global_batch": recipe.training.global_batch,
            "processes": World.current().size,
            "micro_batch_tokens": prepared.budget,
            "learning_rate": recipe.training.learning_rate,
            "schedule": recipe.training.schedule,
            "peft": recipe.training.peft.name if recipe.training.peft else None,
            "seed": recipe.training.seed,
        },
        "online": None if recipe.online is None else recipe.online.model_dump(mode="json"),
        "reference": reference_source(prepared),
        "memory": {
            "estimated_bytes": prepared.memory.total,
            "weights": prepared.memory.weights,
            "gradients_and_optimizer": prepared.memory.gradients_and_optimizer,
            "activations": prepared.memory.activations,
            "output_head": prepared.memory.head,
        },
        "output": recipe.output,
        "notes": list(prepared.notes),
    }


def reference_source(prepared: Prepared) -> str:
    """Where reference log-probabilities come from, in words."""
    recipe = prepared.recipe
    if "reference" not in prepared.objective.requires:
        return "none: the objective does not compare with a reference"
    which = recipe.reference.model or "the starting model"
    if recipe.reference.sync_every is not None:
        return (
            f"a copy of {which} in memory, moved {recipe.reference.sync_mix:g} of the way to the policy every "
            f"{recipe.reference.sync_every} steps"
        )
    if recipe.training.peft is not None and recipe.reference.model is None:
        which = "the base model with the adapter off"
    if recipe.online is not None:
        return f"{which}, in memory, asked about the answers of every step"
    kept = ", cached on disk" if recipe.reference.cache else ""
    return f"{which}, computed once before training{kept}"


def _online_lines(online: dict[str, Any] | None, trained: int) -> list[tuple[str, str]]:
    if online is None:
        return []
    names = ", ".join(str(spec["name"] if isinstance(spec, dict) else spec) for spec in online["rewards"])
    every = online["steps_per_rollout"]
    return [
        (
            "online",
            f"{online['answers']} answers of at most {online['max_new_tokens']} tokens to each prompt, new ones "
            f"{'in every step' if every == 1 else f'every {every} steps'}, rewarded by {names}",
        ),
        *_opponent_lines(online.get("opponents"), every, trained),
    ]


def _opponent_lines(opponents: dict[str, Any] | None, every: int, trained: int) -> list[tuple[str, str]]:
    """The population, and what it takes; past selves are copies of the weights that learn, four bytes each."""
    if opponents is None:
        return []
    past = [weight for weight in opponents["history"] if weight > 0]
    copies = max((place + 1 for place, weight in enumerate(opponents["history"]) if weight > 0), default=0)
    copies += opponents["start"] > 0
    members = [
        *([f"{len(past)} past selves, new ones every {opponents['every'] or every} steps"] if past else []),
        *(["the start"] if opponents["start"] > 0 else []),
        *(name for name, weight in opponents["models"].items() if weight > 0),
    ]
    held = f"{copies} copies of {trained:,} weights, about {copies * trained * 4 / 2**30:.2g} GiB on the CPU"
    return [("opponents", "; ".join([*members, *([held] if copies else [])]))]


def describe(values: dict[str, Any]) -> list[tuple[str, str]]:
    """The plan as label and sentence, for the terminal."""
    model, data, training = values["model"], values["data"], values["training"]
    adapter = f", {training['peft']} trains {model['trained_parameters']:,} of them" if training["peft"] else ""
    tokens = data["prompt_tokens"] + data["completion_tokens"]
    lines = [
        ("model", f"{model['name']}: {model['parameters']:,} parameters in {model['weights']}{adapter}"),
        ("precision", model["precision_reason"]),
        ("scoring", model["scoring_reason"]),
        (
            "data",
            f"{data['rows']:,} {data['kind']} from {data['source']} ({data['layout']}), {tokens:,} tokens; "
            f"{data['held_out_rows']:,} held out",
        ),
        ("objective", f"{values['objective']['name']}: {values['objective']['formula']}"),
        *_online_lines(values.get("online"), model["trained_parameters"]),
        ("reference", values["reference"]),
        (
            "training",
            f"{training['steps']:,} steps of {training['global_batch']} records, micro-batches of at most "
            f"{training['micro_batch_tokens']:,} tokens, learning rate {training['learning_rate']:g} "
            f"({training['schedule']}), seed {training['seed']}",
        ),
        ("memory", f"about {values['memory']['estimated_bytes'] / 2**30:.1f} GiB at the peak (an estimate)"),
        ("output", values["output"]),
    ]
    return lines + [("note", note) for note in values["notes"]]
