"""``truing guidelines retrieve``: what a library says of a question."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.prompt.arguments import AsJson


def retrieve(
    library: Annotated[
        Path, typer.Argument(help="Folder that `truing guidelines build` wrote.", show_default=False)
    ],
    question: Annotated[str, typer.Argument(help="A question.", show_default=False)],
    k: Annotated[int, typer.Option("--k", min=1, help="How many guidelines.")] = 5,
    variety: Annotated[
        float, typer.Option("--variety", min=0.0, max=0.99, help="Weight of being unlike those taken already.")
    ] = 0.3,
    json: AsJson = False,
) -> None:
    """Print the guidelines that a question would be answered under, the nearest first."""
    from truing.cli.console import print_json
    from truing.prompting.guidelines.retrieval import Retriever

    retriever = Retriever.read(library)
    (numbers,) = retriever.retrieve([question], k, variety)
    scores = retriever.scores([question])[0]
    rows = [{"guideline": retriever.library.guidelines[n], "score": round(float(scores[n]), 4)} for n in numbers]
    if json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['score']:.3f}  {row['guideline']}")
