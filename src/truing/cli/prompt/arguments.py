"""Arguments that commands about prompts share, with those that they share with others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.arguments import Column, KeyFrom, Limit, MaxNewTokens, Seed
from truing.cli.arguments import JsonResult as AsJson

Questions = Annotated[
    str, typer.Argument(help="File, folder, glob or hub data set with prompts.", show_default=False)
]
With = Annotated[
    list[str] | None,
    typer.Option("--with", "-w", help="Way to prompt: urial, or '{name: urial, examples: 1}'."),
]
Rewards = Annotated[
    list[str] | None,
    typer.Option("--reward", "-r", help="What judges answers, as in a recipe; the mean of several."),
]
Temperature = Annotated[float, typer.Option("--temperature", min=0.0, help="0 takes the most likely token.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="JSONL file to write.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, say what it would cost, do nothing.")]

__all__ = [
    "AsJson",
    "Column",
    "DryRun",
    "KeyFrom",
    "Limit",
    "MaxNewTokens",
    "Output",
    "Questions",
    "Rewards",
    "Seed",
    "Temperature",
    "With",
]
