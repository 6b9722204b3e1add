"""The pages of the documentation, and what stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {"coverage.md", "recipe.md", "data-layouts.md"}
WRITTEN = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(
            page
            for page in (ROOT / "docs").rglob("*.md")
            if page.name not in GENERATED and page.parent.name != "objectives"
        ),
    ]
)

_FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Snippet:
    """A block of code: its language, title, text, and where it stands."""

    page: Path
    line: int
    language: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}" if self.page.is_relative_to(ROOT) else self.page.name


def snippets(language: str, pages: list[Path] = WRITTEN) -> list[Snippet]:
    """All blocks in a language."""
    return [found for page in pages for found in _of(page) if found.language == language]


def _of(page: Path) -> Iterator[Snippet]:
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        title = re.search(r'title="([^"]+)"', match[2])
        yield Snippet(page, text.count("\n", 0, match.start()) + 1, match[1], title[1] if title else "", match[3])
