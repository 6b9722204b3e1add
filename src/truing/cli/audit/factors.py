"""``truing audit factors``: which factors of answers go with preference."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.arguments import (
    AskNothing,
    BootstrapDraws,
    JsonResult,
    KeyFrom,
    LayoutName,
    NumbersFile,
    Preferences,
    Ratings,
    Seed,
    VoteSample,
)


def factors(
    data: Preferences,
    judge: Annotated[
        list[str] | None,
        typer.Option("--judge", help="Model as a judge of the same pairs: http://HOST/v1#MODEL, or a model."),
    ] = None,
    writer: Annotated[
        str | None, typer.Option("--writer", help="Model that writes answers at quality levels 1 to 5.")
    ] = None,
    generated: Annotated[
        Path | None, typer.Option("--generated", help="File of such answers: rows with prompt, level and text.")
    ] = None,
    keep_generated: Annotated[
        Path | None, typer.Option("--keep-generated", help="Write what the writer wrote, for --generated.")
    ] = None,
    prompts: Annotated[int, typer.Option("--prompts", min=1, help="Prompts that the writer answers.")] = 50,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="Longest answer of the writer.")] = 512,
    ratings: Ratings = None,
    ties: Annotated[
        str, typer.Option("--ties", help="Pairs that do not differ in a factor: counted or dropped.")
    ] = "counted",
    key_from: KeyFrom = None,
    draws: BootstrapDraws = 200,
    sample: VoteSample = None,
    seed: Seed = 0,
    layout: LayoutName = None,
    output: NumbersFile = None,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Score factors of answers for people, for a model as judge and for the same model as writer (2410.06965).

    Without ratings 18 factors are counted in the texts, such as length, formatting, names and numbers.
    """
    from rich.console import Console

    from truing.audit.judges.levels import LEVELS, read_written, save_written, write_at_levels
    from truing.audit.judges.named import judges_named
    from truing.audit.judges.profiling import profile_votes
    from truing.audit.judges.votes import read_votes
    from truing.chat import chat_model
    from truing.cli.console import planned_in_a_line, print_json
    from truing.errors import DataError
    from truing.writing import write_json

    if ties not in ("counted", "dropped"):
        raise DataError(f"ties are {ties!r}", where="--ties", allowed="counted, dropped")
    if writer is not None and generated is not None:
        raise DataError("answers are written or read", where="--writer, --generated", fix="drop one")
    if keep_generated is not None and writer is None:
        raise DataError("nothing is written", where="--keep-generated", fix="name a model with --writer")
    votes = read_votes(data, sample=sample, seed=seed, layout=layout)
    asked = tuple(dict.fromkeys(votes.prompts))[:prompts]
    console = Console(highlight=False)
    if dry_run:
        plan = {
            "votes": len(votes),
            "questions to judges": 2 * votes.pairs * len(judge or []),
            "answers to write": len(LEVELS) * len(asked) if writer else 0,
        }
        planned_in_a_line(plan, json)
        return
    written = {}
    if writer is not None:
        chat = chat_model(writer, key_from=key_from, max_tokens=max_tokens, where="--writer")
        written[f"{writer} as writer"] = write_at_levels(chat, asked)
        if keep_generated is not None:
            save_written(keep_generated, written[f"{writer} as writer"])
    elif generated is not None:
        written[f"{generated.name} as writer"] = read_written(generated)
    found = profile_votes(
        votes,
        judges=judges_named(judge or [], key_from),
        written=written,
        ratings=ratings,
        ties="counted" if ties == "counted" else "dropped",
        draws=draws,
        seed=seed,
    )
    if output is not None:
        write_json(output, found.as_dict())
    if json:
        print_json(found.as_dict())
        return
    for note in votes.notes:
        console.print(f"Data: {note}.", markup=False, soft_wrap=True)
    for line in found.sentences():
        console.print(line, markup=False, soft_wrap=True)
