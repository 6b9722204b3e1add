"""Arguments that commands share: first of those that train from a recipe, then of those that measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RecipeFile = Annotated[Path, typer.Argument(help="YAML file; see the guide for its keys.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Changes to the recipe, e.g. training.epochs=2."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check recipe, data and model, print the plan, do nothing.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the record of the run as JSON.")]

Preferences = Annotated[str, typer.Argument(help="Preference data: file, folder, glob or hub data set.")]
AnyModel = Annotated[str, typer.Argument(help="Folder, hub name, or http://HOST/v1#MODEL.", show_default=False)]
LocalModel = Annotated[str, typer.Argument(help="Model folder, checkpoint, hub name, or truing/tiny.")]
Audited = Annotated[str, typer.Option("--model", help="Who is audited: folder, name, or http://HOST/v1#MODEL.")]
Ratings = Annotated[
    Path | None,
    typer.Option("--ratings", help="File with columns NAME_chosen and NAME_rejected, rows by id or in order."),
]
Column = Annotated[
    str | None, typer.Option("--column", help="Column of a file that holds the prompt, e.g. Behavior.")
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Use only the first rows.")]
VoteSample = Annotated[int | None, typer.Option("--sample", min=1, help="Look at so many votes at random.")]
BootstrapDraws = Annotated[int, typer.Option("--draws", min=1, help="Bootstrap samples.")]
MaxNewTokens = Annotated[int, typer.Option("--max-new-tokens", min=1, help="Longest answer, tokens.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of everything that is drawn.")]
KeyFrom = Annotated[str | None, typer.Option("--key-from", help="Environment variable with the endpoint's key.")]
LayoutName = Annotated[str | None, typer.Option("--layout", help="Name of the layout, if ambiguous.")]
NumbersFile = Annotated[Path | None, typer.Option("--output", "-o", help="JSON file with all numbers.")]
AskNothing = Annotated[bool, typer.Option("--dry-run", help="Read the data, say what would be done, do nothing.")]
JsonResult = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
