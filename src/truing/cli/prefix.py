"""``truing reward prefix``: learn what unfinished answers are worth, for controlled decoding."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.arguments import DryRun


def prefix(
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="[RECIPE] [KEY=VALUE]...",
            help="YAML file, and changes to it; or keys alone: model, prompts, rewards, output, and answers, objective "
            "(q or fudge), branches, ridge, held_out.",
            show_default=False,
        ),
    ],
    dry_run: DryRun = False,
    json: Annotated[bool, typer.Option("--json", help="Print what was learned as JSON.")] = False,
) -> None:
    """Learn what unfinished answers are worth, from answers that the model draws and rewards judge.

    The folder is for `truing generate` with decode={name: controlled-decoding, value: FOLDER} and the same model.
    """
    from dataclasses import asdict

    from truing.cli.console import ConsoleListener, print_json
    from truing.decoding.prefix.recipe import load_prefix_recipe
    from truing.decoding.prefix.train import foreseen, learn

    head = None if "=" in given[0] else Path(given[0])
    recipe = load_prefix_recipe(head, given if head is None else given[1:])
    if dry_run:
        plan = foreseen(recipe)
        if json:
            print_json(asdict(plan))
            return
        assert plan.most is not None
        typer.echo(
            f"{plan.prompts:,} prompts of {plan.tokens:,} tokens: at most {plan.most.answers:,} answers, "
            f"{plan.most.tokens:,} tokens of answers, and {plan.most.rewards:,} rewarded texts. Nothing was done "
            "(--dry-run)."
        )
        return
    listener = ConsoleListener(quiet=json)
    try:
        found = learn(recipe, progress=lambda done, total: listener.progress("drawing answers", done, total))
    finally:
        listener.close()
    if json:
        about = {**found.scorer.about, "held_out": found.held_out, "prefixes": found.prefixes}
        print_json({**about, "cost": asdict(found.cost), "output": recipe.output})
        return
    typer.echo(f"{recipe.output}: values of {found.prefixes:,} beginnings of answers to {found.prompts:,} prompts")
    told = ", ".join(f"{share:.0%} in the {place}" for place, share in found.explained.items() if place != "end")
    typer.echo(
        f"Of the differences between rewards of {found.held_out:,} held-out prompts' answers they explain {told}, and "
        f"{found.explained['end']:.0%} at the end."
    )
