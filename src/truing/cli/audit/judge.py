"""``truing audit judge``: what moves a judge of two answers that should not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from truing.cli.arguments import AskNothing, JsonResult, KeyFrom

if TYPE_CHECKING:
    from truing.audit.judges.recorded_bias import RecordedBias


def judge(
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            help="Labelled pairs, e.g. of JudgeBench or LLMBar, or multiple-choice questions (question, options, "
            "answer from 0; BBQ; TruthfulQA); may be given again.",
        ),
    ],
    judge: Annotated[
        str | None, typer.Option("--judge", help="http://HOST/v1#MODEL, a folder, a hub name, or truing/tiny.")
    ] = None,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Look at the verdicts of the file, and ask nobody.")
    ] = False,
    bias: Annotated[
        list[str] | None, typer.Option("--bias", help="Measure these cues only; may be given again.")
    ] = None,
    both_targets: Annotated[
        bool, typer.Option("--both-targets", help="Put cues beside right answers, too.")
    ] = False,
    mitigate: Annotated[
        list[str] | None,
        typer.Option("--mitigate", help="targeted, general, examples or reflection; may be given again."),
    ] = None,
    replies: Annotated[
        str, typer.Option("--replies", help="Of a model on this machine: odds of the letters, or text.")
    ] = "odds",
    again: Annotated[bool, typer.Option("--again", help="Ask everything without cues twice.")] = False,
    temperature: Annotated[float, typer.Option("--temperature", min=0.0, help="Of replies in words.")] = 0.0,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="Longest reply, tokens.")] = 256,
    key_from: KeyFrom = None,
    sample: Annotated[int | None, typer.Option("--sample", min=1, help="So many pairs, drawn at random.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the draw, and of replies.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for judge.json and report.html.")
    ] = None,
    dry_run: AskNothing = False,
    json: JsonResult = False,
) -> None:
    """Put cues beside one of several answers, and measure how far they move the judge (2504.09946).

    Majorities, authorities, distractions, length, phrases of reflection and the judge's own name are put beside the
    wrong answer, in both orders, each against a neutral text of as many words. Place is measured without a cue. Of
    multiple-choice questions one wrong option, drawn at random, has the cue.
    """
    from truing.audit.judges.bias_run import injections_named
    from truing.audit.judges.jobs import Settings, job_of
    from truing.audit.judges.mitigations import mitigations_named
    from truing.audit.judges.recorded_bias import recorded_bias
    from truing.cli.console import ConsoleListener, planned_in_a_line, printed
    from truing.errors import DataError
    from truing.judging.items import read_items
    from truing.judging.making import bench_of
    from truing.judging.wording import RELATION, Wording

    if recorded == (judge is not None):
        raise DataError("who judges?", where="--judge, --recorded", allowed="exactly one of the two")
    if replies not in ("odds", "text"):
        raise DataError(f"there are no replies {replies!r}", where="--replies", allowed="odds, text")
    cues, targets = injections_named(bias or []), ("wrong", "right") if both_targets else ("wrong",)
    mitigations_named(mitigate or [])
    if recorded:
        _print_recorded(recorded_bias(read_items(data)), output, json=json)
        return
    job = job_of(data, Settings(cues, targets, tuple(mitigate or ()), again, sample, seed))
    if dry_run:
        planned_in_a_line(job.plan, json)
        return
    bench = bench_of(
        [str(judge)],
        Wording(RELATION),
        words=replies == "text",
        temperature=temperature,
        max_tokens=max_tokens,
        key_from=key_from,
        seed=seed,
    )
    listener = ConsoleListener(quiet=json)
    try:
        found = job.run(bench, lambda done, total: listener.progress("Asking the judge", done, total))
    finally:
        listener.close()
    if output is not None:
        from truing.audit.judges.bias_page import judge_page
        from truing.writing import write_json, write_text

        output.mkdir(parents=True, exist_ok=True)
        write_json(output / "judge.json", found.as_dict())
        write_text(output / "report.html", judge_page(found, ", ".join(map(str, data))))
    printed(found.as_dict(), found.sentences(), json)
    if output is not None and not json:
        typer.echo(f"Report: {output / 'report.html'}")


def _print_recorded(found: RecordedBias, output: Path | None, *, json: bool) -> None:
    from truing.cli.console import printed
    from truing.writing import write_json

    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        write_json(output / "judge.json", found.as_dict())
    printed(found.as_dict(), found.sentences(), json)
