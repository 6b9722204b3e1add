"""``truing audit context-trust``: planted claims that are taken over, and corrections that are taken."""

from __future__ import annotations

from typing import Annotated

import typer

from truing.cli.arguments import AskNothing, Audited, JsonResult, KeyFrom, Limit, MaxNewTokens


def context_trust(
    data: Annotated[
        str, typer.Option("--data", help="Questions with answers and wrong answers: file, folder, glob.")
    ],
    model: Audited,
    passages: Annotated[int, typer.Option("--passages", help="Passages in a context.")] = 4,
    ratio: Annotated[
        list[float] | None, typer.Option("--ratio", help="Share that is poisoned; 0, 0.5 and 1 if left out.")
    ] = None,
    max_new_tokens: MaxNewTokens = 256,
    key_from: KeyFrom = None,
    limit: Limit = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the choice and order of passages.")] = 0,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Give a model right and poisoned passages, and count what it believes (Dialectical Alignment)."""
    from truing.audit.context_trust import audit_context_trust
    from truing.chat import chat_model
    from truing.cli.console import planned, printed
    from truing.data.questions import read_questions
    from truing.data.synthesis.conflicts.contexts import Mixing

    mixing = Mixing(passages, tuple(ratio or (0.0, 0.5, 1.0)), seed)
    found = read_questions(data, limit, "--data")
    if dry_run:
        plan = {"questions": len(found), "answers, at most": len(found) * (1 + len(mixing.ratios))}
        planned(plan, json)
        return
    audited = chat_model(model, key_from=key_from, max_tokens=max_new_tokens, where="--model")
    result = audit_context_trust(found, audited, mixing)
    printed(result.as_dict(), result.sentences(), json)
