"""``truing reward critiques``: critiques of both answers of pairs, by a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.arguments import AskNothing, JsonResult, KeyFrom, Limit, Preferences


def critiques(
    data: Preferences,
    output: Annotated[Path, typer.Option("--output", "-o", help="File for the pairs with critiques.")],
    model: Annotated[str, typer.Option("--model", help="Who writes: folder, name, or http://HOST/v1#MODEL.")],
    limit: Limit = None,
    max_new_tokens: Annotated[
        int, typer.Option("--max-new-tokens", min=1, help="Longest critique, tokens.")
    ] = 160,
    key_from: KeyFrom = None,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Have a model write critiques of both answers of pairs, or expand the notes in critique_chosen and _rejected.

    `truing reward` with the objective critique-and-score learns from the result. Replies are kept, so that a command
    that was stopped goes on.
    """
    from truing.chat import chat_model
    from truing.chat.kept import resumable
    from truing.cli.console import ConsoleListener, planned, printed
    from truing.data.sources import load
    from truing.data.views import view
    from truing.rewards.judges.critique_data import questions, write_critiques

    records = view(load(data, limit=limit), {"pairs"})
    if dry_run:
        planned({"pairs": len(records), "questions": len(questions(records))}, json)
        return
    chat = chat_model(model, key_from=key_from, max_tokens=max_new_tokens, where="--model")
    listener = ConsoleListener(quiet=json)
    try:
        made = write_critiques(
            records,
            output,
            resumable(chat, output.with_name(f"{output.stem}-replies")),
            progress=lambda done, total: listener.progress("Writing critiques", done, total),
        )
    finally:
        listener.close()
    printed(made.as_dict(), made.sentences(), json)
