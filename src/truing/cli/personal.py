"""``truing reward personal`` and ``truing reward add-user``: rewards that depend on who asks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.arguments import Overrides, RecipeFile


def personal(
    recipe: RecipeFile,
    overrides: Overrides = None,
    json: Annotated[bool, typer.Option("--json", help="Print the record of the run as JSON.")] = False,
) -> None:
    """Fit a reward for every user who labelled, on the states of a frozen model.

    A recipe has `model`, `data` (pairs with a column `annotator`), `method` (`pal` if left out) and `output`.
    """
    from rich.console import Console

    from truing.cli.console import print_json
    from truing.rewards.personal.training import fit_personal, shared_sentence

    run = fit_personal(recipe, *(overrides or []))
    if json:
        print_json(run.record)
        return
    console = Console(highlight=False)

    def say(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    say(
        f"{run.record['pairs']:,} pairs of {len(run.record['model']['weights'])} users; the model is in {run.model}"
    )
    for finding in run.findings:
        say(f"  {finding.sentence}")
    if run.report is not None:
        for user, accuracy in run.report.subsets.items():
            shown = ", ".join(f"{weight:.2f}" for weight in run.record["model"]["weights"][user])
            say(
                f"    {user}: {accuracy.value:.1%} ({accuracy.low:.1%} to {accuracy.high:.1%}, {accuracy.n} pairs), "
                f"weights {shown}"
            )
    else:
        say("  Nothing was held out: how good it is was not measured.")
    compared = shared_sentence(run)
    if compared is not None:
        say(f"  {compared}")


def add_user(
    model: Annotated[Path, typer.Argument(help="Folder of a personal reward model.", show_default=False)],
    name: Annotated[str, typer.Option("--name", help="What the new user is called.")],
    data: Annotated[str, typer.Option("--data", help="Pairs that the user labelled; a handful will do.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the model with the user.")],
) -> None:
    """Add a user to a personal reward model from a few labelled pairs; all else stays as it is."""
    from rich.console import Console

    from truing.data.sources import load
    from truing.data.views import view
    from truing.rewards.personal.model import PersonalModel

    records = view(load(data), frozenset({"pairs"}))
    found = PersonalModel.load(model).with_user(name, records)
    found.save(output)
    shown = ", ".join(f"{float(weight):.2f}" for weight in found.fitted.weights[-1])
    Console(highlight=False).print(
        f"{name}: weights {shown}, from {len(records)} pairs; the model is in {output}",
        markup=False,
        soft_wrap=True,
    )
