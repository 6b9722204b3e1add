"""``truing data few-shot``: queries under better and worse demonstrations, as a teacher ranks them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer


def few_shot(
    pool: Annotated[str, typer.Argument(help="Queries with answers, one task a file: file, folder or glob.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for better.jsonl and worse.jsonl.")],
    teacher: Annotated[str, typer.Option("--teacher", help="The teacher: folder, hub name or truing/tiny.")],
    shots: Annotated[int, typer.Option("--shots", help="Demonstrations in a prompt.")] = 5,
    sets: Annotated[int, typer.Option("--sets", help="Sets of demonstrations for each query.")] = 4,
    queries: Annotated[int | None, typer.Option("--queries", min=1, help="Queries that are asked; all.")] = None,
    pairs: Annotated[str, typer.Option("--pairs", help="best-worst, or all sets of a query.")] = "best-worst",
    least: Annotated[float, typer.Option("--least", help="Nats a token; what is closer is a tie.")] = 0.01,
    columns: Annotated[str | None, typer.Option("--columns", metavar="QUERY,ANSWER", help="If not found.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="ANSWER=WORD", help="E.g. 0=negative; several are possible."),
    ] = None,
    max_length: Annotated[int, typer.Option("--max-length", help="Most tokens of prompt and answer.")] = 2048,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Use only the first rows.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of what is drawn.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read the pool, say what would be scored.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Write each query under the demonstrations from which a teacher answers it best and worst (BiAlign)."""
    from truing.cli.console import ConsoleListener, planned, printed
    from truing.data.synthesis.few_shot import FewShot, few_shot_files, posed, read_pool
    from truing.data.synthesis.teacher import answer_scores
    from truing.errors import DataError
    from truing.rewards.judges.local import load_policy

    plan = FewShot(shots, sets, pairs, least, seed)
    names = None if columns is None else tuple(columns.split(","))
    if names is not None and len(names) != 2:
        raise DataError(f"--columns {columns} are {len(names)} names", where="--columns", allowed="QUERY,ANSWER")
    words = {}
    for one in label or []:
        answer, sign, word = one.partition("=")
        if not sign or not word:
            raise DataError(f"{one!r} names no word", where="--label", allowed="ANSWER=WORD, e.g. 0=negative")
        words[answer] = word
    found = read_pool(pool, None if names is None else (names[0], names[1]), words, limit)
    if dry_run:
        asked = posed(found, plan, queries)
        counts = {
            "rows": len(found),
            "queries": len(asked),
            "answers to score": sum(len(q.prompts) for q in asked),
        }
        planned(counts, json)
        return
    policy = load_policy(teacher)
    listener = ConsoleListener(quiet=json)

    def score(texts: Sequence[tuple[str, str]]) -> list[float]:
        return answer_scores(
            policy, texts, max_length, lambda done, total: listener.progress("Asking the teacher", done, total)
        )

    try:
        written, asked_for = few_shot_files(found, output, score, plan, queries=queries)
    finally:
        listener.close()
    better = output / "better.jsonl"
    printed(
        {"pairs": written, "queries": asked_for, "better": str(better)},
        [f"{better} and worse.jsonl: {written:,} pairs of {asked_for:,} queries"],
        json,
    )
