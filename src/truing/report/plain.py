"""Text from data, made safe to look at: nothing invisible, nothing that reorders what stands around it."""

from __future__ import annotations

import unicodedata
from typing import Any

_KEPT = "\n\t"
# Joiners that scripts and emoji need; alone they do no harm.
_JOINERS = "\u200c\u200d"


def visible(text: str) -> str:
    """The text with every control, formatting and unassigned character shown instead of obeyed.

    C0 controls become their Unicode pictures (U+2400...), lone surrogates the replacement character, and other
    invisible or direction-changing characters their code point in brackets. Line ends become newlines.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _shown(character) for character in text)


def visible_throughout(value: Any) -> Any:
    """A JSON value with every text in it made :func:`visible`, keys included."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): visible_throughout(item) for key, item in value.items()}
    if isinstance(value, list):
        return [visible_throughout(item) for item in value]
    return value


def shortened(text: str, limit: int) -> str:
    """The beginning of a text, with a note of how much was left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit].rstrip()} … ({len(text) - limit:,} more characters)"


def _shown(character: str) -> str:
    code = ord(character)
    if character in _KEPT or character in _JOINERS or unicodedata.category(character) == "Zs":
        return character
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"[U+{code:04X}]"
