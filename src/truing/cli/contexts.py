"""``truing reward contexts``: whether a reward model reads the context."""

from __future__ import annotations

from typing import Annotated

import typer


def contexts(
    model: Annotated[str, typer.Argument(help="Reward model: folder or hub name.", show_default=False)],
    data: Annotated[str, typer.Option("--data", help="Pairs with a column context.")],
    make: Annotated[
        bool, typer.Option("--make", help="Make reversals of plain pairs: by length, questions and first person.")
    ] = False,
    max_length: Annotated[
        int, typer.Option("--max-length", help="Longest prompt plus completion, tokens.")
    ] = 2048,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Judge pairs with their context and without it, and pairs whose order is reversed by another context."""
    from truing.cli.console import printed
    from truing.data.derive import relabelled
    from truing.data.sources import load
    from truing.data.views import view
    from truing.rewards.evaluation.contexts import context_report
    from truing.rewards.evaluation.subjects import load_subject

    records = view(load(data), frozenset({"pairs"}))
    if make:
        records = relabelled(records, ["reversals"])
    found = context_report(load_subject(model, max_length=max_length), records)
    printed(found.as_dict(), found.sentences(), json)
