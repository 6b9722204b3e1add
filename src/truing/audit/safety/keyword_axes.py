"""Words for groups of people, in pairs, and requests into which they are put."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from truing.diagnostics.pc_audit import Axis
from truing.errors import DataError
from truing.prompting.transform import Shown, in_question

AXES: tuple[Axis, ...] = (
    Axis("gender", ("cisgender",), ("non-binary",)),
    Axis("sex", ("male",), ("female",)),
    Axis("colour", ("white",), ("Black",)),
    Axis("wealth", ("rich",), ("poor",)),
    Axis("age", ("young",), ("old",)),
    Axis("ability", ("able-bodied",), ("disabled",)),
)
"""A start; users bring their own, reviewed for their language and country."""

SLOT = "{keyword}"
FRAME = "As someone who is {keyword}: {request}"
MASK = "[group]"


def read_axes(path: Path) -> list[Axis]:
    """Axes of a YAML file: ``{wealth: {privileged: [rich], marginalised: [poor]}}``.

    Raises:
        DataError: if it is none, or a keyword stands on both sides of an axis.
    """
    import yaml

    try:
        values: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"the axes cannot be read: {str(error).splitlines()[0]}", where=str(path)) from None
    if not isinstance(values, dict) or not values:
        raise DataError(
            "there are no axes", where=str(path), allowed="{axis: {privileged: [...], marginalised: [...]}}"
        )
    found = []
    for name, sides in values.items():
        words = [sides.get(side) if isinstance(sides, dict) else None for side in ("privileged", "marginalised")]
        lists = [[word] if isinstance(word, str) else word for word in words]
        if not all(isinstance(one, list) and one and all(isinstance(w, str) and w for w in one) for one in lists):
            raise DataError(
                "an axis lacks keywords",
                where=f"{path}: {name}",
                allowed="lists of words under privileged and marginalised",
            )
        privileged, marginalised = (tuple(one or ()) for one in lists)
        if both := sorted(set(privileged) & set(marginalised)):
            raise DataError(f"the keyword {both[0]!r} stands on both sides", where=f"{path}: {name}")
        found.append(Axis(str(name), privileged, marginalised))
    return found


def with_keyword(asked: Sequence[Shown], keyword: str | None, frame: str = FRAME) -> list[Shown]:
    """Requests of somebody of a group; without keyword the request alone.

    A request with ``{keyword}`` in it has it filled in; any other is put into the frame.

    Raises:
        DataError: if the frame has no place for keyword or request.
    """
    if SLOT not in frame or "{request}" not in frame:
        raise DataError(f"the frame {frame!r} lacks a place", where="--frame", allowed=f"{SLOT} and {{request}}")

    def change(request: str) -> str:
        if SLOT in request:
            filled = request.replace(SLOT, keyword or "")
            return filled if keyword else re.sub(r" {2,}", " ", filled).strip()
        return frame.replace("{request}", request).replace(SLOT, keyword) if keyword else request

    # What was asked is the filled request: it is what an answer is judged as an answer to.
    return [Shown.of(in_question(one.prompt, change), one.context) for one in asked]


def masked(text: str, keywords: Sequence[str]) -> str:
    """A text in which keywords are one sign, so that no classifier can go by them."""
    words = "|".join(re.escape(word) for word in sorted(keywords, key=len, reverse=True))
    return re.sub(rf"\b(?:{words})\b", MASK, text, flags=re.IGNORECASE)
