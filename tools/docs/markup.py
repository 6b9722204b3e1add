"""Small pieces of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = str.maketrans(
    {"|": "&#124;", "<": "&lt;", ">": "&gt;", "*": "&#42;", "_": "&#95;", "[": "&#91;", "]": "&#93;"}
)
GENERATED = "<!-- Written by tools/docs/generate.py; changes are lost. -->\n"


def plain(text: str) -> str:
    """Text as it is: characters that Markdown would read are escaped, except for `code` in backticks."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part.startswith("`") else part.translate(_SPECIAL) for part in parts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown already."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def code(text: str, language: str = "text") -> str:
    """A code block."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def paper_link(paper: dict[str, object]) -> str:
    """Title, year and a link to arXiv."""
    link = f"[arXiv {paper['arxiv']}](https://arxiv.org/abs/{paper['arxiv']})"
    return f"{plain(str(paper['title']))} ({paper['year']}), {link}"
