"""``truing align``: align a model with preferences from one recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from truing.cli.arguments import AsJson, DryRun, Overrides, RecipeFile, Resume

if TYPE_CHECKING:
    from truing.cli.running import Planned
    from truing.training.align import RunResult
    from truing.training.listener import Listener


def align(
    recipe: RecipeFile,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    resume: Resume = False,
    json: AsJson = False,
) -> int:
    """Align a model with preferences.

    A recipe is short: `model`, `data`, `objective`, `training`, `output`. The run leaves a model folder,
    `run.json`, `metrics.jsonl` and `report.html` in `output`.
    """
    from truing.cli.running import run_recipe
    from truing.recipe import load_recipe

    given = overrides or []
    checked = load_recipe(recipe, given)

    def planned() -> Planned:
        from truing.training.plan import planned

        return planned(checked)

    def train(listener: Listener) -> RunResult:
        from truing.training.align import align as run

        return run(checked, resume=resume, listener=listener)

    return run_recipe("align", recipe, given, plan=planned if dry_run else None, train=train, json=json)
