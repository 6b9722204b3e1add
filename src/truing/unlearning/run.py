"""``unlearn``: from a recipe to a model that forgot, and to what can be said about that.

A run of :func:`truing.align` with the same stages, alarms and record. Two stages are around it: a mask of the weights
that may change is made from the starting model first, and afterwards the model is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from truing.json_values import plain
from truing.policies.loading import load_tokenizer
from truing.report import write_run_report
from truing.training.align import RunResult, align
from truing.training.distributed import World
from truing.training.listener import Listener
from truing.training.plan import planned as plan_run
from truing.training.prepare import prepare
from truing.training.record import FILE, RunRecord
from truing.unlearning.files import policy_of
from truing.unlearning.findings import unlearning_findings
from truing.unlearning.load import MASK_FILE, Job, load_job, parse_job
from truing.unlearning.masks import save_mask
from truing.unlearning.measure import UnlearningReport, compare, measure_model
from truing.unlearning.metrics.relearning import Attack
from truing.unlearning.schema import UnlearnRecipe
from truing.unlearning.sets import How
from truing.unlearning.start_mask import starting_mask
from truing.writing import remove_partials, write_json, write_text

REPORT_FILE = "unlearning.json"
RECIPE_FILE = "unlearn.yaml"


def unlearn(
    recipe: UnlearnRecipe | Mapping[str, Any] | str | Path,
    *overrides: str,
    resume: bool = False,
    listener: Listener | None = None,
) -> RunResult:
    """Make a model forget.

    Args:
        recipe: a mapping with the keys of an unlearning recipe, the path of a YAML file, or a checked recipe.
        overrides: changes as on the command line, e.g. ``"training.epochs=2"``.
        resume: go on with a run that was interrupted; of a finished one only what is missing is done.
        listener: hears about progress.

    Returns:
        As :func:`truing.align`, with findings about forgetting where the recipe asks for measurements.

    Raises:
        TruingError: on anything the user can mend.
    """
    job = load_job(recipe, overrides) if isinstance(recipe, str | Path) else parse_job(recipe, overrides)
    return run(job, resume=resume, listener=listener or Listener())


def run(job: Job, *, resume: bool, listener: Listener) -> RunResult:
    """Run a checked recipe; see :func:`unlearn`."""
    world = World.join()
    folder = job.output
    if world.is_main and job.selection is not None and not (folder / FILE).exists() and not resume:
        _make_mask(job, listener)
    world.barrier()
    result = align(job.align, resume=resume, listener=listener, made_from=job.recipe.model_dump(mode="json"))
    if world.is_main and result.status != "interrupted":
        if not (folder / RECIPE_FILE).exists():
            text = yaml.safe_dump(job.recipe.model_dump(mode="json"), sort_keys=False)
            write_text(folder / RECIPE_FILE, text)
        if job.suite is not None and "unlearning" not in result.record:
            result = _measured(job, result, listener)
    world.barrier()
    return result


def planned(job: Job) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What a run would do, as values and in words; nothing is written.

    Raises:
        TruingError: on anything that would go wrong later.
    """
    values, lines = plan_run(job.unmasked)
    if job.selection is not None:
        how = job.selection
        values["mask"] = {"rule": how.rule, "keep": how.keep, "gamma": how.gamma, "seed": how.seed}
        lines.append(
            ("mask", f"{how.rule}, made from the starting model; {how.keep:.2%} of the weights may change")
        )
    if job.recipe.measure is not None and job.suite is not None:
        values["measure"] = job.recipe.measure.model_dump(mode="json")
        beside = job.recipe.measure.retrained or "no model that was trained without the forget set"
        lines.append(("measure", f"{len(job.suite.forget)} questions to be forgotten, beside {beside}"))
    return plain(values), lines


def _make_mask(job: Job, listener: Listener) -> None:
    """Everything is checked before the first file is written, as in a run without a mask."""
    listener.stage("mask")
    mask = starting_mask(job, prepare(job.unmasked))
    job.output.mkdir(parents=True, exist_ok=True)
    remove_partials(job.output)
    save_mask(mask, job.output / MASK_FILE)


def _measured(job: Job, result: RunResult, listener: Listener) -> RunResult:
    listener.stage("measure")
    report, start = _reports(job, str(result.model))
    write_json(result.folder / REPORT_FILE, {**report.as_dict(), "starting": start.as_dict()})
    record = RunRecord.read(result.folder)
    findings = [*unlearning_findings(report, start), *result.findings]
    record.update(
        findings=[finding.as_dict() for finding in findings],
        unlearning={"file": REPORT_FILE, "sentences": report.sentences()},
    )
    write_run_report(result.folder)
    return replace(result, findings=findings, record=record.values)


def _reports(job: Job, model: str) -> tuple[UnlearningReport, UnlearningReport]:
    """The trained and the starting model on the same questions, both beside the retrained one."""
    section, suite = job.recipe.measure, job.suite
    assert section is not None
    assert suite is not None
    how = How(job.recipe.data.chat_template, section.max_new_tokens, section.averaging)
    attack = None if section.relearn is None else Attack(section.relearn)
    tokenizer = load_tokenizer(model)
    # One model in memory at a time.
    own = measure_model(policy_of(model), tokenizer, suite, how=how, relearning=attack)
    start = measure_model(policy_of(job.recipe.model.name), tokenizer, suite, how=how)
    retrained = None
    if section.retrained is not None:
        retrained = measure_model(policy_of(section.retrained), tokenizer, suite, how=how, relearning=attack)
    return compare(own, retrained), compare(start, retrained)
