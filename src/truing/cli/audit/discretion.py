"""``truing audit discretion``: what annotators do where principles conflict or say nothing."""

from __future__ import annotations

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


def discretion(
    data: Preferences,
    oracle: Annotated[
        str | None,
        typer.Option(
            "--oracle", help="Model that votes for each --principle by itself: http://HOST/v1#MODEL, or a model."
        ),
    ] = None,
    principle: Annotated[
        list[str] | None,
        typer.Option("--principle", metavar="NAME: WORDS", help="What to judge by; may be given again."),
    ] = None,
    ratings: Ratings = None,
    judge: Annotated[
        list[str] | None, typer.Option("--judge", help="Model that annotates, too; may be given again.")
    ] = None,
    scorer: Annotated[
        list[str] | None,
        typer.Option("--scorer", help="Packaged scorer that annotates, too: harmlessness or sentiment."),
    ] = None,
    key_from: KeyFrom = None,
    draws: BootstrapDraws = 200,
    sample: VoteSample = None,
    seed: Seed = 0,
    layout: LayoutName = None,
    output: NumbersFile = None,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Measure consensus and conflict of principles, and how annotators decide (2502.10441).

    Without an oracle or ratings, eight principles are counted in the texts. These are stand-ins, to try the metrics.
    """
    from rich.console import Console

    from truing.audit.judges.discretion_of import audit_discretion
    from truing.audit.judges.named import judges_named, oracles_named
    from truing.audit.judges.principles import parse_principles
    from truing.audit.judges.votes import read_votes
    from truing.cli.console import planned_in_a_line, print_json
    from truing.errors import DataError
    from truing.writing import write_json

    if (oracle is None) != (not principle):
        raise DataError(
            "an oracle and principles belong together",
            where="--oracle, --principle",
            fix="give both, or none, and principles are counted",
        )
    wanted = parse_principles(principle or [])
    votes = read_votes(data, sample=sample, seed=seed, layout=layout)
    console = Console(highlight=False)
    if dry_run:
        plan = {
            "votes": len(votes),
            "annotators": len(set(votes.judges)),
            "questions to the oracle": 2 * votes.pairs * len(wanted),
            "questions to judges": 2 * votes.pairs * len(judge or []),
        }
        planned_in_a_line(plan, json)
        return
    oracles = oracles_named(oracle, wanted, key_from=key_from) if oracle is not None else None
    found = audit_discretion(
        votes,
        judges=judges_named(judge or [], key_from),
        scorers=scorer or (),
        oracles=oracles,
        ratings=ratings,
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
    if oracle is None and ratings is None:
        console.print("Principles are counted in the texts; they stand in for judgements.", markup=False)
    for line in found.sentences():
        console.print(line, markup=False, soft_wrap=True)
