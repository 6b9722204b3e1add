"""``truing data debates``: pairs of turns that resist or accept persuasion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def debates(
    questions: Annotated[str, typer.Argument(help="Questions with answers: file, folder or glob.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for pairs.jsonl and sft.jsonl.")],
    model: Annotated[
        str, typer.Option("--model", help="Who speaks first: folder, name, or http://HOST/v1#MODEL.")
    ],
    partner: Annotated[str | None, typer.Option("--partner", help="Who speaks second; the same model.")] = None,
    depth: Annotated[int, typer.Option("--depth", help="Turns of a debate.")] = 4,
    branching: Annotated[int, typer.Option("--branching", help="Ways in which each turn is said.")] = 2,
    variant: Annotated[str, typer.Option("--variant", help="balanced, resist-only or accept-only.")] = "balanced",
    even: Annotated[bool, typer.Option("--even", help="As many pairs that resist as that accept.")] = False,
    gap: Annotated[
        float, typer.Option("--gap", help="Share of the higher value that the two must differ by more than.")
    ] = 0.5,
    mean: Annotated[bool, typer.Option("--mean", help="Values are means over children, not sums.")] = False,
    confirm: Annotated[
        str | None,
        typer.Option(
            "--confirm", help="Model, or `words`, that has to find that chosen turns do what they are for."
        ),
    ] = None,
    judge: Annotated[
        str | None, typer.Option("--judge", help="Model that is asked whether other words say a right answer.")
    ] = None,
    max_new_tokens: Annotated[int, typer.Option("--max-new-tokens", min=1, help="Longest turn, tokens.")] = 96,
    key_from: Annotated[str | None, typer.Option("--key-from", help="Environment variable with the key.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Use only the first questions.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the questions, say what would be asked.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Let two models debate in branches, and write pairs that teach when to yield and when to hold (PBT)."""
    from truing.chat import chat_model
    from truing.chat.kept import resumable
    from truing.cli.console import ConsoleListener, planned, printed
    from truing.data.questions import read_questions
    from truing.data.questions.judged import grade_by
    from truing.data.synthesis.debate.agreeing import as_asked, by_words
    from truing.data.synthesis.debate.files import write_debates
    from truing.data.synthesis.debate.growing import Growth
    from truing.data.synthesis.debate.pairs import Rules, check_variant

    growth = Growth(depth, branching)
    plain = Rules(gap, mean)
    check_variant(variant, even)
    found = read_questions(questions, limit)
    if dry_run:
        plan = {"questions": len(found), "turns to write": len(found) * growth.calls}
        planned(plan, json)
        return

    first = chat_model(model, key_from=key_from, max_tokens=max_new_tokens, where="--model")
    second = (
        first
        if partner is None
        else chat_model(partner, key_from=key_from, max_tokens=max_new_tokens, where="--partner")
    )
    agrees = None
    if confirm is not None:
        agrees = (
            by_words
            if confirm == "words"
            else as_asked(chat_model(confirm, key_from=key_from, max_tokens=8, where="--confirm"))
        )
    listener = ConsoleListener(quiet=json)
    try:
        made = write_debates(
            found,
            output,
            (resumable(first, output / "replies"), resumable(second, output / "replies")),
            growth,
            variant=variant,
            rules=Rules(plain.gap, plain.mean, grade_by(judge, key_from), agrees),
            even=even,
            progress=lambda done, total: listener.progress("Debating", done, total),
        )
    finally:
        listener.close()
    printed(made.as_dict(), made.sentences(), json)
