"""``truing audit dissection``: which properties of answers drive preferences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.arguments import (
    AskNothing,
    JsonResult,
    KeyFrom,
    LayoutName,
    NumbersFile,
    Preferences,
    Ratings,
    Seed,
    VoteSample,
)


def dissection(
    data: Preferences,
    judge: Annotated[
        list[str] | None,
        typer.Option(
            "--judge",
            help="Model whose preferences are explained beside the data's: http://HOST/v1#MODEL, or a model.",
        ),
    ] = None,
    ratings: Ratings = None,
    rate_with: Annotated[
        str | None, typer.Option("--rate-with", help="Model that rates the properties, http://HOST/v1#MODEL.")
    ] = None,
    properties: Annotated[
        list[str] | None, typer.Option("--property", help="Rate these only; may be given again.")
    ] = None,
    keep_ratings: Annotated[
        Path | None, typer.Option("--keep-ratings", help="Write what the model rates, to be read by --ratings.")
    ] = None,
    key_from: KeyFrom = None,
    how: Annotated[
        str, typer.Option("--how", help="map: mode and bootstrap; posterior: mean and credible interval.")
    ] = "map",
    by_scenario: Annotated[
        bool, typer.Option("--by-scenario", help="Fit each scenario, too, as the data name them.")
    ] = False,
    least: Annotated[int, typer.Option("--least", min=1, help="Fewest pairs of a scenario.")] = 10,
    draws: Annotated[int, typer.Option("--draws", min=1, help="Bootstrap samples, or posterior draws.")] = 100,
    sample: VoteSample = None,
    seed: Seed = 0,
    layout: LayoutName = None,
    output: NumbersFile = None,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Explain preferences by properties of the answers: a weight with its interval for each judge (2402.11296).

    Without ratings, 14 of the paper's 29 properties are counted in the texts. These are stand-ins: words of a list are
    no politeness.
    """
    from rich.console import Console

    from truing.audit.judges.annotation import Rater, described
    from truing.audit.judges.dissecting import Settings, dissect
    from truing.audit.judges.named import judges_named
    from truing.audit.judges.votes import read_votes
    from truing.chat import chat_model
    from truing.cli.console import planned_in_a_line, print_json
    from truing.errors import DataError
    from truing.writing import write_json

    if how not in ("map", "posterior"):
        raise DataError(f"there is no fit {how!r}", where="--how", allowed="map, posterior")
    if properties and rate_with is None:
        raise DataError("no model rates properties", where="--property", fix="name one with --rate-with")
    wanted = described(properties)
    votes = read_votes(data, sample=sample, seed=seed, layout=layout)
    console = Console(highlight=False)
    plan = {
        "votes": len(votes),
        "voters": len(set(votes.judges)),
        "scenarios": len(set(votes.scenarios) - {""}),
        "questions to judges": 2 * votes.pairs * len(judge or []),
        "questions to the rater": len(votes) if rate_with else 0,
    }
    if dry_run:
        planned_in_a_line(plan, json)
        return
    for note in () if json else votes.notes:
        console.print(f"Data: {note}.", markup=False, soft_wrap=True)
    rater = None
    if rate_with is not None:
        chat = chat_model(rate_with, key_from=key_from, max_tokens=1500, where="--rate-with")
        rater = Rater(chat, wanted)
    found = dissect(
        votes,
        judges_named(judge or [], key_from),
        rater=rater,
        ratings=ratings,
        keep_ratings=keep_ratings,
        settings=Settings(
            "map" if how == "map" else "posterior", by_scenario, draws=draws, least=least, seed=seed
        ),
    )
    if output is not None:
        write_json(output, found.as_dict())
    if json:
        print_json(found.as_dict())
        return
    if rater is None and ratings is None:
        console.print("Properties are counted in the texts; they stand in for ratings.", markup=False)
    for scenario in dict.fromkeys(fit.scenario for fit in found.fits):
        if by_scenario:
            console.print(f"Scenario {scenario}:", markup=False)
        for line in found.sentences(scenario):
            console.print(line, markup=False, soft_wrap=True)
    for name, pairs in found.left_out.items():
        console.print(f"Left out: {name}, {pairs} pairs, fewer than {least}.", markup=False)
