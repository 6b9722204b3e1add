"""Where the result comes from: recipe, versions, hardware, seeds, fingerprints."""

from __future__ import annotations

import contextlib

import yaml

from truing.errors import TruingError
from truing.json_values import finite
from truing.objectives.method import METHODS
from truing.report.reading import Run
from truing.report.values import Values
from truing.report.wording import gibibytes, millions, moment, number, plural

Facts = list[tuple[str, str]]

# Rows of estimates in the report; run.json has all.
_SHOWN = 30


def recipe_yaml(run: Run) -> str:
    """The recipe with every default filled in; empty where none was recorded."""
    recipe = run.record.part("recipe")
    if not recipe:
        return ""
    try:
        return yaml.safe_dump(recipe.content, sort_keys=False, allow_unicode=True, width=100)
    except RecursionError:
        return "The recipe is nested too deeply to be shown; see run.json.\n"


def objective_facts(run: Run) -> Facts:
    """Formula, meaning and source of the objective, and what it estimated in training."""
    plan = run.record.part("plan", "objective")
    facts: Facts = []
    if formula := plan.text("formula"):
        facts.append(("formula", formula))
    with contextlib.suppress(TruingError):
        method = METHODS.get(plan.text("name") or "")
        facts.append(("meaning", method.summary))
        facts.append(("paper", f"{method.paper.title} ({method.paper.year}), arXiv {method.paper.arxiv}"))
    return facts + _estimates(run)


def _estimates(run: Run) -> Facts:
    """Estimates of the objective, the smallest first: the least reliable annotator is who one looks for."""
    found = [(name, finite(value)) for name, value in run.record.part("estimates")]
    known = sorted((value, name) for name, value in found if value is not None)
    facts = [(f"estimated {name}", number(value)) for value, name in known[:_SHOWN]]
    if len(known) > _SHOWN:
        facts.append(("further estimates", f"{len(known) - _SHOWN:,}, in run.json"))
    return facts


def training_facts(run: Run) -> Facts:
    """Model, numerics and reference of the run."""
    plan = run.record.part("plan")
    model = plan.part("model")
    size, trained = model.count("parameters"), model.count("trained_parameters")
    memory = plan.number("memory", "estimated_bytes")
    return _known(
        ("parameters", f"{millions(size)}, of which {millions(trained)} trained" if size and trained else None),
        ("weights", model.text("weights")),
        ("precision", model.text("precision_reason") or model.text("precision")),
        ("reference", plan.text("reference")),
        ("scoring", model.text("scoring_reason") or model.text("scoring")),
        ("estimated memory", gibibytes(memory) if memory else None),
        ("started", moment(run.record.text("started")) if run.record.text("started") else None),
        ("ended", moment(run.record.text("ended")) if run.record.text("ended") else None),
    )


def machine_facts(run: Run) -> Facts:
    """Versions and hardware."""
    machine = run.record.part("machine")
    threads, processes = machine.count("cpu_threads"), machine.count("processes")
    hardware = _known(
        ("platform", machine.text("platform")),
        ("processor", machine.text("processor")),
        ("processor threads", f"{threads:,}" if threads else None),
        ("graphics processor", machine.text("gpu") or ("none" if "gpu" in machine.content else None)),
        ("processes", plural(processes, "process", "processes") if processes else None),
    )
    versions = [(str(name), value) for name, value in run.record.part("versions") if isinstance(value, str)]
    return _known(("truing", run.record.text("truing"))) + versions + hardware


def identity_facts(run: Run) -> Facts:
    """Seeds and fingerprints: what must be the same for the run to be repeated."""
    seeds = [(f"seed of {name}", number(Values({"it": v}).number("it"))) for name, v in run.record.part("seeds")]
    return seeds + _known(
        ("model revision", run.record.text("recipe", "model", "revision")),
        ("fingerprint of the starting weights", run.record.text("plan", "model", "fingerprint")),
        ("fingerprint of the training data", run.record.text("plan", "data", "fingerprint")),
        ("fingerprint of the checked data", run.data.text("fingerprint")),
    )


def _known(*facts: tuple[str, str | None]) -> Facts:
    return [(label, text) for label, text in facts if text]
