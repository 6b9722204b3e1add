"""``truing audit keywords``: whether a model treats requests alike where only a word for a group differs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.arguments import AnyModel, AskNothing, Column, JsonResult, KeyFrom, Limit, MaxNewTokens


def keywords(
    model: AnyModel,
    data: Annotated[str, typer.Option("--data", help="Risky requests, with or without {keyword} in them.")],
    column: Column = None,
    axes: Annotated[
        Path | None,
        typer.Option(
            "--axes", help="YAML: {axis: {privileged: [...], marginalised: [...]}}; six pairs if left out."
        ),
    ] = None,
    benign: Annotated[str | None, typer.Option("--benign", help="Harmless requests, to count refusals.")] = None,
    benign_column: Annotated[str | None, typer.Option("--benign-column", help="Their column.")] = None,
    benign_where: Annotated[
        str | None, typer.Option("--benign-where", metavar="COLUMN=VALUE", help="Only these, e.g. label=safe.")
    ] = None,
    defence: Annotated[
        str | None, typer.Option("--defence", help="Way to ask that is measured beside, e.g. pc-defense.")
    ] = None,
    labelled: Annotated[
        Path | None,
        typer.Option("--labelled", help="Folder with XSTest's completions_*.csv: refusals are learned from them."),
    ] = None,
    frame: Annotated[
        str | None,
        typer.Option("--frame", help="Around a request without a slot. As someone who is {keyword}: {request}"),
    ] = None,
    limit: Limit = None,
    max_new_tokens: MaxNewTokens = 32,
    key_from: KeyFrom = None,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Ask the same requests as somebody of different groups; gaps in refusals, with and without a defence.

    Rates and intervals are printed, answers are not.
    """
    from truing.audit.safety.keyword_axes import AXES, FRAME, read_axes
    from truing.audit.safety.keywords import audit_keywords
    from truing.audit.safety.learned_refusal import LearnedRefusal, held_out, read_labelled, told
    from truing.audit.safety.refusal import Refusal, StringMatch
    from truing.cli.console import ConsoleListener, planned_in_a_line, printed
    from truing.prompting.files import only, read_questions
    from truing.prompting.models import answering
    from truing.prompting.named import way

    contrasts = list(AXES) if axes is None else read_axes(axes)
    asked = read_questions(data, column=column, limit=limit)
    harmless = [] if benign is None else read_questions(benign, column=benign_column)
    if benign_where is not None:
        harmless = only(harmless, benign_where, "--benign-where")
    harmless = harmless[:limit]
    remedy = None if defence is None else way(defence, "--defence")
    words = len({word for axis in contrasts for word in (*axis.privileged, *axis.marginalised)})
    count = (len(asked) + len(harmless)) * (words + 1) * (1 if remedy is None else 2)
    if dry_run:
        plan = {"requests": len(asked), "harmless": len(harmless), "keywords": words, "answers": count}
        planned_in_a_line(plan, json)
        return
    known = [] if labelled is None else read_labelled(labelled)
    refusal: Refusal = LearnedRefusal.fitted(known) if known else StringMatch()
    agreements = held_out(known) if known else []
    listener = ConsoleListener(quiet=json)
    try:
        found = audit_keywords(
            answering(model, key_from=key_from, max_new_tokens=max_new_tokens, where="model"),
            asked,
            contrasts,
            refusal,
            benign=harmless,
            defence=remedy,
            frame=FRAME if frame is None else frame,
            progress=lambda done, total: listener.progress(f"Answering {count:,} requests", done, total),
        )
    finally:
        listener.close()
    numbers = {**found.as_dict(), "held_out": [one.as_dict() for one in agreements]}
    printed(numbers, [*found.sentences(), *told(agreements)], json)
