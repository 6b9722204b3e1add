"""``truing explain`` on a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from truing.evidence_text import measured, predicted

_BARS = "▁▂▃▄▅▆▇█"


def render(console: Console, found: dict[str, Any]) -> None:
    """Print an explanation."""
    paper = found["paper"]
    console.print(Text.assemble((found["name"], "bold"), f"  {found['summary']}"))
    _block(console, "formula", [found["formula"], *found["legend"]])
    if "gradient" in found:
        _block(console, "meaning", meaning_lines(found["meaning"]))
        _block(console, "gradient weight", gradient_lines(found["gradient"]))
    _block(console, "needs", [", ".join(found["requires"])])
    _block(console, "costs", [line for lines in found["cost"].values() for line in lines])
    _block(console, "use it when", [found["use_when"]])
    _block(console, "avoid it when", [found["avoid_when"]])
    if found["parameters"]:
        lines = [f"{p['name']} = {p['default']!r}: {p['meaning']} ({p['allowed']})" for p in found["parameters"]]
        _block(console, "hyper-parameters", lines)
    claims = [f"{row['claim']} predicted {predicted(row)}, measured {measured(row)}" for row in found["measured"]]
    _block(console, "claims", claims or [found["claim"]])
    _block(console, "paper", [f"{paper['title']} ({paper['year']}), arXiv {paper['arxiv']}"])
    if found["aliases"]:
        _block(console, "also called", [", ".join(found["aliases"])])


def meaning_lines(meaning: dict[str, Any]) -> list[str]:
    """What is demanded, and who demands the same, more or less."""
    if "why_not" in meaning:
        return [f"no symbolic form: {meaning['why_not']}"]
    lines = [f"demands {meaning['demands']} ({meaning['in_words']})"]
    if meaning["given"] != "true":
        lines.append(f"given {meaning['given']}")
    if meaning["both_sides"] != "false":
        lines.append(f"counts {meaning['both_sides']} for both sides")
    lines.append(f"raises log N/D with N = {meaning['numerator']}, D = {meaning['denominator']}")
    lines += [f"beside it stands {text}" for text in meaning["beside"]]
    for key, said in (("same", "the same demand"), ("above", "next above"), ("below", "next below")):
        if meaning.get(key):
            lines.append(f"{said}: {', '.join(meaning[key])}")
    lines += [f"{change['by']} it is {change['name']}" for change in meaning.get("changes", [])]
    if not meaning["monotone"]:
        lines.append("its link is not monotone: formulas are in this order, losses need not be")
    return lines


def gradient_lines(gradient: dict[str, Any], width: int = 41) -> list[str]:
    """A small plot of the weight: one row above and one below zero, as needed."""
    weights = gradient["weight"]
    step = max(1, (len(weights) - 1) // (width - 1))
    values = weights[::step]
    top = max(abs(v) for v in values) or 1.0
    lines = ["".join(_bar(v / top) for v in values)]
    if min(values) < 0:
        lines.append("".join(_bar(-v / top) for v in values) + "   (below zero)")
    low, high = gradient["gap_nats"][0], gradient["gap_nats"][-1]
    lines.append(
        f"{low:<+6g}{'0':^{max(1, len(values) - 12)}}{high:>+6g}   nats, {gradient['of']}; peak {top:.3g}"
    )
    return lines


def _bar(share: float) -> str:
    return " " if share <= 0 else _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]


def _block(console: Console, title: str, lines: list[str]) -> None:
    console.print(Text(f"\n{title}", style="bold"))
    for line in lines:
        console.print(Padding(Text(line), (0, 0, 0, 2)))
