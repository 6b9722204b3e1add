"""``truing steer``: answers with changed payoffs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def steer(
    model: Annotated[str, typer.Argument(help="Model folder, checkpoint or hub name.")],
    prompt: Annotated[str, typer.Argument(help="What the user says.")],
    change: Annotated[
        list[str] | None,
        typer.Option("--change", "-c", metavar="ACTION.SIDE=NUMBER", help="E.g. CQ.LLM=-2; several are possible."),
    ] = None,
    rule: Annotated[str, typer.Option("--rule", help="product, or sum (of the Pareto set).")] = "product",
    begun: Annotated[
        Path | None, typer.Option("--begun", help="File with the beginning of an answer, e.g. with its payoffs.")
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Tell the model first how to answer; for models not trained to.")
    ] = False,
    max_new_tokens: Annotated[int, typer.Option("--max-new-tokens", min=1, help="Longest piece, tokens.")] = 512,
    temperature: Annotated[
        float, typer.Option("--temperature", min=0.0, help="0 takes the most likely token.")
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="Of what is drawn.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Let a model write what actions pay, change that, and let it go on (GTAlign)."""
    from truing.cli.console import print_json
    from truing.decoding.drawing import FromModel
    from truing.decoding.steering import parse_changes
    from truing.decoding.steering import steer as steered
    from truing.errors import DataError
    from truing.rewards.judges.local import load_policy
    from truing.rewards.welfare.tagged import asking

    changes = parse_changes(change or [])
    if rule not in ("product", "sum"):
        raise DataError(f"there is no rule {rule!r}", where="--rule", allowed="product, sum")
    if begun is not None and not begun.is_file():
        raise DataError("there is no such file", where=f"--begun {begun}")
    head = "" if begun is None else begun.read_text(encoding="utf-8")
    draw = FromModel(load_policy(model), max_new_tokens, temperature, seed)
    found = steered(
        draw,
        f"{asking() if ask else ''}{prompt}",
        changes,
        rule="sum" if rule == "sum" else "product",
        begun=head,
    )
    if json:
        print_json(found.as_dict())
        return
    typer.echo(f"payoffs as written: {found.before}; as changed: {found.cell}\n\n{found.response}")
