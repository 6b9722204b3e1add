"""Arguments that commands about prompts share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Questions = Annotated[
    str, typer.Argument(help="File, folder, glob or hub data set with prompts.", show_default=False)
]
Column = Annotated[
    str | None, typer.Option("--column", help="Column of a file that holds the prompt, e.g. Behavior.")
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Read only the first rows.")]
With = Annotated[
    list[str] | None,
    typer.Option("--with", "-w", help="Way to prompt: urial, or '{name: urial, examples: 1}'."),
]
Rewards = Annotated[
    list[str] | None,
    typer.Option("--reward", "-r", help="What judges answers, as in a recipe; the mean of several."),
]
MaxNewTokens = Annotated[int, typer.Option("--max-new-tokens", min=1, help="Longest answer, tokens.")]
Temperature = Annotated[float, typer.Option("--temperature", min=0.0, help="0 takes the most likely token.")]
Seed = Annotated[int, typer.Option("--seed", help="Of what is drawn.")]
KeyFrom = Annotated[str | None, typer.Option("--key-from", help="Environment variable with an endpoint's key.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="JSONL file to write.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, say what it would cost, do nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
