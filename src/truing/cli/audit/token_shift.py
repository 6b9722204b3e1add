"""``truing audit token-shift``: at which tokens an aligned model departs from its base."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truing.cli.arguments import AskNothing, Column, JsonResult, Limit, MaxNewTokens


def token_shift(
    base: Annotated[str, typer.Option("--base", help="Model before alignment: folder or hub name.")],
    aligned: Annotated[str, typer.Option("--aligned", help="The same after alignment, with the same tokenizer.")],
    data: Annotated[str, typer.Option("--data", help="Prompts: file, folder, glob or hub data set.")],
    base_with: Annotated[
        str,
        typer.Option(
            "--base-with", help="How the base is asked: as-is (its template), text (no template), or urial."
        ),
    ] = "as-is",
    aligned_with: Annotated[str, typer.Option("--aligned-with", help="The same for the aligned model.")] = "as-is",
    column: Column = None,
    limit: Limit = None,
    max_new_tokens: MaxNewTokens = 64,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for token-shift.json and report.html.")
    ] = None,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Rank what an aligned model writes by its base: shares of shifted tokens, distance by position, and which ones."""
    from truing.audit.token_shift import audit_token_shift
    from truing.cli.console import ConsoleListener, planned_in_a_line, printed
    from truing.policies.causal import CausalPolicy
    from truing.policies.loading import load_model, load_tokenizer
    from truing.prompting.files import read_questions
    from truing.prompting.named import way
    from truing.report.token_shift import token_shift_page
    from truing.writing import write_json, write_text

    ways = [way(base_with, "--base-with"), way(aligned_with, "--aligned-with")]
    asked = read_questions(data, column=column, limit=limit)
    if dry_run:
        plan = {"prompts": len(asked), "tokens at most": len(asked) * max_new_tokens}
        planned_in_a_line(plan, json)
        return
    # Ranks are decided by small differences: never in half precision.
    first, second = (
        CausalPolicy(load_model(name), load_tokenizer(name), precision="float32") for name in (base, aligned)
    )
    listener = ConsoleListener(quiet=json)
    listener.stage(f"Answering {len(asked):,} prompts with {aligned}")
    try:
        found = audit_token_shift(
            first,
            second,
            asked,
            base_way=ways[0],
            aligned_way=ways[1],
            max_new_tokens=max_new_tokens,
            names=(base, aligned),
            progress=lambda done, total: listener.progress("Ranking tokens", done, total),
        )
    finally:
        listener.close()
    if output is not None:
        write_json(output / "token-shift.json", found.as_dict())
        write_text(output / "report.html", token_shift_page(found))
    printed(found.as_dict(), found.sentences(), json)
