"""``truing judge``: which of two sets of answers a judge prefers, and how far the judge can be trusted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from truing.judging.items import Item


def judge(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="A [B]",
            help="Two files of answers to the same prompts; or files of pairs (AlpacaEval, PandaLM, Auto-J, "
            "JudgeBench, LLMBar, chosen/rejected, or prompt, a and b).",
        ),
    ],
    judge: Annotated[
        list[str] | None,
        typer.Option(
            "--judge", "-j", help="Folder, hub name, truing/tiny, or http://HOST/v1#MODEL; several may vote."
        ),
    ] = None,
    recorded: Annotated[bool, typer.Option("--recorded", help="Take the verdicts that the file holds.")] = False,
    protocol: Annotated[
        str,
        typer.Option(
            "--protocol", "-p", help="swap, single, labels, pine, portia, vote, pointwise or reflection."
        ),
    ] = "swap",
    merge: Annotated[
        str | None,
        typer.Option(
            "--merge",
            help="conservative (a win in every order; the default), soft (mean probability) or plurality (of a vote). "
            "Recorded verdicts stay as they are if it is left out.",
        ),
    ] = None,
    replies: Annotated[
        str,
        typer.Option("--replies", help="letters: the odds of A and B; text; auto: letters where they can be had."),
    ] = "auto",
    form: Annotated[
        str, typer.Option("--form", help="Of verdicts in words: relation, score or likert.")
    ] = "relation",
    ties: Annotated[bool, typer.Option("--ties/--no-ties", help="Whether the judge may say tie.")] = True,
    abstention: Annotated[
        bool, typer.Option("--abstention", help="Let the judge say that it cannot tell.")
    ] = False,
    criteria: Annotated[
        str | None, typer.Option("--criteria", help="What answers are judged by, in words.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option("--reference", metavar="COLUMN", help="Column with an answer that is known to be right."),
    ] = None,
    answer: Annotated[
        str | None, typer.Option("--answer", metavar="COLUMN", help="Column of answers, with two files.")
    ] = None,
    parts: Annotated[int, typer.Option("--parts", min=2, help="Into which portia cuts answers.")] = 3,
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, help="Of a vote, for each judge; best an even number.")
    ] = 4,
    temperature: Annotated[
        float, typer.Option("--temperature", min=0.0, max=2.0, help="Of replies in words.")
    ] = 0.0,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="Longest reply, tokens.")] = 256,
    key_from: Annotated[str | None, typer.Option("--key-from", help="Environment variable with the key.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Judge the first so many pairs.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of orders, draws and intervals.")] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the files, count the questions, ask nothing.")
    ] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="JSONL file for every verdict.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Compare two sets of answers by a judge, or a judge with labels.

    Replies of a judge behind an endpoint are kept: a run that was interrupted goes on where it stopped.
    """
    from truing.cli.console import print_json
    from truing.cli.judged import lines, plan, write_verdicts
    from truing.cli.named import named
    from truing.errors import RecipeError
    from truing.judging.bench import PROTOCOLS
    from truing.judging.making import bench_of
    from truing.judging.merging import MERGES
    from truing.judging.replay import recorded_judge, recorded_verdicts
    from truing.judging.summary import summary
    from truing.judging.wording import FORMS, Wording
    from truing.rewards.judges.usage import usage_in
    from truing.rewards.judges.wording import CRITERIA

    named(replies, ("auto", "letters", "text"), "--replies")
    _check(judge, recorded, reference, replies)
    chosen = PROTOCOLS["single" if recorded else named(protocol, PROTOCOLS, "--protocol")]
    merged = MERGES[named(merge or "conservative", MERGES, "--merge")]
    if chosen.each_voter and merge not in (None, "plurality"):
        raise RecipeError(
            f"--merge {merge} with --protocol {chosen.name}",
            where="--merge",
            allowed="plurality, which is what voters' opinions come to",
            fix="leave --merge out, or take --protocol swap",
        )
    form_ = FORMS[named(form, FORMS, "--form")]
    items, notes = _items(files, answer, reference, limit)
    if dry_run:
        found = plan(items, chosen, judge or [], rounds, notes)
        print_json(found) if json else typer.echo("\n".join(f"{name}: {value}" for name, value in found.items()))
        return
    wording = Wording(form_, criteria or CRITERIA, ties, abstention)
    used = []
    if recorded:
        name = recorded_judge(items)
        judged = recorded_verdicts(items, merged if merge else None)
        merging = (
            f"{judged.asked:,} recorded opinions, merged: {merge}"
            if merge
            else (
                f"{judged.asked:,} recorded opinions; verdicts as recorded, a graded preference counts by its share"
            )
        )
    else:
        typer.echo(f"asking {', '.join(judge or [])} about {len(items):,} pairs", err=True)
        bench = bench_of(
            judge or [],
            wording,
            words=replies == "text" or (chosen.in_words and replies == "auto"),
            temperature=temperature,
            max_tokens=max_tokens,
            key_from=key_from,
            seed=seed,
        )
        bench = replace(bench, merge=merged, parts=parts, rounds=rounds, seed=seed)
        name = bench.name
        judged = chosen.run(bench, [item.pair for item in items])
        used = [own.as_dict() for chat in bench.chats if (own := usage_in(chat))]
        rule = merge or chosen.merge
        merging = f"asked {judged.asked:,} times" + (f"; orders merged: {rule}" if rule else "")
    result = summary(
        items,
        judged,
        judge=name,
        protocol="recorded" if recorded else chosen.name,
        merging=merging,
        recorded=recorded,
        seed=seed,
        usage=used,
        notes=notes,
    )
    if output is not None:
        write_verdicts(output, items, judged, name)
    if json:
        print_json(result.as_dict())
        return
    typer.echo("\n".join(lines(result)))


def _check(judge: list[str] | None, recorded: bool, reference: str | None, replies: str) -> None:
    from truing.errors import RecipeError

    if bool(judge) == recorded:
        raise RecipeError(
            "verdicts come from a judge or from the file" + (", not from both" if recorded else ""),
            where="--judge, --recorded",
            allowed="one of them",
            fix="e.g. --judge truing/tiny",
        )
    if recorded and reference is not None:
        raise RecipeError("recorded verdicts know no reference", where="--reference", fix="leave it out")
    far = [name for name in judge or [] if name.startswith(("http://", "https://"))]
    if far and (replies == "letters" or len(far) < len(judge or [])):
        raise RecipeError(
            "an endpoint replies in words: its odds of letters are not to be had, nor is it mixed with models here",
            where="--judge, --replies",
            fix="use --replies text, and judges of one kind",
        )


def _items(
    files: list[Path], answer: str | None, reference: str | None, limit: int | None
) -> tuple[list[Item], list[str]]:
    from truing.errors import DataError
    from truing.judging.answers import is_answers, matched, read_answers
    from truing.judging.items import read_items

    if len(files) == 2 and (answer is not None or all(is_answers(path) for path in files)):
        both = matched(*(read_answers(path, answer, reference) for path in files))
        if reference is not None and not any(item.pair.reference for item in both.items):
            raise DataError(f"neither file has answers in a column {reference!r}", where="--reference")
        notes = [f"{both.alone:,} prompts are in one of the files alone, and were left out"] if both.alone else []
        return both.items[:limit], notes
    if answer is not None:
        raise DataError("a column of answers needs two files of answers", where="--answer", fix="name A and B")
    return read_items(files, reference)[:limit], []
