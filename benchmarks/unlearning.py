"""Ways to forget, compared on fictitious authors that truing/tiny was taught: what is left of what, step by step.

    python benchmarks/unlearning.py --folder runs/unlearning --method npo ga graddiff --seed 0 1 2
    python benchmarks/unlearning.py --folder runs/unlearning --method npo --mask none wagle random --keep 0.1

The first call teaches two models, one with and one without the authors that are to be forgotten; later calls find
them in the folder. Every run is one of ``truing unlearn``; its checkpoints are measured beside the retrained model.
Runs that are there already are not done again, so that the table is printed once more.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing import align, unlearn
from truing.policies.loading import load_tokenizer
from truing.unlearning.files import policy_of
from truing.unlearning.measure import ModelMeasures, compare, measure_model
from truing.unlearning.sets import How
from truing.unlearning.suite import Suite, make_suite, write_suite

TEACHING = {"epochs": 12, "learning_rate": 1e-3, "global_batch": 16, "schedule": "linear", "keep_checkpoints": 1}
RETAIN_FREE = ("ga", "npo-alone")


@dataclass(frozen=True)
class Setting:
    """What all runs share.

    Attributes:
        folder: for data, models and results.
        suite: the questions.
        retrained: measures of the model that never saw the forget set.
        training: keys of the recipe.
        retain_weight: coefficient of what keeps the retain set, where there is one.
    """

    folder: Path
    suite: Suite
    retrained: ModelMeasures
    training: dict[str, Any]
    retain_weight: float


def main() -> None:
    """Run what is missing, and print one table."""
    given = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    given.add_argument("--folder", type=Path, required=True)
    given.add_argument("--method", nargs="+", default=["ga", "graddiff", "npo", "simnpo", "idk"])
    given.add_argument("--mask", nargs="+", default=["none"], help="rules; none trains all weights")
    given.add_argument("--keep", type=float, default=0.1, help="share of the weights that a mask frees")
    given.add_argument("--gamma", default="gauss-newton")
    given.add_argument("--seed", nargs="+", type=int, default=[0])
    given.add_argument("--steps", type=int, default=50)
    given.add_argument("--every", type=int, default=10, help="steps between measurements")
    given.add_argument("--learning-rate", type=float, default=1e-4)
    given.add_argument("--retain-weight", type=float, default=1.0)
    asked = given.parse_args()
    training = {
        "max_steps": asked.steps,
        "save_every": asked.every,
        "keep_checkpoints": asked.steps,
        "learning_rate": asked.learning_rate,
        "schedule": "constant",
        "warmup": 0.0,
        "global_batch": 8,
    }
    setting = prepared(asked.folder, training, asked.retain_weight)
    rows = []
    for method, rule, seed in itertools.product(asked.method, asked.mask, asked.seed):
        mask = None if rule == "none" else {"rule": rule, "keep": asked.keep, "gamma": asked.gamma}
        rows += trajectory(setting, method, mask, seed)
    print_table(rows)


def prepared(folder: Path, training: dict[str, Any], retain_weight: float) -> Setting:
    """Data and the two models, made where they are missing."""
    suite = make_suite(20, 0.2, per_author=10)
    if not (folder / "data").exists():
        write_suite(suite, folder / "data", teach_controls=True)
    for name in ("full", "retrain"):
        if not (folder / name / "report.html").exists():
            data = {"path": str(folder / "data" / f"{name}.jsonl"), "eval_fraction": 0}
            output = str(folder / name)
            align(
                {"model": "truing/tiny", "data": data, "objective": "sft", "training": TEACHING, "output": output},
                resume=(folder / name / "run.json").exists(),
            )
    asked = Suite(suite.forget, suite.retain, [], suite.real_authors, suite.world_facts)
    retrained = measured(folder / "retrain" / "model", asked)
    return Setting(folder, asked, retrained, training, retain_weight)


def measured(model: Path, suite: Suite) -> ModelMeasures:
    """Everything but generated answers."""
    return measure_model(policy_of(str(model)), load_tokenizer(str(model)), suite, how=How(max_new_tokens=0))


def trajectory(setting: Setting, method: str, mask: dict[str, Any] | None, seed: int) -> list[dict[str, Any]]:
    """One run, measured at every checkpoint; step 0 is the starting model."""
    rule = "dense" if mask is None else f"{mask['rule']} {mask['keep']:g}"
    rate, steps = setting.training["learning_rate"], setting.training["max_steps"]
    weight = setting.retain_weight
    name = f"{method}-{rule.replace(' ', '-')}-{rate:g}-{weight:g}-{steps}-{seed}"
    stored = setting.folder / "results" / f"{name}.json"
    if stored.exists():
        return with_fall(stored)
    output = setting.folder / "runs" / name
    shutil.rmtree(output, ignore_errors=True)
    recipe = {
        "model": str(setting.folder / "full" / "model"),
        "forget": str(setting.folder / "data" / "forget.jsonl"),
        "method": method.removesuffix("-alone"),
        "training": {**setting.training, "seed": seed},
        "output": str(output),
    }
    if method not in RETAIN_FREE or (mask is not None and mask["rule"] == "wagle"):
        recipe["retain"] = str(setting.folder / "data" / "retain.jsonl")
    if method in RETAIN_FREE and "retain" in recipe:
        recipe["retain_loss"] = "none"
    elif "retain" in recipe:
        recipe["retain_weight"] = weight
    if mask is not None:
        recipe["mask"] = {**mask, "seed": seed}
    if unlearn(recipe).status == "interrupted":
        raise SystemExit(f"{name} was interrupted, and nothing of it is kept")
    logged = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    folders = {0: setting.folder / "full" / "model"}
    folders |= {int(p.name.split("-")[1]): p for p in (output / "checkpoints").glob("checkpoint-*")}
    rows = []
    for step, folder in sorted(folders.items()):
        report = compare(measured(folder, setting.suite), setting.retrained)
        assert report.forget_quality is not None
        assert report.utility is not None
        rows.append(
            {
                "method": method,
                "mask": rule,
                "seed": seed,
                "step": step,
                "p": report.forget_quality.p_value,
                "D": report.forget_quality.statistic,
                "utility": report.utility.as_dict(),
                "probability": {
                    part: float(report.model.sets[part].values["probability"].mean())
                    for part in ("forget", "retain")
                },
            }
        )
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_text(json.dumps(rows, indent=1))
    (stored.parent / f"{name}-metrics.json").write_text(json.dumps(logged))
    shutil.rmtree(output)
    return with_fall(stored)


def with_fall(stored: Path) -> list[dict[str, Any]]:
    """Stored measurements, and how far the answers to forget have fallen: nats an answer, mean over five steps."""
    rows: list[dict[str, Any]] = json.loads(stored.read_text())
    logged = json.loads(stored.with_name(f"{stored.stem}-metrics.json").read_text())
    logps = {line["step"]: line["logps/rejected"] for line in logged if "logps/rejected" in line}
    for row in rows:
        near = [logps[step] for step in range(row["step"] - 4, row["step"] + 1) if step in logps]
        row["fall"] = logps[1] - sum(near) / len(near) if near else 0.0
    return rows


def print_table(rows: list[dict[str, Any]]) -> None:
    """One line for each measurement."""
    columns = ("method", "mask", "seed", "step", "p", "D", "probability, forget", "probability, retain", "utility")
    print(f"| {' | '.join(columns)} | interval | fall |")
    print(f"|---|---|{'--:|' * (len(columns) - 2)}--:|--:|")
    for row in rows:
        utility, probability = row["utility"], row["probability"]
        print(
            f"| {row['method']} | {row['mask']} | {row['seed']} | {row['step']} | {row['p']:.3g} | {row['D']:.2f} | "
            f"{probability['forget']:.3f} | {probability['retain']:.3f} | {utility['value']:.3f} | "
            f"{utility['low']:.3f} to {utility['high']:.3f} | {row['fall']:.1f} |"
        )


if __name__ == "__main__":
    main()
