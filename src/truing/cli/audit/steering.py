"""``truing audit steering``: how far one direction, added to a model's states, undoes what it was aligned to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from truing.cli.arguments import AskNothing, JsonResult, LocalModel

if TYPE_CHECKING:
    from truing.decoding.activation.attack import SteeringAudit
    from truing.diagnostics.activation_steering import Arm


def steering(
    model: LocalModel,
    data: Annotated[
        str, typer.Option("--data", help="Pairs: chosen shows the behaviour that is attacked, rejected does not.")
    ],
    strength: Annotated[
        list[float] | None,
        typer.Option("--strength", "-c", help="Multiplier of the direction; several are possible. −2, −1, 1, 2."),
    ] = None,
    token: Annotated[
        str, typer.Option("--token", help="Whose states are compared: last, second-last, or mean of the answer.")
    ] = "last",
    all_blocks: Annotated[
        bool, typer.Option("--all-blocks", help="Also push at every block that is looked at, and compare.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=8, help="Most pairs; half find, half test.")] = 200,
    max_length: Annotated[int, typer.Option("--max-length", min=8, help="Longest text, tokens.")] = 512,
    seed: Annotated[int, typer.Option("--seed", help="Of the split, and of the random direction.")] = 0,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Attack a model through its states, and see which defences notice."""
    from truing.cli.console import ConsoleListener, planned_in_a_line, print_json
    from truing.cli.named import named
    from truing.data.sources import load
    from truing.decoding.activation.attack import audit_steering
    from truing.decoding.activation.examples import sides_of
    from truing.decoding.activation.states import TOKENS
    from truing.policies.loading import load_tokenizer
    from truing.rewards.judges.local import load_policy

    which = named(token, TOKENS, "--token")
    strengths = strength or [-2.0, -1.0, 1.0, 2.0]
    records = load(data, limit=limit)
    sides = sides_of(records, load_tokenizer(model), max_length=max_length)
    if dry_run:
        plan = {"pairs": len(sides.plus), "strengths": strengths, "passes over half": len(strengths) + 8}
        planned_in_a_line(plan, json)
        return
    listener = ConsoleListener(quiet=json)
    try:
        found = audit_steering(
            load_policy(model),
            sides,
            strengths,
            token=which,
            all_blocks=all_blocks,
            seed=seed,
            progress=lambda done, total: listener.progress("Attacking", done, total),
        )
    finally:
        listener.close()
    if json:
        print_json(found.as_dict())
    else:
        typer.echo("\n".join(_sentences(found)))


def _sentences(found: SteeringAudit) -> list[str]:
    one = next(iter(found.arms.values()))
    lines = [
        f"Block {found.attack.layer} is pushed; direction from {found.fitted_on} pairs, rates over {found.tested_on} "
        "others: how often the answer that shows the behaviour is likelier, per token, with 95 % intervals; an attack "
        "that works lowers the rate where c is below 0, and a random direction does not.",
        f"  untouched       {_rate(one.clean)}",
        *(f"  c = {c:<12g}{_change(found.arms[c])}" for c in found.arms),
        f"  random, same c  {_change(found.random)}",
        f"  removed after   {_change(found.removed)}",
        f"The largest push is {found.size:.2f} of a state's length.",
        f"Norms and drift: {_rate(found.noticed)} of attacked texts noticed, of clean ones "
        f"{_rate(found.false_alarms)}.",
        "Seal of weights and hooks: " + ("; ".join(found.broken) or "nothing noticed") + ".",
    ]
    if found.effects:
        effects = ", ".join(f"{layer}: {effect:.3f}" for layer, effect in found.effects.items())
        lines.append(
            f"Change of the rate by block: {effects}; rank correlation with the score {found.agreement:.2f}."
        )
    return lines


def _rate(estimate: object) -> str:
    value, low, high = (getattr(estimate, name) for name in ("value", "low", "high"))
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def _change(one: Arm) -> str:
    return (
        f"{_rate(one.steered)}; change {one.change.value:+.3f} ({one.change.low:+.3f} to {one.change.high:+.3f}), "
        f"{one.gained} gained, {one.lost} lost, McNemar p = {one.p_value:.2g}; margin {one.shift.value:+.3f} "
        f"({one.shift.low:+.3f} to {one.shift.high:+.3f}) nats"
    )
