"""Diagnose the model of a finished run on what the run held out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from truing.diagnostics.model import ModelDiagnosis, Options, diagnose_model
from truing.errors import RunError, TruingError


def diagnose_finished(
    folder: Path, *, data: str | None = None, reference: str | None = None, options: Options | None = None
) -> ModelDiagnosis:
    """Measure the run's model against its reference.

    Args:
        folder: output folder of ``truing align``.
        data: pairs in place of those that the run held out.
        reference: a model in place of the run's own reference.
        options: how; lengths, template and system message are the recipe's, ``beta`` the objective's if it has one.

    Raises:
        RunError: if the run has no model yet, or held nothing out.
        TruingError: on anything else the user can mend.
    """
    from truing.recipe import parse_recipe
    from truing.training.record import RunRecord
    from truing.training.splits import load_splits

    record = RunRecord.read(folder)
    model = folder / "model"
    if not (model / "config.json").exists():
        raise RunError(
            f"the run has written no model yet (status {record.values.get('status')})",
            where=str(model),
            fix="wait until it has ended; --quick reads its metrics alone",
        )
    try:
        recipe = parse_recipe(record.values["recipe"])
    except KeyError:
        raise RunError("run.json holds no recipe", where=str(folder)) from None
    options = replace(
        options or Options(),
        max_length=recipe.data.max_length,
        chat_template=recipe.data.chat_template,
        system=recipe.data.system,
    )
    reference = reference or recipe.reference.model or recipe.model.name
    if data is not None:
        return diagnose_model(str(model), data, reference=reference, options=options)
    _, held = load_splits(recipe)
    if held is None:
        raise RunError(
            "the run held nothing out, and a model looks better than it is on what it was trained on",
            where=str(folder),
            fix="give pairs that it has not seen with --data, or read the metrics alone with --quick",
        )
    return diagnose_model(str(model), held, reference=reference, options=options)


def beta_of(folder: Path) -> float | None:
    """The objective's beta, as the recipe has it or by default; ``None`` where it has none or several."""
    from truing.objectives import METHODS
    from truing.training.record import RunRecord

    given = RunRecord.read(folder).values.get("recipe", {}).get("objective")
    parts = given if isinstance(given, list) else [given]
    betas = []
    for part in parts:
        name, values = (part, {}) if isinstance(part, str) else (str((part or {}).get("name")), part or {})
        try:
            method = METHODS.get(name)
        except TruingError:
            continue
        default = next((p.default for p in method.parameters if p.name == "beta"), None)
        beta = values.get("beta", default)
        if isinstance(beta, int | float) and beta > 0:
            betas.append(float(beta))
    return betas[0] if len(betas) == 1 else None
