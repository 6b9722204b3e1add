"""``truing audit values``: whether a model does what system messages ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.arguments import AnyModel, AskNothing, JsonResult, KeyFrom, Limit, MaxNewTokens


def values(
    model: AnyModel,
    data: Annotated[Path, typer.Option("--data", help="unseen.jsonl of `truing data values`.")],
    limit: Limit = None,
    max_new_tokens: MaxNewTokens = 128,
    key_from: KeyFrom = None,
    dry_run: AskNothing = False,
    json: JsonResult = False,
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
