"""``truing guidelines distil``: answers under guidelines as training data without them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.prompt.arguments import (
    AsJson,
    Column,
    DryRun,
    KeyFrom,
    Limit,
    MaxNewTokens,
    Output,
    Questions,
    Rewards,
    Seed,
    Temperature,
)


def distil(
    data: Questions,
    library: Annotated[Path, typer.Option("--library", help="Folder that `truing guidelines build` wrote.")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="Model that answers: folder, or http://HOST/v1#MODEL.")
    ],
    output: Output,
    k: Annotated[int, typer.Option("--k", min=1, help="Guidelines for a question.")] = 5,
    reward: Rewards = None,
    least: Annotated[float | None, typer.Option("--least", help="Lowest reward that is kept.")] = None,
    max_new_tokens: MaxNewTokens = 64,
    temperature: Temperature = 0.0,
    seed: Seed = 0,
    column: Column = None,
    limit: Limit = None,
    key_from: KeyFrom = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Answer questions under their guidelines, and write rows of questions and answers without the guidelines.

    Train on them with `truing align` and the objective nll: the model then needs no library.
    """
    from truing.cli.console import print_json
    from truing.errors import RecipeError
    from truing.prompting.files import read_questions, write_rows
    from truing.prompting.guidelines.files import distilled
    from truing.prompting.models import answering
    from truing.prompting.named import transform_of, written
    from truing.prompting.scoring import rewards_of

    if (least is None) == bool(reward):
        raise RecipeError("--reward and --least go together", where="--least", fix="give both, or neither")
    guided = transform_of({"name": "guide-align", "library": str(library), "k": k}, "--library")
    score = rewards_of(written(reward, "--reward")) if reward else None
    asked = read_questions(data, column=column, limit=limit)
    if dry_run:
        print_json({"questions": len(asked)}) if json else typer.echo(f"{len(asked):,} questions to {model}")
        return
    answer = answering(
        model,
        key_from=key_from,
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        seed=seed,
        where="--model",
    )
    typer.echo(f"Answering {len(asked):,} questions with {model}", err=True)
    rows = list(distilled(answer, asked, guided, score=score, least=float("-inf") if least is None else least))
    write_rows(output, rows)
    if json:
        print_json({"questions": len(asked), "rows": len(rows), "output": str(output)})
        return
    typer.echo(f"{output}: {len(rows):,} rows of {len(asked):,} questions; train with objective nll")
