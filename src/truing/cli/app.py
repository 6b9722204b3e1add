"""All commands in one place."""

from __future__ import annotations

from typing import Annotated

import typer

from truing import __version__
from truing.cli import (
    align,
    align_entities,
    arena,
    aspects,
    audit,
    data,
    diagnose,
    generate,
    guidelines,
    judge,
    leaderboard,
    methods,
    mix,
    prompt,
    quickstart,
    report,
    reward,
    score,
    serve,
    steer,
    steering,
    unlearn,
    verify,
)

app = typer.Typer(
    name="truing",
    help="Align generative models with preferences, and prove that it worked.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"truing {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


app.command("quickstart")(quickstart.quickstart)
app.command("align")(align.align)
app.command("arena")(arena.arena)
app.command("aspects")(aspects.aspects)
app.command("generate")(generate.generate)
app.command("score")(score.score)
app.command("serve")(serve.serve)
app.command("steer")(steer.steer)
app.command("diagnose")(diagnose.diagnose)
app.command("report")(report.report)
app.command("judge")(judge.judge)
app.command("leaderboard")(leaderboard.leaderboard)
app.command("align-entities")(align_entities.align_entities)
app.command("mix")(mix.mix)
app.command("methods")(methods.methods)
app.command("explain")(methods.explain)
app.command("verify")(verify.verify)
app.add_typer(audit.app, name="audit", help="Measure models, judges and data for known faults.")
app.add_typer(data.app, name="data", help="Look at data before you train on it.")
app.add_typer(reward.app, name="reward", help="Train reward models, and measure how far they can be trusted.")
app.add_typer(
    guidelines.app, name="guidelines", help="Write guidelines, and answer questions under those that fit."
)
app.add_typer(prompt.app, name="prompt", help="Change what models are shown, and measure what that is worth.")
app.add_typer(steering.app, name="steering", help="Find directions in a model's states, and write with them.")
app.add_typer(unlearn.app, name="unlearn", help="Make models forget, and measure what they still know.")
