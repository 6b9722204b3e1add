"""``truing audit order``: what the order of options does to a model's choices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.arguments import AskNothing, JsonResult, Limit, LocalModel


def order(
    model: LocalModel,
    data: Annotated[
        Path,
        typer.Option(
            "--data", help="Rows with question, options (a list) and, if known, answer (from 0); BBQ; TruthfulQA."
        ),
    ],
    orders: Annotated[int, typer.Option("--orders", min=2, help="Orders of each question, at most.")] = 6,
    limit: Limit = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the orders that are drawn.")] = 0,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Ask questions with their options in several orders, and again with options that have no order (PINE)."""
    from truing.cli.console import ConsoleListener, planned_in_a_line, print_json
    from truing.errors import DataError
    from truing.judging.pine.orders import audit_orders, read_choices
    from truing.rewards.judges.local import load_policy
    from truing.statistics import Estimate

    if not data.is_file():
        raise DataError("there is no such file", where=f"--data {data}")
    asked = read_choices(data, limit)
    if dry_run:
        plan = {"questions": len(asked), "orders": orders, "passes": 2 * orders * len(asked)}
        planned_in_a_line(plan, json)
        return
    listener = ConsoleListener(quiet=json)
    try:
        found = audit_orders(
            load_policy(model),
            asked,
            orders=orders,
            seed=seed,
            progress=lambda done, total: listener.progress("Asking", done, total),
        )
    finally:
        listener.close()
    if json:
        print_json(found.as_dict())
        return

    def shown(one: Estimate, form: str = ".3f") -> str:
        return f"{one.value:{form}} (95 % interval {one.low:{form}} to {one.high:{form}})"

    typer.echo(f"{found.questions} questions; share whose choice is not the same in all orders, 0 is best:")
    typer.echo(f"  as it is        {shown(found.changed)}")
    typer.echo(f"  without order   {shown(found.changed_without)}")
    typer.echo("Largest difference that an order makes, nats a token, 0 is best:")
    typer.echo(f"  as it is        {shown(found.spread)}")
    typer.echo(f"  without order   {shown(found.spread_without, '.1e')}")
    typer.echo(f"Share of choices by place as it is, {1 / len(found.places):.3f} each if places do not matter:")
    for number, place in enumerate(found.places, 1):
        typer.echo(f"  place {number}         {shown(place)}")
    if found.accuracy and found.accuracy_without and found.gain:
        typer.echo("Share of right choices:")
        typer.echo(f"  as it is        {shown(found.accuracy)}")
        typer.echo(f"  without order   {shown(found.accuracy_without)}")
        typer.echo(f"  difference      {shown(found.gain, '+.3f')}")
