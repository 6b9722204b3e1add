"""``truing prompt apply``: prompts as a model would see them."""

from __future__ import annotations

import typer

from truing.cli.prompt.arguments import AsJson, Column, Limit, Output, Questions, With


def apply(
    data: Questions,
    output: Output,
    ways: With = None,
    column: Column = None,
    limit: Limit = None,
    json: AsJson = False,
) -> None:
    """Write the prompts of a data set as a model would be shown them; several ways are applied in turn.

    Each row keeps the original prompt, against which answers are to be scored, and the texts that end an answer.
    """
    from truing.cli.console import print_json
    from truing.errors import RecipeError
    from truing.prompting.files import read_questions, write_shown
    from truing.prompting.named import transform_of, written

    if not ways:
        raise RecipeError("no way to prompt is named", where="--with", fix="e.g. --with urial")
    transform = transform_of(written(ways, "--with"), "--with")
    shown = transform(read_questions(data, column=column, limit=limit))
    write_shown(output, shown)
    changed = sum(one.prompt != one.original for one in shown)
    if json:
        print_json({"way": transform.name, "prompts": len(shown), "changed": changed, "output": str(output)})
        return
    typer.echo(f"{output}: {len(shown):,} prompts by {transform.name}, {changed:,} of them changed")
