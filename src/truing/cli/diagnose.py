"""``truing diagnose`` answers whether a run is broken, and what training did to a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def diagnose(
    target: Annotated[
        str, typer.Argument(metavar="RUN|MODEL", help="Output folder of `truing align`, or a model with --data.")
    ],
    data: Annotated[
        str | None, typer.Option("--data", help="Pairs to look at; by default what the run held out.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", help="The model that training started from; a run knows its own.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Read a run's metrics alone; load no model.")] = False,
    limit: Annotated[int, typer.Option("--limit", help="Most pairs to look at.")] = 500,
    beta: Annotated[
        float | None,
        typer.Option("--beta", help="Of the objective, for the idealised accuracy; 0.1 if not known."),
    ] = None,
    flip_rate: Annotated[
        float, typer.Option("--flip-rate", help="Share of labels taken as wrong, where the data does not say.")
    ] = 0.1,
    samples: Annotated[
        int,
        typer.Option(
            "--samples", help="Prompts to answer, for where pairs stand, length and distance; 0 for none."
        ),
    ] = 32,
    max_length: Annotated[int, typer.Option("--max-length", help="Longest prompt plus answer, tokens.")] = 1024,
    precision: Annotated[str, typer.Option("--precision", help="auto, float32 or bfloat16.")] = "auto",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Also write: .jsonl one row a pair, .json all numbers, .html this page."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Say in words what is wrong with a run, and what training did to its model, with the numbers behind it."""
    from rich.console import Console

    from truing.cli.console import print_json
    from truing.cli.diagnosis import render_model, render_run
    from truing.diagnostics.finished import beta_of, diagnose_finished
    from truing.diagnostics.model import Options, diagnose_model
    from truing.diagnostics.run import diagnose_run
    from truing.errors import RunError

    _check(target, data, reference, output, quick=quick)
    folder = Path(target)
    is_run = (folder / "run.json").exists()
    alarms = found = None
    why = ""
    if is_run or data is None:
        alarms = diagnose_run(folder)
    if not quick:
        beta = beta or (beta_of(folder) if is_run else None) or 0.1
        options = Options(
            limit=limit,
            beta=beta,
            flip_rate=flip_rate,
            samples=samples,
            max_length=max_length,
            precision=precision,
        )
        if is_run:
            try:
                found = diagnose_finished(folder, data=data, reference=reference, options=options)
            except RunError as error:
                if data is not None or output is not None:
                    raise
                why = f"The model was not looked at: {error.what}."
        else:
            assert data is not None
            found = diagnose_model(target, data, reference=reference, options=options)
    values: dict[str, Any] = alarms.as_dict() if alarms is not None else {}
    if found is not None:
        values |= {"model": found.as_dict()}
    console = Console(highlight=False, record=output is not None and output.suffix == ".html", quiet=json)
    if alarms is not None:
        render_run(console, alarms)
    if found is not None:
        render_model(console, found)
    elif why:
        console.print(why, markup=False)
    if output is not None:
        _write(output, values, console, found.rows if found is not None else [])
    if json:
        print_json(values)
    return 0


_ENDINGS = (".jsonl", ".json", ".html")


def _check(target: str, data: str | None, reference: str | None, output: Path | None, *, quick: bool) -> None:
    """Refuse what would have no effect, before anything is loaded."""
    from truing.errors import RunError, TruingError

    is_run = (Path(target) / "run.json").exists()
    if not is_run and data is None:
        raise RunError(
            f"{target!r} holds no run",
            where=str(Path(target) / "run.json"),
            fix="give the output folder of `truing align`; to look at a model, add its data: "
            f"truing diagnose {target} --data PAIRS [--reference STARTING_MODEL]",
        )
    if quick and not is_run:
        raise TruingError("--quick reads the metrics of a run, and this is none", where=target, fix="leave it out")
    if quick and (data or reference or output):
        raise TruingError(
            "--quick loads no model, so --data, --reference and --output have no effect", fix="leave --quick out"
        )
    if output is not None and output.suffix not in _ENDINGS:
        raise TruingError(
            f"unknown ending {output.suffix!r}",
            where=f"--output {output}",
            allowed=".jsonl (one row a pair), .json (all numbers) or .html (the page)",
        )


def _write(path: Path, values: dict[str, Any], console: Any, rows: list[dict[str, Any]]) -> None:
    from truing.diagnostics.model import write_rows
    from truing.json_values import plain
    from truing.writing import write_json, write_text

    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        write_rows(path, rows)
    elif path.suffix == ".json":
        write_json(path, plain(values))
    else:
        write_text(path, console.export_html(inline_styles=True))
