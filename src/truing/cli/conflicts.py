"""``truing data conflicts``: passages that contradict each other or the model's memory, and how to treat them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def conflicts(
    questions: Annotated[
        str, typer.Argument(help="Questions with answers and wrong answers: file, folder, glob.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for sft.jsonl and pairs.jsonl.")],
    student: Annotated[str, typer.Option("--student", help="The model that is to be trained, for its memory.")],
    teacher: Annotated[
        str | None, typer.Option("--teacher", help="Who answers: folder, name, http://HOST/v1#MODEL; the student.")
    ] = None,
    variant: Annotated[str, typer.Option("--variant", help="balanced, poison-only or clean.")] = "balanced",
    passages: Annotated[int, typer.Option("--passages", help="Passages in a context.")] = 4,
    ratio: Annotated[
        list[float] | None, typer.Option("--ratio", help="Share that is poisoned; 0, 0.5 and 1 if left out.")
    ] = None,
    judge: Annotated[
        str | None, typer.Option("--judge", help="Model that is asked whether other words say a right answer.")
    ] = None,
    max_new_tokens: Annotated[int, typer.Option("--max-new-tokens", min=1, help="Longest answer, tokens.")] = 256,
    key_from: Annotated[str | None, typer.Option("--key-from", help="Environment variable with the key.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Use only the first questions.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the choice and order of passages.")] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the questions, say what would be asked.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Write contexts with poisoned passages, right replies, and both kinds of mistakes (Dialectical Alignment)."""
    from truing.chat import chat_model
    from truing.chat.kept import resumable
    from truing.cli.console import ConsoleListener, planned, printed
    from truing.data.questions import read_questions
    from truing.data.questions.judged import grade_by
    from truing.data.synthesis.conflicts.contexts import Mixing
    from truing.data.synthesis.conflicts.files import write_conflicts
    from truing.data.synthesis.conflicts.rows import VARIANTS
    from truing.data.synthesis.conflicts.strategies import STRATEGIES
    from truing.errors import check_name

    mixing = Mixing(passages, tuple(ratio or (0.0, 0.5, 1.0)), seed)
    check_name("variant", variant, VARIANTS, "--variant")
    found = read_questions(questions, limit)
    if dry_run:
        most = len(found) * len(mixing.ratios)
        plan = {"questions": len(found), "contexts, at most": most, "replies, at most": most * len(STRATEGIES)}
        planned(plan, json)
        return
    own = chat_model(student, key_from=key_from, max_tokens=max_new_tokens, where="--student")
    other = (
        own
        if teacher is None
        else chat_model(teacher, key_from=key_from, max_tokens=max_new_tokens, where="--teacher")
    )
    listener = ConsoleListener(quiet=json)
    try:
        made = write_conflicts(
            found,
            output,
            resumable(own, output / "replies"),
            resumable(other, output / "replies"),
            mixing,
            variant=variant,
            grade=grade_by(judge, key_from),
            progress=lambda done, total: listener.progress("Trying strategies", done, total),
        )
    finally:
        listener.close()
    printed(made.as_dict(), made.sentences(), json)
