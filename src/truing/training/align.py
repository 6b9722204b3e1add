"""The main job: from a recipe to an aligned model, a record of the run and a report.

Stages, each of which leaves its result on disk and is not done again on ``--resume``: prepare, check, reference,
before (held-out scores and sampled answers of the starting model), train, after, export, report.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
import yaml
from transformers import TrainingArguments

from truing.diagnostics import Alarm, Facts
from truing.errors import RecipeError, RunError
from truing.evaluation.findings import Finding
from truing.objectives.algebra.latent import ANNOTATOR
from truing.recipe import Recipe, load_recipe, parse_recipe
from truing.training import adapters, callbacks, model_card
from truing.training.after import Outcome, measure_after, measure_before
from truing.training.columns import with_columns
from truing.training.data_check import DATA_FILE, check_data
from truing.training.derived import TrainedAlong
from truing.training.distributed import World
from truing.training.listener import Listener
from truing.training.plan import describe, plan
from truing.training.prepare import Prepared, Split, prepare
from truing.training.record import RunRecord
from truing.training.reference import Companion, MovingReference
from truing.training.references import Resolved, refreshed_samples, resolve_references
from truing.training.self_samples import with_self_samples
from truing.training.step import PreferenceStep, References
from truing.training.trainer import CHECKPOINTS, PreferenceTrainer, complete_checkpoints
from truing.training.weight_mask import masked
from truing.training.whole import gathered
from truing.writing import atomic_path, explain_disk_errors, remove_partials, write_json, write_text

# A run that ended in one of these ways is not continued.
_COMPLETE = ("finished", "stopped")


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


def align(
    recipe: Recipe | Mapping[str, Any] | str | Path,
    *overrides: str,
    resume: bool = False,
    listener: Listener | None = None,
    made_from: Mapping[str, Any] | None = None,
) -> RunResult:
    """Align a model with preferences.

    Args:
        recipe: a mapping with the keys of a recipe, the path of a YAML file, or a recipe that was checked already.
        overrides: changes as on the command line, e.g. ``"training.epochs=2"``.
        resume: go on with a run that was interrupted; a finished run is returned as it is.
        listener: hears about progress.
        made_from: what the recipe was made from, where that was another recipe; kept in the record, and a run is
            resumed with the same one only.

    Raises:
        TruingError: on anything the user can mend.
    """
    listener = listener or Listener()
    recipe = _checked(recipe, overrides)
    folder = Path(recipe.output)
    world = World.join()
    described = {"recipe": recipe.model_dump(mode="json"), **({"made_from": dict(made_from)} if made_from else {})}
    earlier = _earlier(folder, described, resume)
    world.barrier()  # all have looked at the folder before one writes to it
    if earlier is not None and earlier.values.get("status") in _COMPLETE:
        if world.is_main and not (folder / "report.html").exists():
            _report(folder, listener)
        return _read_result(earlier)
    listener.stage("prepare")
    prepared = prepare(recipe)
    arguments(prepared)  # what transformers refuses is refused before anything is written
    values = plan(prepared)
    listener.plan(describe(values))
    record = earlier or RunRecord.start(folder, recipe)
    if world.is_main:
        _make(folder)
        remove_partials(folder)
        record.update(status="running", plan=values, **described)
        write_text(folder / "recipe.yaml", yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False))
    try:
        return _run(prepared, record, listener, resume=resume)
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


def _run(prepared: Prepared, record: RunRecord, listener: Listener, *, resume: bool) -> RunResult:
    recipe, folder, world = prepared.recipe, prepared.output, World.current()
    if world.is_main and not (folder / DATA_FILE).exists():
        listener.stage("check")
        report = check_data(prepared)
        write_json(folder / DATA_FILE, report.as_dict())
        listener.data(report)
    prepared = with_self_samples(
        with_columns(prepared), progress=lambda done, total: listener.progress("samples", done, total)
    )
    listener.stage("reference")
    references = resolve_references(prepared, progress=lambda d, t: listener.progress("reference", d, t))
    record.values["reference_reused"] = references.reused
    listener.stage("before")
    before = measure_before(prepared, references, progress=lambda d, t: listener.progress("before", d, t))
    listener.stage("train")
    checkpoints = complete_checkpoints(folder / CHECKPOINTS) if resume else []
    trainer, watch, stop = _trainer(prepared, references, listener, resuming=bool(checkpoints))
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
    outcome: Outcome | None = None
    prepared = gathered(prepared)
    if world.is_main:
        listener.stage("after")
        outcome = measure_after(prepared, before, progress=lambda d, t: listener.progress("after", d, t))
        listener.stage("export")
        _export(prepared, record, outcome)
        if references.train.derived is not None:
            references.train.derived.save_outputs(folder / "heads.safetensors")
        status = "stopped" if watch.stopped_by else "finished"
        record.finish(
            status,
            alarms=[a.as_dict() for a in alarms],
            stopped_by=watch.stopped_by.name if watch.stopped_by else None,
            kept_step=trainer.state.global_step if not _keeps_best(recipe) else trainer.state.best_global_step,
            tokens_trained=trainer.tokens_seen,
            findings=[f.as_dict() for f in outcome.findings],
            evaluation=outcome.as_dict(),
            estimates=prepared.objective.report(
                trainer.step.state, {ANNOTATOR: prepared.train.encoded.annotators}
            ),
        )
        _report(folder, listener)
    world.barrier()
    return _result(folder, record.values["status"], record, outcome.findings if outcome else [], alarms)


def _report(folder: Path, listener: Listener) -> None:
    from truing.report import write_run_report

    listener.stage("report")
    write_run_report(folder)


def _trainer(
    prepared: Prepared, references: Resolved, listener: Listener, *, resuming: bool
) -> tuple[PreferenceTrainer, callbacks.AlarmWatch, callbacks.CleanStop]:
    recipe, world = prepared.recipe, World.current()

    def step_over(split: Split, reference: References) -> PreferenceStep:
        return PreferenceStep(
            prepared.policy, prepared.objective, split.examples, reference, budget=prepared.budget, world=world
        )

    step = step_over(prepared.train, references.train)
    evaluation = None
    if prepared.held_out is not None:
        evaluation = step_over(prepared.held_out, references.held_out)
    metrics = prepared.output / "metrics.jsonl"
    facts = Facts(
        total_steps=prepared.steps,
        global_batch=recipe.training.global_batch,
        eval_records=len(evaluation.data) if evaluation else 0,
        log_every=recipe.training.log_every,
        kl_budget=recipe.alarms.kl_budget,
    )
    watch = callbacks.AlarmWatch(metrics, facts, tuple(recipe.alarms.stop_on), listener.alarm)
    stop = callbacks.CleanStop()
    extra: list[Any] = [
        callbacks.NothingLeft(),
        callbacks.MetricsFile(metrics),
        watch,
        stop,
        callbacks.ProgressLine(listener.quiet),
        *masked(recipe),
    ]
    if _keeps_best(recipe):
        extra.insert(0, callbacks.BestCheckpoint())
    trainer = PreferenceTrainer(
        step,
        arguments(prepared, resuming=resuming),
        global_batch=recipe.training.global_batch,
        evaluation=evaluation,
        companions=_companions(prepared, references),
        trained_along=_trained_along(references),
        callbacks=extra,
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.remove_callback(transformers.ProgressCallback)
    return trainer, watch, stop


def _companions(prepared: Prepared, references: Resolved) -> list[Companion]:
    recipe = prepared.recipe
    found: list[Companion] = []
    if recipe.reference.sync_every is not None and references.policy is not None:
        moving = recipe.reference
        found.append(MovingReference(references.policy.model, recipe.reference.sync_every, moving.sync_mix))
    refreshed = refreshed_samples(prepared, references)
    if refreshed is not None:
        found.append(refreshed)
    modules = _trained_along(references)
    return found if modules is None else [*found, TrainedAlong(modules)]


def _trained_along(references: Resolved) -> torch.nn.ModuleDict | None:
    derived = references.train.derived
    return derived.trained if derived is not None and len(derived.trained) else None


def arguments(prepared: Prepared, *, resuming: bool = False) -> TrainingArguments:
    """Transformers' training arguments for a prepared run.

    Args:
        prepared: the run.
        resuming: whether it goes on from a checkpoint; the evaluation at that step is in the record already.

    Raises:
        RecipeError: if transformers refuses a value.
    """
    training, world = prepared.recipe.training, World.current()
    tenth = max(1, prepared.steps // 10)
    evaluates = prepared.held_out is not None
    on_gpu = prepared.policy.device.type == "cuda"
    values: dict[str, Any] = {
        "output_dir": prepared.recipe.output,
        "per_device_train_batch_size": math.ceil(training.global_batch / world.size),
        "max_steps": prepared.steps,
        "learning_rate": training.learning_rate,
        "lr_scheduler_type": {"constant": "constant_with_warmup"}.get(training.schedule, training.schedule),
        "warmup_steps": round(training.warmup * prepared.steps),
        "weight_decay": training.weight_decay,
        "adam_beta1": training.adam_betas[0],
        "adam_beta2": training.adam_betas[1],
        "max_grad_norm": training.max_grad_norm,
        "logging_steps": training.log_every,
        "eval_strategy": "steps" if evaluates else "no",
        "eval_steps": training.eval_every or tenth,
        "eval_on_start": evaluates and not resuming,
        "save_strategy": "steps",
        "save_steps": training.save_every or tenth,
        "save_total_limit": training.keep_checkpoints,
        "report_to": training.report_to,
        "seed": training.seed,
        "data_seed": training.seed,
        "use_cpu": not on_gpu,
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "logging_nan_inf_filter": False,
        "ddp_find_unused_parameters": False,
        "ddp_backend": None if world.size == 1 else ("nccl" if on_gpu else "gloo"),
        "dataloader_pin_memory": False,
    }
    try:
        return TrainingArguments(**{**values, **training.arguments})
    except (TypeError, ValueError, ImportError) as error:
        raise RecipeError(
            f"transformers refuses the training arguments: {str(error).strip().splitlines()[0]}",
            where="training.arguments or training.report_to",
        ) from None


def _keeps_best(recipe: Recipe) -> bool:
    keep = recipe.training.keep
    return keep == "best" or (keep == "auto" and bool(recipe.alarms.stop_on))


def _choose_weights(trainer: PreferenceTrainer, recipe: Recipe, *, stopped: bool) -> None:
    """Load the best checkpoint where that is what becomes the model."""
    best = trainer.state.best_global_step
    if not _keeps_best(recipe) or not best or best == trainer.state.global_step:
        return
    checkpoint = Path(recipe.output) / CHECKPOINTS / f"checkpoint-{best}"
    if checkpoint.exists():
        trainer._load_from_checkpoint(str(checkpoint))
        for companion in trainer.companions:
            if isinstance(companion, TrainedAlong):
                companion.load(checkpoint / companion.file)


def _export(prepared: Prepared, record: RunRecord, outcome: Outcome) -> None:
    folder = prepared.output
    merge = prepared.recipe.training.peft is None or prepared.recipe.training.peft.name == "lora"
    with atomic_path(folder / "model") as partial:
        adapters.save(prepared.policy.model, partial, folder / "adapter", merge=merge)
        prepared.tokenizer.save_pretrained(partial)
        model_card.write(partial / "README.md", prepared, outcome)


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


def _earlier(folder: Path, described: Mapping[str, Any], resume: bool) -> RunRecord | None:
    """The record of an earlier run in the same folder, if it may be continued.

    Raises:
        RunError: if the folder holds a run and resuming was not asked for, or the recipe changed.
    """
    if not (folder / "run.json").exists():
        if resume:
            raise RunError(
                "there is nothing to resume", where=str(folder), fix="run without --resume, or check `output`"
            )
        return None
    record = RunRecord.read(folder)
    if not resume:
        raise RunError(
            f"the output folder holds a run already (status {record.values.get('status')})",
            where=str(folder),
            fix="continue it with --resume, choose another output, or remove the folder",
        )
    changed = [
        difference
        for name, values in described.items()
        for difference in differences(record.values.get(name, {}), values)
    ]
    if changed:
        shown = "; ".join(f"{key} was {old!r}, is {new!r}" for key, old, new in changed[:4])
        raise RunError(
            f"the recipe differs from that of the run that is to be resumed: {shown}",
            where=str(folder / "run.json"),
            fix="use the same recipe, or another output",
        )
    if record.values.get("status") not in _COMPLETE:
        for key in ("signal", "error", "ended"):  # how the earlier attempt ended
            record.values.pop(key, None)
    return record


def differences(old: Any, new: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Keys whose values differ between two recipes."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in sorted(set(old) | set(new)):
            found += differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
        return found
    return [] if old == new else [(path, old, new)]


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
