"""The main job: from a recipe to an aligned model, a record of the run and a report.

Stages, each of which leaves its result on disk and is not done again on ``--resume``: prepare, check, reference,
before (held-out scores and sampled answers of the starting model), train, after, export, report.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from truing.diagnostics import Alarm
from truing.errors import RunError
from truing.evaluation.findings import Finding
from truing.objectives.algebra.latent import ANNOTATOR
from truing.policies.control_codes import FILE as CODES
from truing.recipe import Recipe, load_recipe, parse_recipe
from truing.training import adapters, model_card
from truing.training.assembly import arguments, assemble, keeps_best
from truing.training.checkpoints import CHECKPOINTS, complete_checkpoints
from truing.training.columns import names_in, with_columns
from truing.training.data_check import DATA_FILE, check_data
from truing.training.derived import TrainedAlong
from truing.training.distributed import World
from truing.training.earlier import COMPLETE, earlier_run
from truing.training.kept_usage import KeptUsage
from truing.training.listener import Listener
from truing.training.plan import describe, plan
from truing.training.prepare import Prepared, prepare
from truing.training.purpose import AlignPolicy, Measured, Purpose
from truing.training.record import RunRecord
from truing.training.references import resolve_references
from truing.training.self_samples import with_self_samples
from truing.training.trainer import PreferenceTrainer
from truing.training.whole import gathered
from truing.writing import atomic_path, explain_disk_errors, remove_partials, write_json, write_text


@dataclass(frozen=True)
class RunResult:
    """What a run left behind.

    Attributes:
        folder: the output folder.
        status: ``finished``, ``stopped`` (by an alarm), or ``interrupted`` (by a signal; resume it).
        model: folder of the trained model, for ``from_pretrained``.
        report: the HTML report.
        findings: what changed, in sentences.
        alarms: what was raised during training.
        record: the content of run.json.
    """

    folder: Path
    status: str
    model: Path
    report: Path
    findings: list[Finding] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def exit_status(self) -> int:
        """What a shell should hear: 0, or 128 and the number of the signal that interrupted the run."""
        return 128 + int(self.record["signal"]) if self.status == "interrupted" else 0


def align(
    recipe: Recipe | Mapping[str, Any] | str | Path,
    *overrides: str,
    resume: bool = False,
    listener: Listener | None = None,
    made_from: Mapping[str, Any] | None = None,
    purpose: Purpose | None = None,
) -> RunResult:
    """Align a model with preferences.

    Args:
        recipe: a mapping with the keys of a recipe, the path of a YAML file, or a recipe that was checked already.
        overrides: changes as on the command line, e.g. ``"training.epochs=2"``.
        resume: go on with a run that was interrupted; a finished run is returned as it is.
        listener: hears about progress.
        made_from: what the recipe was made from, where that was another recipe; kept in the record, and a run is
            resumed with the same one only.
        purpose: what is trained, and how it is measured; a policy if left out.

    Raises:
        TruingError: on anything the user can mend.
    """
    listener, purpose = listener or Listener(), purpose or AlignPolicy()
    recipe = _checked(recipe, overrides)
    folder = Path(recipe.output)
    world = World.join()
    described = {"recipe": recipe.model_dump(mode="json"), **({"made_from": dict(made_from)} if made_from else {})}
    earlier = earlier_run(folder, described, resume)
    world.barrier()  # all have looked at the folder before one writes to it
    if earlier is not None and earlier.values.get("status") in COMPLETE:
        if world.is_main and not (folder / "report.html").exists():
            _report(folder, listener, purpose)
        return _read_result(earlier)
    listener.stage("prepare")
    prepared = prepare(recipe, accepts=purpose.check)
    arguments(prepared)  # what transformers refuses is refused before anything is written
    values = plan(prepared)
    listener.plan(describe(values))
    record = earlier or RunRecord.start(folder, recipe)
    if world.is_main:
        _make(folder)
        remove_partials(folder)
        record.update(status="running", task=purpose.task, plan=values, **described)
        write_text(folder / "recipe.yaml", yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False))
    try:
        return _run(prepared, record, listener, purpose, resume=resume)
    except BaseException as error:
        if world.is_main:
            status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
            # On a full disk the record cannot be written either; what went wrong first is what the user must hear.
            with contextlib.suppress(RunError):
                record.finish(status, error=str(error)[:2000])
        raise


def _checked(recipe: Recipe | Mapping[str, Any] | str | Path, overrides: Sequence[str]) -> Recipe:
    if isinstance(recipe, str | Path):
        return load_recipe(recipe, overrides)
    if isinstance(recipe, Recipe):
        return parse_recipe(recipe.model_dump(mode="json"), overrides) if overrides else recipe
    return parse_recipe(recipe, overrides)


def _run(
    prepared: Prepared, record: RunRecord, listener: Listener, purpose: Purpose, *, resume: bool
) -> RunResult:
    recipe, folder, world = prepared.recipe, prepared.output, World.current()
    if world.is_main and not (folder / DATA_FILE).exists():
        listener.stage("check")
        report = check_data(prepared)
        write_json(folder / DATA_FILE, report.as_dict())
        listener.data(report)
    prepared = with_self_samples(
        prepared if recipe.online is not None else with_columns(prepared),
        progress=lambda done, total: listener.progress("samples", done, total),
    )
    listener.stage("reference")
    references = resolve_references(prepared, progress=lambda d, t: listener.progress("reference", d, t))
    record.values["reference_reused"] = references.reused
    listener.stage("before")
    before = purpose.before(prepared, references, lambda d, t: listener.progress("before", d, t))
    listener.stage("train")
    checkpoints = complete_checkpoints(folder / CHECKPOINTS) if resume else []
    trainer, watch, stop = assemble(prepared, references, listener, resuming=bool(checkpoints))
    trainer.add_callback(KeptUsage(record, trainer.step))
    try:
        trainer.train(resume_from_checkpoint=str(checkpoints[-1]) if checkpoints else None)
    finally:
        stop.restore()
    alarms = list(watch.raised.values())
    received = stop.agreed()
    if received is not None:
        if world.is_main:
            record.finish("interrupted", signal=received, alarms=[a.as_dict() for a in alarms])
        return _result(folder, "interrupted", record, [], alarms)
    _choose_weights(trainer, recipe, stopped=watch.stopped_by is not None)
    outcome: Measured | None = None
    prepared = gathered(prepared)
    if world.is_main:
        listener.stage("after")
        outcome = purpose.after(prepared, before, lambda d, t: listener.progress("after", d, t))
        listener.stage("export")
        _export(prepared, record, outcome, purpose)
        if references.train.derived is not None:
            references.train.derived.save_outputs(folder / "heads.safetensors")
        if prepared.codes is not None:
            prepared.codes.save(folder / CODES)
        status = "stopped" if watch.stopped_by else "finished"
        record.finish(
            status,
            alarms=[a.as_dict() for a in alarms],
            stopped_by=watch.stopped_by.name if watch.stopped_by else None,
            kept_step=trainer.state.global_step if not keeps_best(recipe) else trainer.state.best_global_step,
            tokens_trained=trainer.tokens_seen,
            findings=[f.as_dict() for f in outcome.findings],
            evaluation=outcome.as_dict(),
            estimates=prepared.objective.report(
                trainer.step.state,
                {
                    ANNOTATOR: prepared.train.encoded.annotators,
                    **names_in(prepared.objective, prepared.train),
                },
            ),
        )
        _report(folder, listener, purpose)
    world.barrier()
    return _result(folder, record.values["status"], record, outcome.findings if outcome else [], alarms)


def _report(folder: Path, listener: Listener, purpose: Purpose) -> None:
    listener.stage("report")
    purpose.report(folder)


def _choose_weights(trainer: PreferenceTrainer, recipe: Recipe, *, stopped: bool) -> None:
    """Load the best checkpoint where that is what becomes the model."""
    best = trainer.state.best_global_step
    if not keeps_best(recipe) or not best or best == trainer.state.global_step:
        return
    checkpoint = Path(recipe.output) / CHECKPOINTS / f"checkpoint-{best}"
    if checkpoint.exists():
        trainer._load_from_checkpoint(str(checkpoint))
        for companion in trainer.companions:
            if isinstance(companion, TrainedAlong):
                companion.load(checkpoint / companion.file)


def _export(prepared: Prepared, record: RunRecord, outcome: Measured, purpose: Purpose) -> None:
    folder = prepared.output
    merge = prepared.recipe.training.peft is None or prepared.recipe.training.peft.name == "lora"
    with atomic_path(folder / "model") as partial:
        adapters.save(prepared.policy.model, partial, folder / "adapter", merge=merge)
        prepared.tokenizer.save_pretrained(partial)
        purpose.export(prepared, partial)
        model_card.write(partial / "README.md", prepared, outcome.findings, done=purpose.done, task=purpose.task)


def _make(folder: Path) -> None:
    """Create the output folder.

    Raises:
        RunError: if it cannot be created.
    """
    try:
        with explain_disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise RunError(
            f"the output {str(folder)!r}, or a folder above it, is a file",
            where="output",
            fix="name a folder, or one that does not exist yet",
        ) from None


def _result(
    folder: Path, status: str, record: RunRecord, findings: list[Finding], alarms: list[Alarm]
) -> RunResult:
    return RunResult(folder, status, folder / "model", folder / "report.html", findings, alarms, record.values)


def _read_result(record: RunRecord) -> RunResult:
    values = record.values
    return _result(
        record.folder,
        values["status"],
        record,
        [Finding(**f) for f in values.get("findings", [])],
        [Alarm(**a) for a in values.get("alarms", [])],
    )
