"""``truing data values``: pairs under system messages that ask for different values (Janus)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def values(
    path: Annotated[
        str, typer.Argument(help="Demonstrations (instructions with plain answers): file, folder or hub.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for train.jsonl and unseen.jsonl.")],
    taxonomy: Annotated[
        Path | None,
        typer.Option(
            "--taxonomy", help="YAML: {dimension: {value: sentence}}; six dimensions of form if left out."
        ),
    ] = None,
    sets: Annotated[int, typer.Option("--sets", help="System messages for each instruction.")] = 3,
    default_share: Annotated[
        float,
        typer.Option("--default-share", help="Share of instructions that also get a message without values."),
    ] = 0.1,
    held_out: Annotated[
        float, typer.Option("--held-out", help="Share of the combinations that only unseen.jsonl has.")
    ] = 0.2,
    limit: Annotated[int | None, typer.Option("--limit", help="Use only the first rows.")] = None,
    url: Annotated[
        str | None, typer.Option("--url", help="OpenAI-compatible endpoint of the model that answers.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="Its name.")] = None,
    key_from: Annotated[str | None, typer.Option("--key-from", help="Environment variable with its key.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of what is drawn.")] = 0,
) -> None:
    """Make pairs in which what suits one system message is rejected under another."""
    from truing.data.values.files import endpoint_answers, make_files
    from truing.data.values.taxonomy import by_rules, read_taxonomy
    from truing.errors import DataError

    wanted = by_rules() if taxonomy is None else read_taxonomy(taxonomy)
    if taxonomy is not None and url is None and model is None:
        raise DataError(
            "no rule gives answers the values of a file, so that a model has to",
            where=f"--taxonomy {taxonomy}",
            fix="name one that answers under system messages: --url http://localhost:8000/v1 --model NAME",
        )
    answer = None if url is None and model is None else endpoint_answers(url, model, key_from)
    made = make_files(
        path,
        output,
        wanted,
        sets=sets,
        default_share=default_share,
        held_out=held_out,
        seed=seed,
        limit=limit,
        answer=answer,
    )
    for name, count in made.items():
        typer.echo(f"{output / name}: {count:,} pairs")
