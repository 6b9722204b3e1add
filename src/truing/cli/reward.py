"""``truing reward``: train a reward model; how far one can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from truing.cli.arguments import AsJson, DryRun, Overrides, RecipeFile, Resume
from truing.cli.contexts import contexts
from truing.cli.critiques import critiques
from truing.cli.personal import add_user, personal
from truing.cli.prefix import prefix
from truing.cli.recipe_group import RecipeGroup

if TYPE_CHECKING:
    from truing.cli.running import Planned

app = typer.Typer(no_args_is_help=True, cls=RecipeGroup)
app.command("personal")(personal)
app.command("add-user")(add_user)
app.command("contexts")(contexts)
app.command("critiques")(critiques)
app.command("prefix")(prefix)


@app.callback()
def _group() -> None:
    """Train reward models (`truing reward recipe.yaml`), and measure how far they can be trusted."""


@app.command()
def run(
    recipe: RecipeFile,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    resume: Resume = False,
    json: AsJson = False,
) -> int:
    """Train a reward model; the word `run` may be left out.

    A recipe is short: `model`, `data`, `objective` (`bradley-terry` if left out), `training`, `output`. The run leaves
    what `truing align` leaves in `output`; its `model` folder is one for sequence classification.
    """
    from truing.cli.running import run_recipe
    from truing.rewards.models.training import TrainReward, reward_recipe
    from truing.training.align import align

    given = overrides or []
    checked = reward_recipe(recipe, given)

    def planned() -> Planned:
        from truing.training.plan import planned

        return planned(checked, accepts=TrainReward().check)

    return run_recipe(
        "reward",
        recipe,
        given,
        plan=planned if dry_run else None,
        train=lambda listener: align(checked, resume=resume, listener=listener, purpose=TrainReward()),
        json=json,
    )


@app.command("segments")
def segments(
    data: Annotated[Path, typer.Argument(help="JSON lines: first, second (states and actions each), label.")],
    gamma: Annotated[float, typer.Option("--gamma", help="Discount of the next step, below 1.")] = 0.95,
    end: Annotated[
        list[int] | None, typer.Option("--end", help="State in which an episode ends; may be given again.")
    ] = None,
    statistic: Annotated[
        str, typer.Option("--statistic", help="What people compared: regret or partial-return.")
    ] = "regret",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="JSON file with rewards and policy.")
    ] = None,
) -> None:
    """Learn a reward of states and actions from compared segments of behaviour.

    What actions lead to is counted in the segments themselves. In Python transitions and features may be given:
    `truing.control.regret`.
    """
    from typing import cast

    from rich.console import Console

    from truing.control.regret import Statistic, counted_world, regret_preference
    from truing.control.segments import read_pairs
    from truing.writing import write_json

    pairs = read_pairs(data)
    world = counted_world(pairs, gamma, tuple(end or ()))
    found = regret_preference(world, pairs, statistic=cast("Statistic", statistic))
    if output is not None:
        write_json(output, {"rewards": found.rewards.tolist(), "policy": found.policy.tolist()})
    console = Console(highlight=False)
    console.print(f"{len(pairs)} comparisons, {world.states} states, {world.actions} actions", markup=False)
    console.print(
        f"cross-entropy {found.losses[0]:.3f} at the start, {found.losses[-1]:.3f} at the end", markup=False
    )
    for state in range(world.states):
        best = ", ".join(str(a) for a in (found.policy[state] > 0).nonzero()[:, 0].tolist())
        rewards = ", ".join(f"{value:.3g}" for value in found.rewards[state].tolist())
        ended = " (end)" if bool(world.terminal[state]) else f": best action {best}; rewards {rewards}"
        console.print(f"state {state}{ended}", markup=False)


@app.command("eval")
def evaluate(
    data: Annotated[str, typer.Option("--data", help="File, folder, glob or hub data set with labelled pairs.")],
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Reward models: folders or hub names. Several are compared.", show_default=False),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", help="Column that says which subset a pair belongs to, or `file`; `source` if left out."
        ),
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option("--judge", help="Language model that is asked which answer is better, in both orders."),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option("--reference", help="Of models that are policies: their implicit reward is judged."),
    ] = None,
    beta: Annotated[float, typer.Option("--beta", help="Scale of the implicit reward.")] = 0.1,
    rewrites: Annotated[
        bool, typer.Option("--rewrites", help="Judge again after rewrites that leave the meaning alone.")
    ] = False,
    paraphrased: Annotated[
        str | None, typer.Option("--paraphrased", help="The same pairs in other words, with the same ids.")
    ] = None,
    sample: Annotated[int | None, typer.Option("--sample", help="Judge so many pairs, drawn at random.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for reward.json, pairs.jsonl and report.html.")
    ] = None,
    max_length: Annotated[
        int, typer.Option("--max-length", help="Longest prompt plus completion, tokens.")
    ] = 2048,
    precision: Annotated[str, typer.Option("--precision", help="auto, float32 or bfloat16.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Accuracy, calibration and reliance on length of rewards on labelled pairs.

    RewardBench, RAG-RewardBench, JudgeBench and LLMBar are known by their columns, and added up as they do. Several
    models are compared, and judged as an ensemble. Where the data score several answers to a prompt, the best of n by
    each reward is followed as n grows: over-optimisation.
    """
    from truing.cli.console import printed
    from truing.rewards.evaluation.run import evaluate_rewards

    found = evaluate_rewards(
        models or [],
        data,
        by=by,
        max_length=max_length,
        precision=precision,
        reference=reference,
        beta=beta,
        judges=judge or [],
        rewrites=rewrites,
        paraphrased=paraphrased,
        sample=sample,
    )
    if output is not None:
        found.write(output)
    printed(found.as_dict(), found.sentences(), json)
