"""``truing audit values``: whether a model does what system messages ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def values(
    model: Annotated[str, typer.Argument(help="Folder, hub name, or http://HOST/v1#MODEL.", show_default=False)],
    data: Annotated[Path, typer.Option("--data", help="unseen.jsonl of `truing data values`.")],
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Ask only the first questions.")] = None,
    max_new_tokens: Annotated[int, typer.Option("--max-new-tokens", min=1, help="Longest answer, tokens.")] = 128,
    key_from: Annotated[
        str | None, typer.Option("--key-from", help="Environment variable with an endpoint's key.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read the questions, ask nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Ask under system messages and without, and count by rules which values of form answers obey (Janus)."""
    from truing.chat import chat_model
    from truing.cli.console import printed
    from truing.data.values.following import following, read_asked
    from truing.data.values.taxonomy import by_rules

    taxonomy = by_rules()
    asked = read_asked(data, taxonomy, limit)
    if dry_run:
        plan = {"questions": len(asked), "answers": 2 * len(asked)}
        printed(
            plan, [f"{2 * len(asked):,} answers to {len(asked):,} questions. Nothing was done (--dry-run)."], json
        )
        return
    asking = chat_model(model, key_from=key_from, max_tokens=max_new_tokens, where="model")
    found = following(asking, asked, taxonomy)
    printed(found.as_dict(), found.sentences(), json)
