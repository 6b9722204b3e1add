"""``truing prompt``: change what models are shown, and measure what that is worth."""

from __future__ import annotations

import typer

from truing.cli.prompt.apply import apply
from truing.cli.prompt.compare import compare
from truing.cli.prompt.search import search

app = typer.Typer(no_args_is_help=True)
app.command("apply")(apply)
app.command("compare")(compare)
app.command("search")(search)


@app.callback()
def _group() -> None:
    """Change what models are shown, and measure what that is worth."""
