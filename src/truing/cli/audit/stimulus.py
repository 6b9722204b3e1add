"""``truing audit stimulus``: what emotional phrases in a prompt are worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from truing.cli.arguments import AnyModel, AskNothing, JsonResult, KeyFrom, MaxNewTokens

if TYPE_CHECKING:
    from truing.prompting.tasks import Task
    from truing.prompting.transform import Shown


def stimulus(
    model: AnyModel,
    data: Annotated[str, typer.Option("--data", help="Items: task, instruction, input, answer.")],
    phrase: Annotated[
        list[str] | None,
        typer.Option(
            "--phrase", help="A sentence, or one of the package's own, e.g. doubt-1; all ten if left out."
        ),
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", metavar="FIELD=COLUMN", help="E.g. input=sentence.")
    ] = None,
    instruction: Annotated[str | None, typer.Option("--instruction", help="Of a file without one.")] = None,
    items: Annotated[int | None, typer.Option("--items", min=4, help="At most so many of each task.")] = None,
    shots: Annotated[int, typer.Option("--shots", min=0, help="Examples in front of each item.")] = 0,
    choose: Annotated[
        bool, typer.Option("--choose", help="Rank the task's answers by likelihood in place of writing one.")
    ] = False,
    separator: Annotated[str, typer.Option("--separator", help="Between instruction and phrase.")] = " ",
    max_new_tokens: MaxNewTokens = 16,
    seed: Annotated[int, typer.Option("--seed", help="Of the halves that choose and measure.")] = 0,
    key_from: KeyFrom = None,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Score tasks under phrases and neutral controls; the phrase that is reported is chosen on other items."""
    from truing.audit.stimulus import audit_stimulus
    from truing.cli.console import ConsoleListener, planned_in_a_line, printed
    from truing.errors import RecipeError
    from truing.prompting.answering import FromPolicy
    from truing.prompting.models import answering
    from truing.prompting.stimuli import STIMULI
    from truing.prompting.tasks import chosen_right, read_tasks, renames, written_right

    phrases = phrase or list(STIMULI)
    tasks = read_tasks(data, columns=renames(column or []), instruction=instruction, items=items)
    count = (2 * len(phrases) + 1) * sum(max(0, len(task.items) - shots) for task in tasks)
    if dry_run:
        plan = {"tasks": len(tasks), "phrases": len(phrases), "answers": count}
        planned_in_a_line(plan, json)
        return
    answer = answering(model, key_from=key_from, max_new_tokens=max_new_tokens, seed=seed, where="model")
    if choose and not isinstance(answer, FromPolicy):
        raise RecipeError(
            "likelihoods of answers are to be had of models on this machine only",
            where="--choose",
            fix="leave it out",
        )

    def right(shown: Sequence[Shown], task: Task) -> Sequence[float]:
        if choose:
            assert isinstance(answer, FromPolicy)
            return chosen_right(answer.policy, shown, task.answers)
        return written_right(answer, shown)

    listener = ConsoleListener(quiet=json)
    try:
        found = audit_stimulus(
            tasks,
            phrases,
            right,
            shots=shots,
            seed=seed,
            separator=separator,
            progress=lambda done, total: listener.progress(f"Answering {count:,} prompts", done, total),
        )
    finally:
        listener.close()
    printed(found.as_dict(), found.sentences(), json)
