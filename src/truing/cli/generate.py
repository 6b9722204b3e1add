"""``truing generate``: answer prompts with decoding that looks further than the next token."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from truing.cli.arguments import DryRun, Resume

if TYPE_CHECKING:
    from truing.decoding.recipe import DecodeRecipe
    from truing.decoding.run import Generated


def generate(
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="[RECIPE] [KEY=VALUE]...",
            help="YAML file, and changes to it; or keys alone, e.g. model=truing/tiny prompt='I thought' "
            "decode.name=best-of-n rewards=[sentiment].",
            show_default=False,
        ),
    ],
    dry_run: DryRun = False,
    resume: Resume = False,
    json: Annotated[bool, typer.Option("--json", help="Print answers and cost as JSON.")] = False,
) -> None:
    """Answer prompts: best-of-n, votes, guided tokens, beams that look ahead, Markov chains."""
    from truing.decoding.recipe import load_decode_recipe

    head = None if "=" in given[0] else Path(given[0])
    recipe = load_decode_recipe(head, given if head is None else given[1:])
    if dry_run:
        _plan(recipe, json)
        return

    from truing.cli.console import ConsoleListener, print_json
    from truing.decoding.run import decode

    listener = ConsoleListener(quiet=json)
    try:
        found = decode(
            recipe, resume=resume, progress=lambda done, total: listener.progress("answering", done, total)
        )
    finally:
        listener.close()
    if json:
        print_json(_as_dict(found))
        return
    _print(recipe, found)


def _as_dict(found: Generated) -> dict[str, Any]:
    from dataclasses import asdict

    return {"answers": [one.as_dict() for one in found.decoded], "cost": asdict(found.cost), "kept": found.kept}


def _print(recipe: DecodeRecipe, found: Generated) -> None:
    from rich.console import Console

    from truing.rewards.functions.prompt_text import transcript

    console = Console(highlight=False)
    for one in found.decoded if recipe.output is None else found.decoded[:3]:
        console.print(transcript(one.prompt).strip(), style="dim", markup=False, soft_wrap=True)
        console.print(one.text.strip(), markup=False, soft_wrap=True)
        notes = {"reward": one.reward, **one.notes} if one.reward is not None else dict(one.notes)
        told = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in notes.items())
        console.print(f"  {told}\n" if told else "", style="cyan", markup=False, soft_wrap=True)
    cost = found.cost
    console.print(
        f"{len(found.decoded)} answers for {cost.model_tokens:,} tokens of the model, {cost.answer_tokens:,} of them "
        f"drawn, and {cost.reward_calls:,} rewarded texts.",
        markup=False,
    )
    if recipe.output is not None:
        before = f", {found.kept} were there" if found.kept else ""
        console.print(f"All answers are in {recipe.output}{before}.", markup=False, soft_wrap=True)


def _plan(recipe: DecodeRecipe, json: bool) -> None:
    from dataclasses import asdict

    from truing.cli.console import ConsoleListener, print_json, print_plan
    from truing.decoding.run import prompts_of, setup_of

    setup = setup_of(recipe)
    found = setup.foreseen(prompts_of(recipe))
    values = {
        "prompts": found.prompts,
        "prompt_tokens": found.tokens,
        "longest_prompt": found.longest,
        "decode": recipe.decode,
        "rewards": [] if setup.pipeline is None else list(setup.pipeline.names),
        "at_most": None if found.most is None else asdict(found.most),
        "prompts_changed": found.changed,
        "output": recipe.output,
    }
    if json:
        print_json(values)
        return
    console = ConsoleListener(quiet=False).console
    tokens = f"{found.tokens:,} tokens, the longest {found.longest:,}"
    if not found.changed:
        tokens += "; a model is asked to change them first, which was not done"
    lines = [("prompts", f"{found.prompts:,} of {tokens}"), ("decode", str(recipe.decode))]
    lines += [("rewards", ", ".join(values["rewards"]) or "none"), ("output", recipe.output or "the screen")]
    if found.most is not None:
        most = found.most
        lines.append(
            ("at most", f"{most.answers:,} answers of {most.tokens:,} tokens, and {most.rewards:,} rewarded texts")
        )
    print_plan(console, lines)
    console.print("Nothing was done (--dry-run).")
