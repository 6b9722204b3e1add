"""``truing prompt search``: better words for questions, as training data of a rewriter."""

from __future__ import annotations

from typing import Annotated

import typer

from truing.cli.prompt.arguments import AsJson, Column, DryRun, KeyFrom, Limit, Output, Questions, Rewards, Seed


def search(
    data: Questions,
    rewriter: Annotated[
        str, typer.Option("--rewriter", help="Model that rewrites: folder, or http://HOST/v1#MODEL.")
    ],
    model: Annotated[
        str, typer.Option("--model", "-m", help="Model that answers: folder, or http://HOST/v1#MODEL.")
    ],
    output: Output,
    reward: Rewards = None,
    iterations: Annotated[int, typer.Option("--iterations", min=1, help="Evaluations a question.")] = 20,
    answers: Annotated[int, typer.Option("--answers", min=1, help="Answers in an evaluation.")] = 1,
    exploration: Annotated[float, typer.Option("--exploration", min=0.0, help="0 follows the best so far.")] = 1.0,
    depth: Annotated[int, typer.Option("--depth", min=1, help="Most rewrites on top of each other.")] = 3,
    margin: Annotated[
        float, typer.Option("--margin", min=0.0, help="Least gain of a rewrite that is kept.")
    ] = 0.0,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Ask the rewriter whether a result asks for the same.")
    ] = True,
    unchanged: Annotated[
        bool, typer.Option("--unchanged", help="Also write questions that are best as they are.")
    ] = False,
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", min=1, help="Longest answer and rewrite, tokens.")
    ] = 128,
    temperature: Annotated[float, typer.Option("--temperature", min=0.0, help="Of answers.")] = 0.0,
    column: Column = None,
    limit: Limit = None,
    seed: Seed = 0,
    key_from: KeyFrom = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Search words of each question whose answers the reward prefers, as answers to the original (P-Aligner).

    Train a rewriter on the rows with `truing align` and the objective nll; use it with
    --with '{name: p-aligner-rewriter, model: FOLDER}'.
    """
    from truing.cli.console import ConsoleListener, planned_in_a_line, print_json
    from truing.errors import RecipeError
    from truing.prompting.aligner.align import Search, training_row
    from truing.prompting.aligner.rewriting import PRINCIPLES
    from truing.prompting.aligner.search import Settings
    from truing.prompting.files import read_questions, write_rows
    from truing.prompting.named import transform_of, written
    from truing.statistics import mean

    if not reward:
        raise RecipeError("a search needs a reward", where="--reward", fix="e.g. --reward sentiment")
    asked = read_questions(data, column=column, limit=limit)
    if dry_run:
        most = Settings(iterations, depth=depth).most_rewrites(len(PRINCIPLES))
        plan = {
            "questions": len(asked),
            "rewrites at most": len(asked) * most,
            "checks at most": len(asked) * min(iterations, most) * check,
            "answers": len(asked) * (iterations + 1) * answers,
        }
        planned_in_a_line(plan, json)
        return
    made = transform_of(
        {
            "name": "p-aligner",
            "rewriter": rewriter,
            "sampler": model,
            "reward": written(reward, "--reward"),
            "iterations": iterations,
            "answers": answers,
            "exploration": exploration,
            "depth": depth,
            "margin": margin,
            "check": check,
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "key_from": key_from,
        },
        "truing prompt search",
    )
    assert isinstance(made, Search)
    listener = ConsoleListener(quiet=json)
    rows, gains = [], []
    try:
        for number, one in enumerate(asked, 1):
            found = made.search(one)
            gains.append(found.value - found.original)
            if found.changed or unchanged:
                rows.append(training_row(one, found))
            listener.progress(f"Searching words for {len(asked):,} questions", number, len(asked))
    finally:
        listener.close()
    write_rows(output, rows)
    gain = mean(gains)
    if json:
        print_json({"questions": len(asked), "rows": len(rows), "gain": gain, "output": str(output)})
        return
    typer.echo(
        f"{output}: {len(rows):,} rows of {len(asked):,} questions; mean gain {gain.value:.3f} on the answers "
        "that chose "
        "the words, which is too high: compare on fresh ones"
    )
