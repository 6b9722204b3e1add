"""``truing guidelines build``: a library from seed questions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.prompt.arguments import AsJson, Column, DryRun, KeyFrom, Limit, Questions, Seed


def build(
    data: Questions,
    model: Annotated[
        str, typer.Option("--model", "-m", help="Safety-trained model: folder, or http://HOST/v1#MODEL.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for library and retriever.")],
    embedding: Annotated[
        str,
        typer.Option(
            "--embedding",
            help="tfidf, a language model, or sentence-transformers/NAME (pip install truing[embed]).",
        ),
    ] = "tfidf",
    threshold: Annotated[
        float,
        typer.Option("--threshold", min=0.0, max=1.0, help="Cosine from which on two guidelines say the same."),
    ] = 0.9,
    held_out: Annotated[
        float, typer.Option("--held-out", min=0.0, max=0.9, help="Share of questions to measure recall on.")
    ] = 0.1,
    steps: Annotated[
        int, typer.Option("--steps", min=0, help="Of training the retriever; 0 leaves it untrained.")
    ] = 100,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="Longest reply, tokens.")] = 512,
    column: Column = None,
    limit: Limit = None,
    seed: Seed = 0,
    key_from: KeyFrom = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Ask a model for risks and guidelines of each question, keep each guideline once, and train the retriever.

    Give risky and harmless questions, and none of those that you will evaluate on.
    """
    from truing.chat import chat_model
    from truing.cli.console import print_json
    from truing.prompting.files import read_questions
    from truing.prompting.guidelines.files import build_library

    asked = read_questions(data, column=column, limit=limit)
    if dry_run:
        print_json({"questions": len(asked)}) if json else typer.echo(f"{len(asked):,} questions to {model}")
        return
    typer.echo(f"Asking {model} about {len(asked):,} questions", err=True)
    chat = chat_model(model, key_from=key_from, max_tokens=max_tokens, seed=seed, where="--model")
    found = build_library(
        chat, asked, output, embedding=embedding, threshold=threshold, held_out=held_out, steps=steps, seed=seed
    )
    if json:
        print_json(found.as_dict())
        return
    values = found.as_dict()
    typer.echo(
        f"{output}: {values['guidelines']:,} guidelines of {values['written']:,} that were written, from "
        f"{values['questions']:,} questions; {values['unread']:,} replies could not be read"
    )
    if found.held_out:
        typer.echo(
            f"a guideline of its own among the nearest five: {found.recall:.0%} of {found.held_out:,} held-out "
            "questions, "
            f"{found.untrained:.0%} before training"
        )
