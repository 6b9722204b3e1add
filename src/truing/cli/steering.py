"""``truing steering``: directions in a model's states: find them, write with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)

Model = Annotated[str, typer.Argument(help="Model folder, checkpoint, hub name, or truing/tiny.")]


@app.callback()
def _group() -> None:
    """Find directions of a behaviour in a model's states, and write with them."""


@app.command()
def fit(
    model: Model,
    data: Annotated[
        str,
        typer.Argument(
            help="Pairs (chosen shows the behaviour), or unpaired rows with prompt, completion, label."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Safetensors file to write.")],
    estimator: Annotated[str, typer.Option("--estimator", help="difference, or lda.")] = "difference",
    token: Annotated[
        str, typer.Option("--token", help="Whose states are compared: last, second-last, or mean of the answer.")
    ] = "mean",
    rule: Annotated[str, typer.Option("--rule", help="How the block is chosen: auc (held out), or js.")] = "auc",
    layer: Annotated[int | None, typer.Option("--layer", help="Take this block instead, from 0.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=4, help="Read only so many rows.")] = None,
    max_length: Annotated[int, typer.Option("--max-length", min=8, help="Longest text, tokens.")] = 512,
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Find the direction that leads from one kind of answer to the other, in every block."""
    from truing.cli.console import ConsoleListener, print_json
    from truing.cli.named import named
    from truing.data.sources import load
    from truing.decoding.activation.directions import ESTIMATORS
    from truing.decoding.activation.examples import sides_of
    from truing.decoding.activation.fit import fit as fitted
    from truing.decoding.activation.layers import RULES
    from truing.decoding.activation.mean_difference import Steering
    from truing.decoding.activation.states import TOKENS
    from truing.rewards.judges.local import load_policy

    steering = Steering(estimator=named(estimator, ESTIMATORS, "--estimator"))
    which, by = named(token, TOKENS, "--token"), named(rule, RULES, "--rule")
    policy = load_policy(model)
    sides = sides_of(load(data, limit=limit), policy.tokenizer, max_length=max_length)
    listener = ConsoleListener(quiet=json)
    try:
        found = fitted(
            policy,
            sides,
            steering,
            token=which,
            rule=by,
            layer=layer,
            progress=lambda done, total: listener.progress("Reading states", done, total),
        )
    finally:
        listener.close()
    found.save(output)
    if json:
        print_json({"layer": found.layer, "relative": found.relative(1.0), **found.about, "file": str(output)})
        return
    for name, values in found.about["scores"].items():
        typer.echo(f"{name} by block: {', '.join(f'{value:.3f}' for value in values)}")
    typer.echo(
        f"Block {found.layer}; one unit of strength is {found.relative(1.0):.3f} of a state's length there. "
        f"Written: {output}"
    )


@app.command()
def generate(
    model: Model,
    prompts: Annotated[list[str], typer.Argument(help="Texts to go on with.")],
    direction: Annotated[Path, typer.Option("--direction", "-d", help="File of `truing steering fit`.")],
    strength: Annotated[
        list[float] | None,
        typer.Option("--strength", "-c", help="Multiplier of the direction; several are possible. 1 if left out."),
    ] = None,
    edit: Annotated[
        str, typer.Option("--edit", help="add, add-normalised, remove (the share c), or set-point (to c).")
    ] = "add",
    positions: Annotated[
        str, typer.Option("--positions", help="all, or answer: from the prompt's last token on.")
    ] = "all",
    layer: Annotated[int | None, typer.Option("--layer", help="Another block than the file's.")] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Go on with the text itself; else it is a user's message.")
    ] = False,
    max_new_tokens: Annotated[int, typer.Option("--max-new-tokens", min=1, help="Longest answer, tokens.")] = 64,
    temperature: Annotated[
        float, typer.Option("--temperature", min=0.0, help="0 takes the most likely token.")
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="Of what is drawn.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Write with a direction added to the model's states; each prompt once without, then once for each strength."""
    from typing import get_args

    from truing.cli.console import print_json
    from truing.cli.named import named
    from truing.data.tokenise import token_ids
    from truing.decoding.activation.edits import EDITS
    from truing.decoding.activation.fitted import Fitted
    from truing.decoding.activation.hooks import Positions
    from truing.decoding.activation.mean_difference import Steering
    from truing.decoding.drawing import continued, rendered
    from truing.errors import DataError
    from truing.policies.generation import Sampling
    from truing.policies.generation import generate as drawn
    from truing.rewards.judges.local import load_policy

    how = named(edit, EDITS, "--edit")
    where: Positions = named(positions, get_args(Positions), "--positions")
    found = Fitted.load(direction)
    at = found.layer if layer is None else layer
    if not 0 <= at < len(found.vectors):
        raise DataError(f"there is no block {at}", where="--layer", allowed=f"0 to {len(found.vectors) - 1}")
    policy = load_policy(model)
    found.check(policy)
    reads = continued if plain else rendered
    begun = [reads(policy.tokenizer, prompt) for prompt in prompts]
    ids = token_ids(policy.tokenizer, begun)
    sampling = Sampling(max_new_tokens, temperature, seed=seed)

    def texts(answers: list[list[int]]) -> list[str]:
        return [str(policy.tokenizer.decode(answer, skip_special_tokens=True)) for answer in answers]  # type: ignore[union-attr]

    arms: list[tuple[float | None, list[str]]] = [(None, texts(drawn(policy, ids, sampling)))]
    for c in strength or [1.0]:
        with Steering(c, how, positions=where).on(policy.inner, {at: found.vectors[at]}):
            arms.append((c, texts(drawn(policy, ids, sampling))))
    if json:
        print_json(
            [
                {"prompt": prompt, "strength": c, "answer": answers[number]}
                for number, prompt in enumerate(prompts)
                for c, answers in arms
            ]
        )
        return
    for number, prompt in enumerate(prompts):
        typer.echo(prompt)
        for one, answers in arms:
            name = "untouched" if one is None else f"c = {one:g}"
            typer.echo(f"  {name:<12}{' '.join(answers[number].split())}")
