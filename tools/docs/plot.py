"""The gradient weight as an inline SVG. Colours come from the style sheet, so it works in light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markup import plain

WIDTH, HEIGHT = 560, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 14, 38


def gradient_figure(name: str, gradient: dict[str, Any]) -> str:
    """A figure of weight against gap.

    Args:
        name: the method, for the text that stands in for the picture.
        gradient: ``gap_nats``, ``weight`` (same length), ``of`` (what the gap is), ``answer_tokens``.
    """
    gaps, weights = gradient["gap_nats"], gradient["weight"]
    low, high = min(0.0, *weights), max(0.0, *weights)
    span = (high - low) or 1.0

    def x(gap: float) -> float:
        return LEFT + (gap - gaps[0]) / (gaps[-1] - gaps[0]) * (WIDTH - LEFT - RIGHT)

    def y(weight: float) -> float:
        return TOP + (high - weight) / span * (HEIGHT - TOP - BOTTOM)

    curve = " ".join(f"{x(g):.1f},{y(w):.1f}" for g, w in zip(gaps, weights, strict=True))
    parts = [_line("axis", x(gaps[0]), y(0), x(gaps[-1]), y(0)), _line("zero", x(0), TOP, x(0), HEIGHT - BOTTOM)]
    parts += [_text(x(gap), HEIGHT - BOTTOM + 14, f"{gap:+g}" if gap else "0", "middle") for gap in _ticks(gaps)]
    parts += [_text(LEFT - 6, y(weight) + 4, f"{weight:.3g}", "end") for weight in dict.fromkeys((high, 0.0, low))]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, f"{gradient['of']}, nats", "middle"))
    parts.append(f'<polyline class="curve" points="{curve}"/>')
    peak = max(weights, key=abs)
    described = f"Gradient weight of {name} from {gaps[0]:g} to {gaps[-1]:g} nats; largest {peak:.3g}"
    return (
        f'<figure class="gradient"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{described}">'
        + "".join(parts)
        + "</svg><figcaption>−d loss / d log π of the chosen answer, for answers of "
        + f"{gradient['answer_tokens']} tokens at −2 nats a token.</figcaption></figure>\n"
    )


def _ticks(gaps: Sequence[float]) -> list[float]:
    return [gaps[0], gaps[0] / 2, 0.0, gaps[-1] / 2, gaps[-1]]


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{plain(text)}</text>'
