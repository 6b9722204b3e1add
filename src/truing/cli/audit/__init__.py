"""``truing audit``: measure models, judges and data for known faults."""

from __future__ import annotations

import typer

from truing.cli.audit.context_trust import context_trust
from truing.cli.audit.discretion import discretion
from truing.cli.audit.dissection import dissection
from truing.cli.audit.factors import factors
from truing.cli.audit.generation import generation
from truing.cli.audit.honesty import honesty
from truing.cli.audit.judge import judge
from truing.cli.audit.keywords import keywords
from truing.cli.audit.order import order
from truing.cli.audit.persuasion import persuasion
from truing.cli.audit.self_preference import self_preference
from truing.cli.audit.steering import steering
from truing.cli.audit.stimulus import stimulus
from truing.cli.audit.token_shift import token_shift
from truing.cli.audit.values import values

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Measure models, judges and data for known faults."""


app.command("context-trust")(context_trust)
app.command("discretion")(discretion)
app.command("dissection")(dissection)
app.command("factors")(factors)
app.command("generation")(generation)
app.command("honesty")(honesty)
app.command("judge")(judge)
app.command("keywords")(keywords)
app.command("order")(order)
app.command("persuasion")(persuasion)
app.command("self-preference")(self_preference)
app.command("steering")(steering)
app.command("stimulus")(stimulus)
app.command("token-shift")(token_shift)
app.command("values")(values)
