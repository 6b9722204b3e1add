"""The quickstart: a real preference set, a real (tiny) model, a judge that was not trained on, three minutes."""

from __future__ import annotations

from pathlib import Path

from truing.errors import RunError
from truing.recipe import Recipe, parse_recipe
from truing.training.align import RunResult, align
from truing.training.listener import Listener

ABOUT = (
    "A language model of 6 million parameters learns from 244 pairs of answers that people compared (HH-RLHF).\n"
    "A judge trained on other people's comparisons then reads answers to prompts that were held out.\n"
)


def recipe(output: Path) -> Recipe:
    """The recipe of the quickstart, as it would stand in a file."""
    return parse_recipe(
        {
            "model": "truing/tiny",
            "data": {"path": "truing/hh-sample", "eval_fraction": 0.4, "max_length": 512},
            "objective": [{"name": "dpo", "beta": 0.1}, {"name": "nll", "weight": 0.4}],
            "training": {
                "epochs": 2,
                "learning_rate": 2e-4,
                "global_batch": 16,
                "save_every": 1000,
                "eval_every": 4,
            },
            "evaluation": {
                "judge": "harmlessness",
                "answers_per_prompt": 3,
                "max_new_tokens": 48,
                "samples": 6,
            },
            "output": str(output),
        }
    )


def run(output: Path, listener: Listener) -> RunResult:
    """Check the data, align, measure, report.

    Raises:
        RunError: if ``output`` holds a run already.
    """
    if (output / "run.json").exists():
        raise RunError(
            "the folder holds a run already", where=str(output), fix="remove it, or choose another with --output"
        )
    return align(recipe(output), listener=listener)
