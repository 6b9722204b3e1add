"""``truing leaderboard``: ratings of models by all their pairwise outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from truing.judging.items import Item
    from truing.judging.leaderboard import Board, LengthControlled


def leaderboard(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Verdicts on pairs: AlpacaEval annotations, PandaLM, or what truing judge --output wrote."
        ),
    ],
    control: Annotated[
        str,
        typer.Option(
            "--control", help="What is held constant: none, length, or style (with headers, lists, bold)."
        ),
    ] = "none",
    ties: Annotated[
        str, typer.Option("--ties", help="half: a tie is half a win; davidson: ties are fitted.")
    ] = "half",
    ridge: Annotated[float, typer.Option("--ridge", min=0.0, help="Holds models that never lost finite.")] = 0.0,
    resamples: Annotated[
        int, typer.Option("--resamples", min=0, help="Bootstraps over prompts; 0 takes the sandwich estimate.")
    ] = 0,
    equal_length: Annotated[
        bool,
        typer.Option("--equal-length", help="Add win rates at equal length against the common baseline (LC)."),
    ] = False,
    k: Annotated[float, typer.Option("--elo-k", help="Points that a game can move, for Elo.")] = 16.0,
    seed: Annotated[int, typer.Option("--seed", help="Of bootstraps and of orders for Elo.")] = 0,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the table with its picture to this file.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the board as JSON.")] = False,
) -> None:
    """Rate models by Bradley-Terry, with intervals; by Elo for comparison."""
    from truing.cli.console import print_json
    from truing.cli.named import named
    from truing.judging.items import read_items
    from truing.judging.leaderboard import bt_leaderboard, elo, games_of, length_controlled
    from truing.judging.leaderboard.board import TIES
    from truing.judging.leaderboard.games import CONTROLS

    held = CONTROLS[named(control, CONTROLS, "--control")]
    named(ties, TIES, "--ties")
    items = read_items(files)
    games = games_of(items, held)
    board = bt_leaderboard(
        games, ties="davidson" if ties == "davidson" else "half", ridge=ridge, resamples=resamples, seed=seed
    )
    rated = elo(games, k, seed=seed)
    controlled = length_controlled(items) if equal_length else None
    if html is not None:
        from truing.judging.leaderboard.page import page
        from truing.writing import write_text

        write_text(
            html, page(board, rated, controlled, html.stem, _facts(files, items, board, control, ties, ridge))
        )
    if json:
        found = board.as_dict()
        found["elo"] = {
            name: {"played": rated.played[place], "mean": rated.mean[place], "spread": rated.spread[place]}
            for place, name in enumerate(games.names)
        }
        print_json(found | ({"equal_length": controlled.as_dict()} if controlled else {}))
        return
    _print(board, controlled)
    if html is not None:
        typer.echo(f"written: {html}")


def _print(board: Board, controlled: LengthControlled | None) -> None:
    width = max(len(row.name) for row in board.rows)
    extra = "  equal length" if controlled else ""
    typer.echo(f"{'place':>7}  {'model':{width}}  rating  95 % interval  win rate{extra}  games")
    for row in board.rows:
        place = f"{row.place}-{row.last}" if row.last > row.place else str(row.place)
        shown = f"  {controlled.win_rate(row.name, controlled.baseline):>12.1%}" if controlled else ""
        rating = f"{row.rating.value:>6.0f}  {row.rating.low:>5.0f} to {row.rating.high:<5.0f}"
        typer.echo(f"{place:>7}  {row.name:{width}}  {rating}  {row.win_rate.value:>8.1%}{shown}  {row.games:>5,}")
    for name, effect in board.effects.items():
        typer.echo(f"{name}: {effect.value:+.2f} nats for its spread ({effect.low:+.2f} to {effect.high:+.2f})")
    if board.tie is not None:
        typer.echo(f"ties: nu = {board.tie:.3f}")
    if board.dropped:
        typer.echo(f"{board.dropped:,} pairs without a verdict were left out")


def _facts(files: list[Path], items: list[Item], board: Board, control: str, ties: str, ridge: float) -> list[str]:
    judges = sorted({item.labelled_by for item in items if item.label is not None})
    return [
        f"{board.games:,} verdicts of {', '.join(judges)}; {board.dropped:,} pairs had none and were left out.",
        f"Held constant: {control}. Ties: {ties}. Ridge: {ridge:g}.",
        f"Files: {', '.join(path.name for path in files)}.",
    ]
