"""What an arena found, in plain words: who wins, who ties, what it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from truing.arenas.results import STARTING_MODEL
from truing.report.values import Values
from truing.report.wording import fixed, gibibytes, listed, measured, number, percent, plural
from truing.statistics import Estimate

Record = dict[str, Any]
MEASURES = {"win_rate": "win rate", "accuracy": "held-out preference accuracy"}
_SHOWN = 6


@dataclass(frozen=True)
class Answer:
    """A question that a reader has; ``level`` colours it."""

    question: str
    headline: str
    sentences: tuple[str, ...] = ()
    level: str = "plain"


def estimate(method: Record, name: str) -> Estimate | None:
    """A metric of a method; ``None`` where it was not measured."""
    return Values(method).estimate("metrics", name)


def main_measure(track: Record) -> str | None:
    """What the track is ranked by: the win rate where there was a judge, else held-out accuracy."""
    return next((measure for measure in MEASURES if measure in track["rankings"]), None)


def done(record: Record) -> str:
    """What was compared, in one sentence."""
    methods = {cell["method"] for cell in record["cells"]}
    data, base = record["data"], record["arena"]["base"]
    steps = {cell["work"]["steps"] for cell in record["cells"] if not cell["own_budget"]}
    budget = f"{steps.pop():,} optimiser steps each" if len(steps) == 1 else "equal numbers of optimiser steps"
    seeds = len(record["arena"]["grid"]["seeds"])
    return (
        f"{plural(len(methods), 'method')} on {base['model']['name']} and {data['train_records']:,} records of "
        f"{data['source']}: {budget}, {plural(seeds, 'seed')}, judged on the same "
        f"{plural(data['prompts'], 'prompt')} and {plural(data['pairs'], 'held-out pair')}."
    )


def answers(record: Record) -> list[Answer]:
    """The summary."""
    found = [_winner(record["tracks"][0]), _against_start(record)]
    if len(record["tracks"]) > 1:
        found.append(_other_tracks(record["tracks"][1:]))
    return [*found, _cost(record), _trouble(record)]


def _leaders(track: Record, measure: str) -> tuple[list[str], bool]:
    """Methods that nothing is significantly better than, and whether the starting model is among them."""
    names = [place["name"] for place in track["rankings"][measure]["places"] if place["best"] == 1]
    return [name for name in names if name != STARTING_MODEL], STARTING_MODEL in names


def _winner(track: Record) -> Answer:
    measure = main_measure(track)
    question = "Who wins?"
    if measure is None:
        return Answer(question, "Not measured: no method could be compared.", level="attention")
    leaders, start_leads = _leaders(track, measure)
    methods = {method["name"]: method for method in track["methods"]}
    if len(leaders) == 1 and not start_leads:
        told = _result(methods[leaders[0]], measure)
        return Answer(question, f"{leaders[0]}.", (f"{told} Every other method is significantly worse.",), "good")
    if not leaders:
        return Answer(question, f"The {STARTING_MODEL}: every method made it worse.", (), "bad")
    shown = (
        listed(leaders)
        if len(leaders) <= _SHOWN
        else f"{', '.join(leaders[:_SHOWN])} and {len(leaders) - _SHOWN} more"
    )
    among = f" So does the {STARTING_MODEL}, so that none is proven to help." if start_leads else ""
    share = "method shares" if len(leaders) == 1 else "methods share"
    headline = f"Nobody alone: {len(leaders)} of {len(methods)} {share} first place."
    test = (
        f"By {MEASURES[measure]}, on {track['rankings'][measure]['items']:,} items, the differences between them may "
        "be chance (paired permutation tests, Holm's correction)."
    )
    return Answer(
        question, headline, (f"{shown}.{among}", f"The highest: {_result(methods[leaders[0]], measure)}", test)
    )


def _other_tracks(tracks: list[Record]) -> Answer:
    """One sentence for each damaged version of the data."""
    told = []
    for track in tracks:
        measure = main_measure(track)
        if measure is None:
            told.append(f"{track['label']}: not measured.")
            continue
        leaders, start_leads = _leaders(track, measure)
        best = max(track["methods"], key=lambda method: method["metrics"][measure]["value"])
        ties = "" if len(leaders) == 1 and not start_leads else f"; {len(leaders)} of {len(track['methods'])} tie"
        ties += f", and so does the {STARTING_MODEL}" if start_leads else ""
        told.append(
            f"{track['label']}: highest is {best['name']}, {percent(best['metrics'][measure]['value'])}{ties}."
        )
    return Answer(
        "How do methods bear damaged data?", f"{plural(len(tracks), 'damaged version')} of it:", tuple(told)
    )


def _result(method: Record, measure: str) -> str:
    return f"{method['name']}, {MEASURES[measure]} {measured(estimate(method, measure), share=True)}."


def _against_start(record: Record) -> Answer:
    question = "Is training better than leaving the model alone?"
    track = record["tracks"][0]
    measure = main_measure(track)
    if measure is None:
        return Answer(question, "Not measured.", level="attention")
    better, worse = [], []
    for pair in track["rankings"][measure]["comparisons"]:
        if pair["p_holm"] <= track["rankings"][measure]["level"]:
            if pair["worse"] == STARTING_MODEL:
                better.append(pair["better"])
            elif pair["better"] == STARTING_MODEL:
                worse.append(pair["worse"])
    total = len(track["methods"])
    headline = f"{len(better)} of {total} methods beat the starting model beyond chance."
    sentences = [f"Better: {listed(better)}."] if better else []
    if worse:
        sentences.append(f"Worse than doing nothing: {listed(worse)}.")
    rest = total - len(better) - len(worse)
    if rest:
        sentences.append(f"{plural(rest, 'method')} cannot be told from it by {MEASURES[measure]}.")
    return Answer(question, headline, tuple(sentences), "good" if better else "attention")


def _cost(record: Record) -> Answer:
    question = "What does it cost?"
    spent = list(record["times"]["cells"].values())
    seconds = sum(cell["train_seconds"] + cell["measure_seconds"] for cell in spent)
    headline = f"{duration(seconds)} for {plural(len(record['cells']), 'cell')}" + (
        f", {duration(seconds / len(spent))} each." if spent else "."
    )
    sentences = []
    tokens = [m["gradient_tokens"] for t in record["tracks"] for m in t["methods"] if m["gradient_tokens"]]
    if tokens:
        low, high = min(tokens), max(tokens)
        span = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        sentences.append(f"A run trains on {span} tokens.")
    sentences.append(reference(record))
    memory = [cell["peak_memory_bytes"] for cell in spent if cell["peak_memory_bytes"]]
    if memory:
        sentences.append(f"The largest process needed {gibibytes(max(memory))}.")
    return Answer(question, headline, tuple(sentences))


def reference(record: Record) -> str:
    """What the reference cost, and how often it was reused."""
    with_one = [cell for cell in record["cells"] if Values(cell).number("reference_reused") is not None]
    if not with_one:
        return "No reference values were computed ahead."
    whole = sum(cell["reference_reused"] == 1 for cell in with_one)
    passes = record["reference"]
    tokens = sum(entry["tokens"] for entry in passes)
    return (
        f"Reference log-probabilities were computed in {plural(len(passes), 'pass', 'passes')} over {tokens:,} tokens; "
        f"{whole} of {plural(len(with_one), 'run')} that need them found every one on disk and computed none."
    )


def _trouble(record: Record) -> Answer:
    question = "Did anything go wrong?"
    failed = [cell for cell in record["cells"] if cell["failure"]]
    alarmed = [cell["method"] for cell in record["cells"] if any(a.startswith("problem") for a in cell["alarms"])]
    if failed:
        told = [f"{cell['name']}: {cell['failure']['what']}" for cell in failed[:_SHOWN]]
        return Answer(question, f"Yes: {plural(len(failed), 'cell')} failed.", tuple(told), "bad")
    if alarmed:
        names = listed(list(dict.fromkeys(alarmed)))
        return Answer(question, f"No cell failed; problems were raised by {names}.", (), "attention")
    warned = len({c["method"] for c in record["cells"] if any(a.startswith("warning") for a in c["alarms"])})
    told_ = f"{plural(warned, 'method')} raised warnings; each run's own report explains them." if warned else ""
    return Answer(question, "No cell failed.", (told_,) if told_ else (), "good")


def duration(seconds: float) -> str:
    """12 s, 3 min 5 s, 2 h 10 min."""
    total = round(seconds)
    if total < 60:
        return f"{total} s"
    hours, rest = divmod(total, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {left} s"


def cell_text(found: Estimate | None, *, share: bool = False, signed: bool = False) -> str:
    """An estimate and half the width of its interval, for narrow columns: 61.2% ± 7.0."""
    if found is None:
        return "–"
    half = (found.high - found.low) / 2
    if share:
        return f"{percent(found.value)} ± {fixed(100 * half, 1)}" if math.isfinite(half) else percent(found.value)
    digits = 3 if abs(found.value) < 1 else 2 if abs(found.value) < 10 else 1
    text = fixed(found.value, digits)
    text = f"+{text}" if signed and found.value > 0 else text
    return f"{text} ± {fixed(half, digits)}" if math.isfinite(half) else text


def tokens_text(count: int | None) -> str:
    """A number of tokens in thousands."""
    if count is None:
        return "–"
    return f"{number(count / 1000)} k" if count else "0"
