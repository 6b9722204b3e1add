"""``truing guidelines``: a library of guidelines, what it says of a question, and how to do without it."""

from __future__ import annotations

import typer

from truing.cli.guidelines.build import build
from truing.cli.guidelines.distil import distil
from truing.cli.guidelines.retrieve import retrieve

app = typer.Typer(no_args_is_help=True)
app.command("build")(build)
app.command("retrieve")(retrieve)
app.command("distil")(distil)


@app.callback()
def _group() -> None:
    """Write guidelines with a safety-trained model, and answer questions under those that fit (Guide-Align)."""
