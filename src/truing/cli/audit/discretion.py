"""``truing audit discretion``: what annotators do where principles conflict or say nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def discretion(
    data: Annotated[str, typer.Argument(help="Preference data: file, folder, glob or hub data set.")],
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
    ratings: Annotated[
        Path | None,
        typer.Option(
            "--ratings", help="File with columns PRINCIPLE_chosen and PRINCIPLE_rejected, by id or in order."
        ),
    ] = None,
    judge: Annotated[
        list[str] | None, typer.Option("--judge", help="Model that annotates, too; may be given again.")
    ] = None,
    scorer: Annotated[
        list[str] | None,
        typer.Option("--scorer", help="Packaged scorer that annotates, too: harmlessness or sentiment."),
    ] = None,
    key_from: Annotated[
        str | None, typer.Option("--key-from", help="Environment variable with the endpoint's key.")
    ] = None,
    draws: Annotated[int, typer.Option("--draws", min=1, help="Bootstrap samples.")] = 200,
    sample: Annotated[int | None, typer.Option("--sample", min=1, help="Look at so many votes at random.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of everything that is drawn.")] = 0,
    layout: Annotated[str | None, typer.Option("--layout", help="Name of the layout, if ambiguous.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="JSON file with all numbers.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read the data, ask nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
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
