"""``truing score``: log-probabilities and implicit rewards of a policy, or rewards of a reward model, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def score(
    model: Annotated[str, typer.Argument(help="Model folder, checkpoint or hub name.")],
    data: Annotated[str, typer.Argument(help="File, folder, glob or hub data set.")],
    reference: Annotated[
        str | None, typer.Option("--reference", help="Reference model; adds log-ratios and implicit rewards.")
    ] = None,
    beta: Annotated[
        float | None, typer.Option("--beta", help="Scale of the implicit reward, 0.1 if left out.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="JSONL file to write; standard output if left out.")
    ] = None,
    max_length: Annotated[
        int, typer.Option("--max-length", help="Longest prompt plus completion, tokens.")
    ] = 1024,
    precision: Annotated[str, typer.Option("--precision", help="auto, float32 or bfloat16.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print a summary as JSON (rows go to --output).")] = False,
) -> None:
    """Score data with a policy or a reward model: the same numbers that training shows."""
    from rich.console import Console

    from truing.cli.console import print_json
    from truing.scoring import score_file

    summary = score_file(
        model, data, reference=reference, beta=beta, output=output, max_length=max_length, precision=precision
    )
    if json:
        print_json(summary.as_dict())
    elif output is not None:
        console = Console(stderr=True, highlight=False)
        for line in summary.sentences():
            console.print(line, markup=False, soft_wrap=True)
