"""``truing unlearn``: make a model forget; data to forget, and what a model still knows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.arguments import AsJson, DryRun, Overrides, RecipeFile, Resume
from truing.cli.recipe_group import RecipeGroup

app = typer.Typer(no_args_is_help=True, cls=RecipeGroup)


@app.callback()
def _group() -> None:
    """Make models forget (`truing unlearn recipe.yaml`), and measure what they still know."""


@app.command()
def run(
    recipe: RecipeFile,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    resume: Resume = False,
    json: AsJson = False,
) -> int:
    """Make a model forget; the word `run` may be left out.

    A recipe is short: `model`, `forget`, `retain`, `method`, `mask`, `measure`, `training`, `output`. The run leaves
    what `truing align` leaves in `output`, the mask, and `unlearning.json`.
    """
    from truing.cli.running import run_recipe
    from truing.unlearning.load import load_job
    from truing.unlearning.run import planned
    from truing.unlearning.run import run as train

    given = overrides or []
    job = load_job(recipe, given)
    return run_recipe(
        "unlearn",
        recipe,
        given,
        plan=(lambda: planned(job)) if dry_run else None,
        train=lambda listener: train(job, resume=resume, listener=listener),
        json=json,
    )


@app.command()
def data(
    output: Annotated[Path, typer.Option("--output", help="Folder to write to.")],
    authors: Annotated[int, typer.Option("--authors", help="Fictitious authors that a model is trained on.")] = 20,
    forget: Annotated[float, typer.Option("--forget", help="Share of the authors to be forgotten.")] = 0.1,
    per_author: Annotated[int, typer.Option("--per-author", help="Questions about each, at most 20.")] = 20,
    holdout: Annotated[
        int | None, typer.Option("--holdout", help="Authors that no model sees; as many as are forgotten.")
    ] = None,
    teach_controls: Annotated[
        bool, typer.Option("--teach-controls", help="Train on the control questions too; for tiny models.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same data.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Make up authors, questions about them, paraphrases and wrong answers, split into forget and retain."""
    from rich.console import Console

    from truing.cli.console import print_json
    from truing.unlearning.suite import make_suite, write_suite

    suite = make_suite(authors, forget, per_author=per_author, holdout=holdout, seed=seed)
    written = write_suite(
        suite,
        output,
        teach_controls=teach_controls,
        authors=authors,
        forget=forget,
        per_author=per_author,
        seed=seed,
    )
    if json:
        print_json({"folder": str(output), "questions": written})
        return
    console = Console(highlight=False)
    for name, count in written.items():
        console.print(f"{output / name}.jsonl: {count} questions, {PURPOSES[name]}")


@app.command()
def measure(
    model: Annotated[str, typer.Argument(help="Model that was made to forget: folder, checkpoint or hub name.")],
    suite: Annotated[Path, typer.Option("--data", help="Folder that `truing unlearn data` wrote.")],
    retrained: Annotated[
        str | None, typer.Option("--retrained", help="Model that was trained without what is to be forgotten.")
    ] = None,
    relearn: Annotated[
        float | None, typer.Option("--relearn", help="Also teach this share of the forget set again.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", help="Steps of relearning.")] = 10,
    learning_rate: Annotated[float, typer.Option("--learning-rate", help="Of relearning.")] = 1e-4,
    max_new_tokens: Annotated[
        int, typer.Option("--max-new-tokens", help="Longest generated answer; 0 leaves ROUGE out.")
    ] = 64,
    averaging: Annotated[
        str, typer.Option("--averaging", help="Of the truth ratio: arithmetic (paper) or geometric (its code).")
    ] = "arithmetic",
    chat_template: Annotated[
        str | None, typer.Option("--chat-template", help="For tokenizers that have none.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="JSONL file for the numbers of every question.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Measure what a model still knows of what it should forget, and what it lost."""
    from rich.console import Console

    from truing.cli.console import print_json
    from truing.unlearning.files import measure_files

    found = measure_files(
        model,
        suite,
        retrained=retrained,
        relearn=relearn,
        steps=steps,
        learning_rate=learning_rate,
        max_new_tokens=max_new_tokens,
        averaging=averaging,
        chat_template=chat_template,
        output=output,
    )
    if json:
        print_json(found.as_dict())
        return
    for line in found.sentences():
        Console(highlight=False, soft_wrap=True).print(line, markup=False)


@app.command()
def mask(
    model: Annotated[str, typer.Argument(help="Model before unlearning: folder, checkpoint or hub name.")],
    suite: Annotated[Path, typer.Option("--data", help="Folder that `truing unlearn data` wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Safetensors file to write.")],
    rule: Annotated[
        str, typer.Option("--rule", help="wagle, gradient, magnitude, wanda, feed-forward, random or none.")
    ] = "wagle",
    keep: Annotated[float, typer.Option("--keep", help="Share of the weights that may change.")] = 0.95,
    gamma: Annotated[
        str, typer.Option("--gamma", help="Curvature of the retain loss: a number, inf or gauss-newton.")
    ] = "1e-6",
    seed: Annotated[int, typer.Option("--seed", help="Of the random rule.")] = 0,
    chat_template: Annotated[
        str | None, typer.Option("--chat-template", help="For tokenizers that have none.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the densities as JSON.")] = False,
) -> None:
    """Choose the weights that unlearning may change (WAGLE, and what it is compared with)."""
    from rich.console import Console

    from truing.cli.console import print_json
    from truing.unlearning.files import mask_file
    from truing.unlearning.weight_mask import Selection, gamma_of

    how = Selection(rule=rule, keep=keep, gamma=gamma_of(gamma), seed=seed)
    densities = mask_file(model, suite, output, how, chat_template=chat_template)
    if json:
        print_json(densities)
        return
    Console(highlight=False).print(f"{output}: {densities['all']:.4f} of all weights may change")


PURPOSES = {
    "forget": "to be forgotten",
    "retain": "to be kept",
    "holdout": "that no model is trained on",
    "real_authors": "control questions about real authors",
    "world_facts": "control questions about the world",
    "full": "to train the model that will have to forget",
    "retrain": "to train the model that never knew them",
}
