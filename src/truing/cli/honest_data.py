"""``truing data honesty``: demonstrations of answering what is known and declining what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def honesty(
    questions: Annotated[str, typer.Argument(help="Questions with answers: file, folder or glob.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for train.jsonl and answers.jsonl.")],
    model: Annotated[
        str | None, typer.Option("--model", help="The model that is to be trained; it says what it knows.")
    ] = None,
    answers: Annotated[
        Path | None, typer.Option("--answers", help="Its recorded answers: rows with id, greedy and samples.")
    ] = None,
    variant: Annotated[
        str,
        typer.Option("--variant", help="absolute, confidence-num, confidence-verb, multisample or baseline."),
    ] = "absolute",
    samples: Annotated[int, typer.Option("--samples", min=1, help="Samples of each question.")] = 10,
    tau: Annotated[float, typer.Option("--tau", help="Least share of right samples of what is known.")] = 0.1,
    permission: Annotated[
        bool, typer.Option(help="Tell the model that it may decline, when it is sampled and in the rows.")
    ] = True,
    temperature: Annotated[float, typer.Option("--temperature", help="Of the samples; above 0.")] = 1.0,
    max_new_tokens: Annotated[int, typer.Option("--max-new-tokens", min=1, help="Longest answer, tokens.")] = 64,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Use only the first questions.")] = None,
    judge: Annotated[
        str | None, typer.Option("--judge", help="Model that is asked whether other words say a right answer.")
    ] = None,
    key_from: Annotated[str | None, typer.Option("--key-from", help="Environment variable with its key.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of what is drawn.")] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the questions, say what would be drawn.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Ask a model what it knows, and write demonstrations that teach it to say so (Alignment for Honesty).

    Answers are kept in answers.jsonl as they are drawn: a run that was stopped goes on, and another variant asks
    nothing again.
    """
    from truing.cli.console import ConsoleListener, planned, printed
    from truing.data.questions import read_questions
    from truing.data.questions.judged import grade_by
    from truing.data.synthesis.files import Drawing, write_honesty
    from truing.errors import DataError

    if (model is None) == (answers is None):
        raise DataError("who answers?", where="--model, --answers", allowed="exactly one of the two")
    if not temperature > 0:
        raise DataError("samples are all the same", where=f"--temperature {temperature:g}", allowed="above 0")
    found = read_questions(questions, limit)
    plan = {
        "questions": len(found),
        "variant": variant,
        "answers to draw": 0 if model is None else len(found) * (samples + 1),
        "longest answer, tokens": max_new_tokens,
    }
    if dry_run:
        planned(plan, json)
        return
    listener = ConsoleListener(quiet=json)
    try:
        made = write_honesty(
            found,
            output,
            Drawing(model, answers, samples, temperature, max_new_tokens, seed),
            variant=variant,
            tau=tau,
            permission=permission,
            grade=grade_by(judge, key_from),
            progress=lambda done, total: listener.progress("Asking the model", done, total),
        )
    finally:
        listener.close()
    printed(made.as_dict(), made.sentences(), json)
