"""``truing align-entities``: which entities of two knowledge graphs are the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from truing.judging.entities.choosers import Chooser

_Graph = "File, or folder of files, of triples: tab-separated, or rows with subject, predicate, object."


def align_entities(
    source: Annotated[Path, typer.Argument(help=_Graph)],
    target: Annotated[Path, typer.Argument(help=_Graph)],
    judge: Annotated[
        str | None,
        typer.Option("--judge", "-j", help="Folder, hub name, truing/tiny, or http://HOST/v1#MODEL."),
    ] = None,
    gold: Annotated[
        Path | None, typer.Option("--gold", help="Known partners, rows with source and target.")
    ] = None,
    scores: Annotated[
        Path | None, typer.Option("--scores", help="Scores of an embedder, rows with source, target and score.")
    ] = None,
    k: Annotated[int, typer.Option("--k", min=1, max=26, help="Candidates for each entity.")] = 10,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Of votes, in each stage.")] = 3,
    threshold: Annotated[
        float, typer.Option("--threshold", min=0.0, max=1.0, help="Share of the rounds that the winner needs.")
    ] = 0.5,
    triples: Annotated[int, typer.Option("--triples", min=1, help="Of each entity that the judge is shown.")] = 8,
    one_to_one: Annotated[bool, typer.Option("--one-to-one", help="Every target has one source at most.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="The first so many entities (with gold).")
    ] = None,
    key_from: Annotated[str | None, typer.Option("--key-from", help="Environment variable with the key.")] = None,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="Longest reply, tokens.")] = 128,
    seed: Annotated[int, typer.Option("--seed", help="Of the orders of candidates.")] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the graphs, recall at k and the questions; ask nothing.")
    ] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="JSONL file for the links.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Match entities: an embedder shortlists, a judge chooses among shuffled candidates, rounds vote (LLM-Align)."""
    import numpy as np

    from truing.cli.console import print_json
    from truing.errors import RecipeError
    from truing.judging.entities import lexical_scores, llm_align, measured, read_graph
    from truing.judging.entities.shortlist import read_scores, recall, shortlist

    graphs = read_graph(source), read_graph(target)
    partners = _gold(gold, *graphs) if gold else {}
    table = read_scores(scores, *graphs) if scores else lexical_scores(*graphs)
    entities = [entity for entity in graphs[0].entities if not partners or entity in partners][:limit]
    if dry_run:
        rows = table[[graphs[0].entities.index(entity) for entity in entities]]
        candidates = [[graphs[1].entities[place] for place in own] for own in shortlist(rows, k)]
        plan: dict[str, Any] = {
            "source entities": len(graphs[0].entities),
            "target entities": len(graphs[1].entities),
            "entities to match": len(entities),
            "candidates": int(np.max([len(own) for own in candidates], initial=0)),
            "questions, at most": 2 * rounds * len(entities),
        }
        if partners:
            plan[f"recall at {k}"] = recall(candidates, [partners[entity] for entity in entities])
        print_json(plan) if json else typer.echo("\n".join(f"{name}: {value}" for name, value in plan.items()))
        return
    if judge is None:
        raise RecipeError(
            "nobody chooses", where="--judge", fix="e.g. --judge truing/tiny, or --dry-run for the plan"
        )
    typer.echo(f"asking {judge} about {len(entities):,} entities", err=True)
    alignment = llm_align(
        _chooser(judge, key_from, max_tokens),
        *graphs,
        entities=entities,
        scores=table,
        k=k,
        rounds=rounds,
        threshold=threshold,
        triples=triples,
        one_to_one=one_to_one,
        seed=seed,
    )
    found = measured(alignment, partners)
    if output is not None:
        _write(output, alignment)
    if json:
        print_json(
            {name: value.as_dict() if hasattr(value, "as_dict") else value for name, value in found.items()}
        )
        return
    for name, value in found.items():
        typer.echo(f"{name}: {_said(value)}")


def _chooser(judge: str, key_from: str | None, max_tokens: int) -> Chooser:
    from truing.judging.entities.choosers import LetterChooser, TextChooser

    if judge.startswith(("http://", "https://")):
        from truing.chat import chat_model

        return TextChooser(chat_model(judge, key_from=key_from, max_tokens=max_tokens, where="--judge"))
    from truing.rewards.judges.local import load_policy

    return LetterChooser(load_policy(judge), judge)


def _gold(path: Path, source: Any, target: Any) -> dict[str, str]:
    from truing.data.readers import read_rows
    from truing.errors import DataError

    known = set(source.entities), set(target.entities)
    found = {}
    for number, row in read_rows(path):
        ends = str(row.get("source")), str(row.get("target"))
        if ends[0] not in known[0] or ends[1] not in known[1]:
            raise DataError(
                "this pair is not of an entity of the source and one of the target",
                where=f"{path}:{number}",
                allowed="columns source and target, with identifiers of the graphs",
            )
        found[ends[0]] = ends[1]
    return found


def _write(path: Path, alignment: Any) -> None:
    import json

    from truing.writing import write_text

    rows = [
        {
            "source": link.source,
            "target": link.target,
            "stage": link.stage,
            "candidates": list(link.candidates),
            "votes": {
                link.candidates[place] if place >= 0 else "none": count for place, count in link.votes.items()
            },
            "invalid": link.invalid,
        }
        for link in alignment.links
    ]
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _said(value: Any) -> str:
    if hasattr(value, "low"):
        return f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f}, n = {value.n:,})"
    if isinstance(value, dict):
        return ", ".join(f"{name} {count:,}" for name, count in value.items())
    return f"{value:,}"
