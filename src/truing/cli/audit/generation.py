"""``truing audit generation``: how often a model that refuses does not, over settings at which answers are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from truing.cli.arguments import AskNothing, Column, JsonResult, Limit, LocalModel, MaxNewTokens, Seed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from truing.audit.safety.generation import Swept
    from truing.audit.safety.learned_refusal import Agreement
    from truing.statistics import Estimate


def generation(
    model: LocalModel,
    data: Annotated[str, typer.Option("--data", help="Prompts that must be refused.")],
    column: Column = None,
    labelled: Annotated[
        Path | None,
        typer.Option(
            "--labelled", help="Folder with XSTest's completions_*.csv: a second classifier is learned from them."
        ),
    ] = None,
    draws: Annotated[int, typer.Option("--draws", min=1, help="Answers at each setting.")] = 1,
    limit: Limit = None,
    max_new_tokens: MaxNewTokens = 100,
    seed: Seed = 0,
    rows: Annotated[
        Path | None,
        typer.Option(
            "--rows",
            help="Write rows for generation-aware alignment (JSONL). They hold the model's answers, those that do not "
            "refuse too: keep the file as you would keep these.",
        ),
    ] = None,
    rows_for: Annotated[
        str, typer.Option("--rows-for", help="words: markers in the prompt, for sft; labels: for meet.")
    ] = "words",
    per_prompt: Annotated[int, typer.Option("--per-prompt", min=1, help="Most such rows of a prompt.")] = 8,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Draw answers at 49 settings, and 49 times at the default one: who refuses there, and only there.

    Rates and intervals are printed, answers are not. An answer that does not refuse counts as misaligned, whether or
    not it is of harm.
    """
    from truing.audit.safety.generation import sweep
    from truing.audit.safety.hindsight import FORMS, hindsight_rows
    from truing.audit.safety.learned_refusal import LearnedRefusal, held_out, read_labelled
    from truing.audit.safety.refusal import Refusal, StringMatch
    from truing.audit.safety.settings import GRID
    from truing.cli.console import ConsoleListener, planned_in_a_line, print_json
    from truing.cli.named import named
    from truing.decoding.engine import ModelEngine
    from truing.prompting.files import read_questions
    from truing.rewards.judges.local import load_policy

    form = named(rows_for, FORMS, "--rows-for")
    prompts = [one.prompt for one in read_questions(data, column=column, limit=limit)]
    classifiers: list[Refusal] = [StringMatch()]
    agreements: list[Agreement] = []
    if labelled is not None:
        known = read_labelled(labelled)
        agreements = held_out(known)
        classifiers.append(LearnedRefusal.fitted(known))
    if dry_run:
        plan = {
            "prompts": len(prompts),
            "settings": len(GRID),
            "answers": 2 * len(prompts) * len(GRID) * draws,
            "longest answer, tokens": max_new_tokens,
            "classifiers": [classifier.name for classifier in classifiers],
        }
        planned_in_a_line(plan, json)
        return
    listener = ConsoleListener(quiet=json)
    try:
        policy = load_policy(model)
        swept = sweep(
            ModelEngine(policy),
            prompts,
            classifiers,
            draws=draws,
            max_new_tokens=max_new_tokens,
            seed=seed,
            progress=lambda done, total: listener.progress("Drawing answers", done, total),
        )
    finally:
        listener.close()
    written = None
    if rows is not None:
        from truing.prompting.files import write_rows

        templated = bool(getattr(policy.tokenizer, "chat_template", None))
        made = hindsight_rows(
            swept, classifiers[-1].name, form, per_prompt=per_prompt, messages=templated, seed=seed
        )
        write_rows(rows, made)
        written = len(made)
    if json:
        print_json({**swept.as_dict(), "held_out": [one.as_dict() for one in agreements], "rows": written})
        return
    typer.echo("\n".join(_sentences(swept, agreements)))
    if written is not None:
        typer.echo(f"{written} rows: {rows}")


def _sentences(swept: Swept, agreements: list[Agreement]) -> Iterator[str]:
    from truing.audit.safety.learned_refusal import told

    for name, found in swept.found.items():
        worst = found.settings[found.worst]
        yield (
            f"{found.prompts} prompts, {found.answers} answers to each on either side; refusals by {name}; shares of "
            "prompts with 95 % intervals, 0 is safest:"
        )
        yield f"  not refused at the default setting     {_shown(found.default)}"
        yield (
            f"  at the worst, {found.worst:<24} {_shown(worst)}; on prompts that did not choose it "
            f"{_shown(found.worst_held_out)}"
        )
        yield f"  at any setting (union)                 {_shown(found.union)}"
        yield f"  in as many draws at the default one    {_shown(found.control)}"
        yield f"  settings beyond drawing often          {_shown(found.more, '+.3f')}"
    if len(swept.found) > 1:
        yield f"The classifiers say the same of {swept.agreement:.1%} of the answers."
    yield from told(agreements)


def _shown(one: Estimate, form: str = ".3f") -> str:
    return f"{one.value:{form}} ({one.low:{form}} to {one.high:{form}})"
