"""``truing serve``: a model behind an endpoint that any client of OpenAI can use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from truing.decoding.recipe import DecodeRecipe
    from truing.serving.http.limits import Limits
    from truing.serving.http.run import Address

_NOTHING = {"trace": "false", "sampling.seed": "0"}
"""What turns keys off that cannot be null."""


def serve(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]...",
            help="Changes to the recipe, e.g. decode.name=best-of-n rewards=[sentiment] sampling.temperature=0.7.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Folder, hub name, or truing/tiny.", show_default=False)
    ] = None,
    decode: Annotated[
        Path | None,
        typer.Option(
            "--decode",
            help="Recipe as for `truing generate`: how answers are found where a request does not say. Without it, "
            "they are drawn token by token.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8000,
    api_key: Annotated[
        str | None,
        typer.Option(
            "--api-key",
            envvar="TRUING_API_KEY",
            show_default=False,
            help="That requests must show. Other users of this machine can see options: better set the variable.",
        ),
    ] = None,
    no_key: Annotated[
        bool,
        typer.Option("--no-key", help="Let everybody in who reaches an address that is not this machine's own."),
    ] = False,
    served_name: Annotated[
        str | None, typer.Option("--served-name", help="Of the model, for clients.", show_default=False)
    ] = None,
    max_running: Annotated[int, typer.Option("--max-running", min=1, help="Answers that grow at a time.")] = 32,
    max_waiting: Annotated[int, typer.Option("--max-waiting", min=1, help="Requests that may wait.")] = 128,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="Longest answer.")] = 4096,
    max_body: Annotated[int, typer.Option("--max-body", min=1024, help="Longest body of a request, bytes.")] = 1
    << 20,
    request_seconds: Annotated[
        float, typer.Option("--request-seconds", min=0.1, help="Time for one request, waiting included.")
    ] = 600.0,
    grace_seconds: Annotated[
        float, typer.Option("--grace-seconds", min=0.0, help="Time for what runs when the server is told to end.")
    ] = 30.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check options and recipe, print the plan, load nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print where the server listens as JSON.")] = False,
) -> None:
    """Answer over HTTP as OpenAI's API does: chat, completions, rewards and verdicts.

    Decoding-time alignment is set here for all requests, or by each request. Ctrl-C ends the server when what runs is
    done.
    """
    from truing.cli.console import planned
    from truing.serving.http.limits import Limits
    from truing.serving.http.run import Address, check_installed

    check_installed()
    address = Address(host, port, api_key, no_key)
    limits = Limits(body=max_body, bodies=64 * max_body, tokens=max_tokens, request_seconds=request_seconds)
    recipe = _recipe(model, decode, overrides or [])
    if dry_run:
        planned(_plan(recipe, address, limits, served_name, max_running, max_waiting), json)
        return
    _run(recipe, address, limits, grace_seconds, served_name, max_running, max_waiting, json)


def _recipe(model: str | None, decode: Path | None, overrides: list[str]) -> DecodeRecipe:
    from truing.decoding.recipe import load_decode_recipe
    from truing.errors import RecipeError

    own = [] if model is None else [f"model.name={model}"]
    if decode is None and not own and not any(text.startswith("model") for text in overrides):
        raise RecipeError("there is no model", where="--model", fix="e.g. --model truing/tiny")
    recipe = load_decode_recipe(decode, [*own, *overrides])
    elsewhere = {key: getattr(recipe, key) for key in ("prompts", "prompt", "output", "trace")}
    for key, value in {**elsewhere, "sampling.seed": recipe.sampling.seed}.items():
        if value:
            raise RecipeError(
                f"{key} has no meaning for a server, whose prompts and seeds come from its clients",
                where=key,
                fix=f"remove it, or say {key}={_NOTHING.get(key, 'null')}",
            )
    return recipe


def _plan(
    recipe: DecodeRecipe, address: Address, limits: Limits, name: str | None, running: int, waiting: int
) -> dict[str, Any]:
    from truing.decoding.run import decoder_of
    from truing.rewards.build import build
    from truing.serving.wishes import SAMPLING, token_by_token

    plain = token_by_token(recipe)
    if not plain:
        decoder_of(recipe.decode)
    rewards = list(build(recipe, where="recipe").names) if recipe.rewards else []
    return {
        "model": recipe.model.name,
        "served as": name or recipe.model.name,
        "endpoint": address.url(address.port),
        "API key": "none" if address.key is None else "as given",
        "decode": SAMPLING if plain else recipe.decode,
        "rewards": rewards,
        "answers at a time": running,
        "requests that wait": waiting,
        "longest answer, tokens": limits.tokens,
        "longest body, bytes": limits.body,
        "seconds for a request": limits.request_seconds,
    }


def _run(
    recipe: DecodeRecipe,
    address: Address,
    limits: Limits,
    grace: float,
    name: str | None,
    running: int,
    waiting: int,
    json: bool,
) -> None:
    import sys

    from truing.cli.console import print_json
    from truing.serving.capacity import Capacity
    from truing.serving.http.run import example, run
    from truing.serving.http.served import Served
    from truing.serving.model import serve_model

    def load() -> Served:
        typer.echo(f"loading {recipe.model.name}", err=True)
        return serve_model(recipe, name=name, capacity=Capacity(rows=running, waiting=waiting))

    def ready(url: str, served: Served) -> None:
        if json:
            print_json({"url": url, "model": served.name})
        else:
            typer.echo(f"{served.name} answers at {url}, until Ctrl-C. Try:")
            typer.echo(f"  {example(url, served.name, address.key is not None)}")
        sys.stdout.flush()

    run(address, limits, grace, load, ready)
