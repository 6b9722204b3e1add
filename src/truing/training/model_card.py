"""The model card that stands in the model's folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

import truing
from truing.data.asking import Asking
from truing.evaluation.findings import Finding
from truing.training.prepare import Prepared


def write(path: Path, prepared: Prepared, findings: Sequence[Finding], *, done: str, task: str) -> None:
    """Write README.md with the metadata that the hub reads, and with what was measured."""
    recipe, records = prepared.recipe, prepared.train.records
    front = yaml.safe_dump(
        {
            "base_model": recipe.model.name,
            "library_name": "transformers",
            "pipeline_tag": task,
            "tags": ["truing", "alignment", prepared.objective.name],
        },
        sort_keys=False,
    )
    lines = [
        f"---\n{front}---\n",
        f"# {Path(recipe.output).name}",
        "",
        f"`{recipe.model.name}`, {done} with `{prepared.objective.name}` by Truing {truing.__version__}.",
        "",
        "| | |",
        "|---|---|",
        f"| objective | `{prepared.objective.text()}` |",
        f"| data | {records.source} ({records.layout}), {prepared.train.encoded.report.rows:,} {records.kind} |",
        f"| steps | {prepared.steps:,} of {recipe.training.global_batch} records |",
        f"| learning rate | {recipe.training.learning_rate:g} ({recipe.training.schedule}) |",
        f"| adapter | {recipe.training.peft.name if recipe.training.peft else 'none'} |",
        f"| seed | {recipe.training.seed} |",
        "",
        "## What changed",
        "",
    ]
    if findings:
        lines += [f"- **{finding.verdict}**: {finding.sentence}" for finding in findings]
    else:
        lines.append("Nothing was held out, so nothing was measured.")
    if prepared.asking != Asking():
        lines += [
            "",
            f"The model was trained to be asked {prepared.asking.words}, and so it was when it was measured.",
        ]
    lines += ["", "The full record is `run.json`, and the report `report.html`, in the folder of the run.", ""]
    path.write_text("\n".join(lines), encoding="utf-8")
