"""``truing unlearn``: data to forget, and what a model still knows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Make models forget, and measure what they still know."""


@app.command()
def data(
    output: Annotated[Path, typer.Option("--output", help="Folder to write to.")],
    authors: Annotated[int, typer.Option("--authors", help="Fictitious authors that a model is trained on.")] = 20,
    forget: Annotated[float, typer.Option("--forget", help="Share of the authors to be forgotten.")] = 0.1,
    per_author: Annotated[int, typer.Option("--per-author", help="Questions about each, at most 20.")] = 20,
    holdout: Annotated[
        int | None, typer.Option("--holdout", help="Authors that no model sees; as many as are forgotten.")
    ] = None,
    teach_controls: Annotated[
        bool, typer.Option("--teach-controls", help="Train on the control questions too; for tiny models.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same data.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Make up authors, questions about them, paraphrases and wrong answers, split into forget and retain."""
    from rich.console import Console

    from truing.cli.console import print_json
    from truing.unlearning.suite import make_suite, write_suite

    suite = make_suite(authors, forget, per_author=per_author, holdout=holdout, seed=seed)
    written = write_suite(
        suite,
        output,
        teach_controls=teach_controls,
        authors=authors,
        forget=forget,
        per_author=per_author,
        seed=seed,
    )
    if json:
        print_json({"folder": str(output), "questions": written})
        return
    console = Console(highlight=False)
    for name, count in written.items():
        console.print(f"{output / name}.jsonl: {count} questions, {PURPOSES[name]}")


PURPOSES = {
    "forget": "to be forgotten",
    "retain": "to be kept",
    "holdout": "that no model is trained on",
    "real_authors": "control questions about real authors",
    "world_facts": "control questions about the world",
    "full": "to train the model that will have to forget",
    "retrain": "to train the model that never knew them",
}
