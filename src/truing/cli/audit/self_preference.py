"""``truing audit self-preference``: whether a judge prefers its own answers more than others do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.arguments import JsonResult


def self_preference(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="VERDICTS...",
            help="Verdicts of the judge with the authors of the answers: what truing judge --output writes, or "
            "AlpacaEval annotations.",
        ),
    ],
    own: Annotated[
        list[str],
        typer.Option(
            "--own", help="Author whose answers are the judge's own or its family's; may be given again."
        ),
    ],
    reference: Annotated[
        list[Path] | None,
        typer.Option(
            "--reference",
            help="Verdicts of people or of another judge on the same pairs; may be given again. The labels beside the "
            "verdicts if left out.",
        ),
    ] = None,
    json: JsonResult = False,
) -> None:
    """Compare how often a judge prefers its own answers with how often others do, on the same pairs (2410.21819).

    Nobody is asked: the verdicts are recorded ones.
    """
    from truing.audit.judges.own_pairs import audit_self_preference
    from truing.cli.console import printed
    from truing.judging.items import read_items

    found = audit_self_preference(read_items(files), own, read_items(reference) if reference else None)
    printed(found.as_dict(), found.sentences(), json)
