"""``truing mix``: one model out of the output heads of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def mix(
    run: Annotated[Path, typer.Argument(help="Folder of a run that trained several heads (mah-dpo).")],
    weights: Annotated[
        list[str],
        typer.Argument(metavar="HEAD=WEIGHT...", help="E.g. main=0.7 harmless=0.3; main is the model's own."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the mixed model.")],
) -> None:
    """Write a model whose output head is a weighted mixture of a run's heads."""
    from rich.console import Console

    from truing.policies.heads import mix_run

    mix_run(run, weights, output)
    Console(highlight=False).print(f"{output}: {', '.join(weights)}")
