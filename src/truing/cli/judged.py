"""How ``truing judge`` prints what it found, and writes verdicts down."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from truing.json_values import plain
from truing.statistics import Estimate

if TYPE_CHECKING:
    from truing.judging.bench import Judged, Protocol
    from truing.judging.items import Item
    from truing.judging.measures import Agreement, Comparison
    from truing.judging.summary import Annotators, Summary

_MOST_SUBSETS = 20


def plan(
    items: Sequence[Item], protocol: Protocol, judges: Sequence[str], rounds: int, notes: Sequence[str]
) -> dict[str, Any]:
    """What would be asked."""
    times = len(items) * (max(len(judges), 1) * rounds if protocol.each_voter else 1)
    asked = f"{protocol.least * times:,}" if judges else "0"
    if judges and protocol.most > protocol.least:
        asked += f" to {protocol.most * times:,}"
    return {
        "pairs": len(items),
        "judge": ", ".join(judges) or "recorded verdicts",
        "protocol": f"{protocol.name}: {protocol.says}",
        "questions": asked,
        "with reference": sum(bool(item.pair.reference) for item in items),
        "with label": sum(item.label is not None for item in items),
        "notes": "; ".join(notes) or "none",
    }


def lines(found: Summary) -> Iterator[str]:
    """The result, line by line."""
    a, b = found.models or ("A", "B")
    compared = found.comparison
    yield f"{_pairs(compared):,} pairs, judge {found.judge}, protocol {found.protocol}"
    yield f"  {a} against {b}: win rate {_share(compared.win_rate)}{_sign(compared.p_value)}"
    yield f"  wins {compared.wins:,}, ties {compared.ties:,}, losses {compared.losses:,}, no verdict {compared.none:,}"
    yield f"  {found.merging}"
    yield f"  of these {compared.unread:,} could not be read and {compared.abstained:,} abstain"
    if compared.consistency.n:
        yield f"  consistency {_share(compared.consistency)}"
    if compared.position_bias.n:
        yield f"  position bias, of {compared.position_bias.n:,} contradictions: {_signed(compared.position_bias)}"
    if found.shown_first is not None:
        yield f"  the answer that was shown first won {_share(found.shown_first)} (order drawn at random)"
        changed = _least_contradicted(found.shown_first)
        yield f"  so at least {changed} of verdicts would change if answers changed places"
    for name, lean in found.leans.items():
        yield f"  leans to {name}: {_signed(lean)}; 0 if it does not, at most ±1"
    for name, value in found.details.items():
        yield f"  {name.replace('_', ' ')}: {_any(value)}"
    for giver, agreed in found.agreement.items():
        yield f"  agreement with {giver}: {_agreed(agreed)}"
    for order, agreed in found.agreement_by_order.items():
        yield f"    {order}, and not asked again: {_agreed(agreed)}"
    if found.annotators is not None:
        yield from _annotators(found.annotators)
    yield from _subsets(found)
    for usage in found.usage:
        yield "  judge: " + ", ".join(
            f"{key.replace('_', ' ')} {value:,}" for key, value in usage.items() if value
        )
    for note in found.notes:
        yield f"  note: {note}"


def write_verdicts(path: Path, items: Sequence[Item], judged: Judged, judge: str) -> None:
    """One JSON object for each pair; ``truing judge FILE --recorded`` reads it.

    Raises:
        RunError: if it cannot be written.
    """
    from truing.writing import write_text

    rows = []
    before = judged.before or [None] * len(items)
    for item, verdict, plain_one in zip(items, judged.verdicts, before, strict=True):
        row: dict[str, Any] = {
            "prompt": item.pair.prompt,
            "a": item.pair.a,
            "b": item.pair.b,
            "subset": item.subset,
        }
        if item.models:
            row |= {"model_a": item.models[0], "model_b": item.models[1]}
        if item.label is not None:
            row |= {"label": item.label, "labelled_by": item.labelled_by}
        if plain_one is not None:
            row["before"] = plain_one.as_dict()["orders"]
        rows.append(json.dumps(plain({**row, "judge": judge, **verdict.as_dict()}), ensure_ascii=False))
    write_text(path, "\n".join(rows) + "\n")


def _subsets(found: Summary) -> Iterator[str]:
    for name, own in list(found.by_subset.items())[:_MOST_SUBSETS]:
        agreed = found.agreement_by_subset.get(name)
        said = f"agreement {_share(agreed.accuracy)}" if agreed else f"win rate {_share(own.win_rate)}"
        yield f"  {name}: {said}"
    if len(found.by_subset) > _MOST_SUBSETS:
        yield f"  and {len(found.by_subset) - _MOST_SUBSETS} smaller subsets (--json has all)"


def _annotators(found: Annotators) -> Iterator[str]:
    for number, own in enumerate(found.alone, 1):
        yield f"  annotator {number} with the others, where they agree: {_agreed(own)}"
    yield f"  Fleiss' kappa {found.fleiss:.3f}"


def _pairs(compared: Comparison) -> int:
    return compared.wins + compared.ties + compared.losses + compared.none


def _agreed(found: Agreement) -> str:
    kappa = f", kappa {_signed(found.kappa)}" if math.isfinite(found.kappa.value) else ""
    return f"{_share(found.accuracy)}, of decided {_share(found.decided)}{kappa}, without both {found.none:,}"


def _share(found: Estimate) -> str:
    if not found.n:
        return "unknown"
    return f"{100 * found.value:.1f} % ({100 * found.low:.1f} to {100 * found.high:.1f}, n = {found.n:,})"


def _least_contradicted(first: Estimate) -> str:
    """Of verdicts with a place at random: |P(first) − P(second)|, which pairs judged alike in both orders leave 0."""
    ends = sorted(abs(2 * end - 1) for end in (first.low, first.high))
    low = 0.0 if first.low <= 0.5 <= first.high else ends[0]
    return f"{100 * abs(2 * first.value - 1):.1f} % ({100 * low:.1f} to {100 * ends[1]:.1f})"


def _signed(found: Estimate) -> str:
    return f"{found.value:+.2f} ({found.low:+.2f} to {found.high:+.2f})"


def _sign(p_value: float) -> str:
    return f", sign test p = {p_value:.3g}" if math.isfinite(p_value) else ""


def _any(value: Any) -> str:
    if isinstance(value, Estimate):
        return _share(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {number:,}" for key, number in value.items())
    return str(value)
