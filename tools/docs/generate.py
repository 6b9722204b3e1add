"""Write the pages of the documentation that follow from the code.

Usage:
    python tools/docs/generate.py            into docs/
    python tools/docs/generate.py --out DIR  elsewhere

One page for each objective, their index, the audits, the pieces of rewards, the other families of methods, the
recipe reference, the data layouts and the coverage table.
They are not kept in git.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import audit_pages
import coverage_page
import data_page
import family_pages
import objective_pages
import recipe_page
import reward_pages

from truing.objectives import METHODS
from truing.objectives.semantics import known
from truing.objectives.semantics.drawing import svg

DOCS = Path(__file__).resolve().parents[2] / "docs"


def generate(out: Path) -> list[Path]:
    """Write all pages; those of objectives that no longer exist are removed."""
    pages = {f"objectives/{method.name}.md": objective_pages.page(method.name) for method in METHODS}
    pages["objectives/index.md"] = objective_pages.index()
    pages["audits.md"] = audit_pages.page()
    pages["rewards.md"] = reward_pages.page()
    pages |= {family.file: family.page() for family in family_pages.FAMILIES}
    pages["coverage.md"] = coverage_page.page()
    pages["data-layouts.md"] = data_page.page()
    pages["recipe.md"] = recipe_page.page()
    pages["images/lattice.svg"] = svg(known())
    (out / "images").mkdir(parents=True, exist_ok=True)
    folder = out / "objectives"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if f"objectives/{old.name}" not in pages:
            old.unlink()
    for name, text in pages.items():
        (out / name).write_text(text, encoding="utf-8")
    return [out / name for name in pages]


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the generated pages of the documentation.")
    parser.add_argument("--out", type=Path, default=DOCS)
    written = generate(parser.parse_args().out)
    print(f"{len(written)} pages written")


if __name__ == "__main__":
    main()
