"""``truing audit persuasion``: false claims that are believed, corrections that are taken, and who speaks first."""

from __future__ import annotations

from typing import Annotated

import typer

from truing.cli.arguments import AskNothing, Audited, JsonResult, KeyFrom, Limit


def persuasion(
    data: Annotated[
        str, typer.Option("--data", help="Questions with answers, and wrong ones: file, folder, glob.")
    ],
    model: Audited,
    partner: Annotated[
        str | None, typer.Option("--partner", help="A weaker model, to measure what the order of a team does.")
    ] = None,
    turns: Annotated[int, typer.Option("--turns", min=2, help="Of a team's debate.")] = 4,
    max_new_tokens: Annotated[int, typer.Option("--max-new-tokens", min=1, help="Longest turn, tokens.")] = 96,
    key_from: KeyFrom = None,
    limit: Limit = None,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Contradict a model's right answers, correct its wrong ones, and count who gives in (PBT)."""
    from truing.audit.persuasion import audit_persuasion
    from truing.chat import chat_model
    from truing.cli.console import planned, printed
    from truing.data.questions import read_questions

    found = read_questions(data, limit, "--data")
    if dry_run:
        plan = {"questions": len(found), "turns to write": len(found) * (2 + (2 * turns if partner else 0))}
        planned(plan, json)
        return
    audited = chat_model(model, key_from=key_from, max_tokens=max_new_tokens, where="--model")
    other = (
        None
        if partner is None
        else chat_model(partner, key_from=key_from, max_tokens=max_new_tokens, where="--partner")
    )
    result = audit_persuasion(found, audited, other, turns)
    printed(result.as_dict(), result.sentences(), json)
