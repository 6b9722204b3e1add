"""``truing prompt compare``: what ways to prompt are worth to a model."""

from __future__ import annotations

from typing import Annotated

import typer

from truing.cli.prompt.arguments import (
    AsJson,
    Column,
    DryRun,
    KeyFrom,
    Limit,
    MaxNewTokens,
    Questions,
    Rewards,
    Seed,
    Temperature,
    With,
)


def compare(
    data: Questions,
    model: Annotated[str, typer.Option("--model", "-m", help="Folder, hub name, or http://HOST/v1#MODEL.")],
    ways: With = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Way to prompt that the others are compared with; as it is.")
    ] = None,
    reward: Rewards = None,
    draws: Annotated[int, typer.Option("--draws", min=1, help="Answers to each question in each way.")] = 1,
    max_new_tokens: MaxNewTokens = 64,
    temperature: Temperature = 0.0,
    seed: Seed = 0,
    column: Column = None,
    limit: Limit = None,
    key_from: KeyFrom = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Answer the same questions in several ways, with the same seeds, and compare rewards in pairs.

    Each `--with` is a way of its own; a list such as '[urial, {name: pc-defense}]' is several in turn.
    """
    from truing.cli.console import print_json
    from truing.errors import RecipeError
    from truing.prompting.comparison import compare as compared
    from truing.prompting.files import read_questions
    from truing.prompting.models import answering
    from truing.prompting.named import transform_of, written
    from truing.prompting.scoring import rewards_of

    if not ways or not reward:
        missing, example = ("--with", "--with urial") if not ways else ("--reward", "--reward sentiment")
        raise RecipeError("a comparison needs ways to prompt and a reward", where=missing, fix=f"e.g. {example}")
    if draws > 1 and temperature == 0:
        raise RecipeError(
            "at temperature 0 all answers to a question are the same",
            where="--draws",
            fix="leave --draws out, or add --temperature 1",
        )
    transforms = [
        transform_of(spec, f"--with {text}") for text, spec in zip(ways, written(ways, "--with"), strict=True)
    ]
    base = transform_of(written([against], "--against")[0], "--against") if against else None
    score = rewards_of(written(reward, "--reward"))
    asked = read_questions(data, column=column, limit=limit)
    count = len(asked) * draws * (len(transforms) + 1)
    if dry_run:
        plan = {"questions": len(asked), "ways": [t.name for t in transforms], "answers": count, "model": model}
        if json:
            print_json(plan)
        else:
            typer.echo(f"{len(asked):,} questions in {len(transforms) + 1} ways: {count:,} answers of {model}")
        return
    typer.echo(f"Drawing {count:,} answers of {model}", err=True)
    answers = answering(
        model,
        key_from=key_from,
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        seed=seed,
        where="--model",
    )
    found = compared(answers, asked, transforms, score, base=base, draws=draws)
    if json:
        print_json(found.as_dict())
        return
    for line in found.sentences():
        typer.echo(line)
