"""``truing data repair``: labels that an ensemble doubts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def repair(
    path: Annotated[str, typer.Argument(help="File, folder, glob or hub data set of pairs.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSONL file of pairs with repaired labels.")],
    model: Annotated[str, typer.Option("--model", help="Frozen language model whose states are read.")],
    flip: Annotated[
        float, typer.Option("--flip", help="Lowest share, exchanged if it points the other way.")
    ] = 0.2,
    soft: Annotated[float, typer.Option("--soft", help="Next share, made uncertain.")] = 0.0,
    margin: Annotated[bool, typer.Option("--margin", help="Give strong pairs a margin.")] = False,
    max_length: Annotated[int, typer.Option("--max-length", help="Longest prompt plus answer, tokens.")] = 512,
    json: Annotated[bool, typer.Option("--json", help="Print strengths and what was done as JSON.")] = False,
) -> None:
    """Measure the strength of every preference, and repair labels that members fitted on other pairs doubt."""
    from json import dumps

    from truing.cli.console import printed
    from truing.data.sources import load
    from truing.data.views import view
    from truing.rewards.labels.repair import repair_of
    from truing.writing import write_text

    spec = {"name": "preference-strength", "flip": flip, "soft": soft, "margin": margin, "max_length": max_length}
    found = repair_of(spec, model, "")(view(load(path), frozenset({"pairs"})))
    rows = ({key: value for key, value in row.items() if value is not None} for row in found.records.dataset)
    write_text(output, "".join(dumps(row, ensure_ascii=False) + "\n" for row in rows))
    printed(found.as_dict(), found.sentences(), json)
