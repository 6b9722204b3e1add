"""``truing audit honesty``: what a model declines after alignment, of what it knew and of what it did not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.arguments import AskNothing, JsonResult, KeyFrom, Limit, MaxNewTokens


def honesty(
    data: Annotated[str, typer.Option("--data", help="Questions with answers: file, folder or glob.")],
    before: Annotated[str | None, typer.Option("--before", help="Model before alignment.")] = None,
    after: Annotated[str | None, typer.Option("--after", help="Model after alignment.")] = None,
    answers: Annotated[
        Path | None,
        typer.Option("--answers", help="Recorded answers in their place: rows with id, before and after."),
    ] = None,
    ask_before: Annotated[str, typer.Option("--ask-before", help="as-is, or a way to prompt.")] = "as-is",
    ask_after: Annotated[
        str, typer.Option("--ask-after", help="The same; honest-prompt is what truing data honesty trains with.")
    ] = "honest-prompt",
    judge: Annotated[
        str | None, typer.Option("--judge", help="Model that is asked whether other words say a right answer.")
    ] = None,
    key_from: KeyFrom = None,
    max_new_tokens: MaxNewTokens = 64,
    limit: Limit = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder that keeps the answers; a stopped audit goes on.")
    ] = None,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Measure over-conservativeness, prudence and honesty between two models, with intervals over questions."""
    from truing.audit.honesty import audit_honesty, recorded
    from truing.cli.console import ConsoleListener, planned, printed
    from truing.data.questions import read_questions
    from truing.data.questions.judged import grade_by
    from truing.errors import DataError

    if (answers is None) == (before is None or after is None) or (answers is not None and (before or after)):
        raise DataError(
            "who answers?",
            where="--before, --after, --answers",
            allowed="--before and --after, or --answers",
        )
    found = read_questions(data, limit, "--data")
    if dry_run:
        plan = {"questions": len(found), "answers to draw": 0 if answers is not None else 2 * len(found)}
        planned(plan, json)
        return
    grade = grade_by(judge, key_from)
    if answers is not None:
        result = recorded(found, answers, grade)
    else:
        listener = ConsoleListener(quiet=json)
        try:
            result = audit_honesty(
                found,
                str(before),
                str(after),
                ask_before=ask_before,
                ask_after=ask_after,
                max_new_tokens=max_new_tokens,
                output=output,
                grade=grade,
                progress=lambda name, done, total: listener.progress(f"Asking the model {name}", done, total),
            )
        finally:
            listener.close()
    printed(result.as_dict(), result.sentences(), json)
