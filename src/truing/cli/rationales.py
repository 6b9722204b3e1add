"""``truing data rationales``: why the chosen answer of each pair is better, as a model explains it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def rationales(
    data: Annotated[str, typer.Argument(help="Pairs: file, folder, glob, hub data set or truing/hh-sample.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for pairs.jsonl and unused.jsonl.")],
    model: Annotated[str, typer.Option("--model", help="Who explains: folder, name, or http://HOST/v1#MODEL.")],
    variant: Annotated[
        str, typer.Option("--variant", help="detailed (points at passages) or general (names qualities).")
    ] = "detailed",
    attempts: Annotated[
        int, typer.Option("--attempts", min=1, help="At each pair; a reply that cannot be used is sent back.")
    ] = 2,
    max_new_tokens: Annotated[
        int, typer.Option("--max-new-tokens", min=1, help="Longest rationale, tokens.")
    ] = 256,
    key_from: Annotated[str | None, typer.Option("--key-from", help="Environment variable with the key.")] = None,
    price_in: Annotated[float, typer.Option("--price-in", min=0, help="Of a million tokens of questions.")] = 0.0,
    price_out: Annotated[float, typer.Option("--price-out", min=0, help="Of a million tokens of replies.")] = 0.0,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Use only the first rows.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the order in which answers are shown.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read the pairs, say what would be asked.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Ask a model why the chosen answers are better, and write the pairs with its rationales (for rationale-po).

    Replies are kept as they come: a run that was stopped goes on, and asks nothing twice.
    """
    from truing.chat import chat_model
    from truing.chat.kept import resumable
    from truing.cli.console import ConsoleListener, planned, printed
    from truing.data.synthesis.rationales.files import read_pairs, write_rationales
    from truing.data.synthesis.rationales.wording import check_variant, rationale_question
    from truing.rewards.judges.usage import usage_in

    check_variant(variant)
    found = read_pairs(data, limit)
    if dry_run:
        asked = [rationale_question(row, variant, seed) for row in found]
        plan = {
            "pairs": len(found),
            "variant": variant,
            "replies, at most": len(found) * attempts,
            "characters of the first questions": sum(len(turn["content"]) for one in asked for turn in one),
            "tokens of the first replies, at most": len(found) * max_new_tokens,
        }
        planned(plan, json)
        return
    writer = resumable(
        chat_model(model, key_from=key_from, max_tokens=max_new_tokens, where="--model"), output / "replies"
    )
    usage = usage_in(writer)
    if usage is not None:
        usage.price_in, usage.price_out = price_in, price_out
    listener = ConsoleListener(quiet=json)
    try:
        made = write_rationales(
            found,
            output,
            writer,
            variant=variant,
            attempts=attempts,
            seed=seed,
            progress=lambda done, total: listener.progress("Asking why", done, total),
        )
    finally:
        listener.close()
    spent = None if usage is None else usage.as_dict()
    lines = (
        []
        if usage is None
        else [
            f"asked {usage.calls:,} times, {usage.cached:,} replies kept from before; {usage.tokens_in:,} tokens in, "
            f"{usage.tokens_out:,} out, cost {usage.cost:.4g}"
        ]
    )
    printed({**made.as_dict(), "usage": spent}, [*made.sentences(), *lines], json)
