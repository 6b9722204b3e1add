"""The generated pages: one for each method, complete, and what they say is what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from truing.assets import folder
from truing.control.controls import CONTROLS
from truing.data.checks import CHECKS
from truing.data.layouts import LAYOUTS
from truing.data.synthesis.recipes import SYNTHESES
from truing.decoding.decoders import DECODERS
from truing.evidence import CLAIMS
from truing.judging.protocols import JUDGING
from truing.objectives import METHODS
from truing.objectives.recipe import build
from truing.prompting.prompts import PROMPTING
from truing.recipe import Recipe
from truing.recipe.load import load_recipe
from truing.registry import Registry

from .pages import snippets

NAMES = [method.name for method in METHODS]


def test_the_measured_evidence_is_that_of_the_claims() -> None:
    """`python tools/evidence/measure.py` writes it anew."""
    rows = json.loads((folder() / "evidence.json").read_text(encoding="utf-8"))
    assert {row["name"]: row["claim"] for row in rows} == {claim.name: claim.statement for claim in CLAIMS}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_all_parts(name: str, generated: Path) -> None:
    page = (generated / "objectives" / f"{name}.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert headings == [
        "Formula",
        "When to use it",
        "What it needs",
        "Hyper-parameters",
        "Meaning",
        "Gradient weight",
        "Recipe",
        "Evidence",
        "Nearest relatives",
    ]
    assert METHODS.get(name)().text() in page
    assert f"https://arxiv.org/abs/{METHODS.get(name).paper.arxiv}" in page
    rows = page.split("## Evidence")[1].split("## Nearest")[0].count("\n| ") - 1
    assert rows == sum(claim.method == name for claim in CLAIMS) > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_recipe_of_a_page_is_valid(name: str, generated: Path, tmp_path: Path) -> None:
    (found,) = snippets("yaml", [generated / "objectives" / f"{name}.md"])
    file = tmp_path / "recipe.yaml"
    file.write_text(found.text, encoding="utf-8")
    assert build(load_recipe(file).objective).name == name


@pytest.mark.parametrize("name", NAMES)
def test_the_plot_is_xml_without_colours_of_its_own(name: str, generated: Path) -> None:
    page = (generated / "objectives" / f"{name}.md").read_text(encoding="utf-8")
    (figure,) = re.findall(r"<figure.*</figure>", page)
    root = ElementTree.fromstring(figure)
    points = root.find(".//polyline").get("points", "").split()  # type: ignore[union-attr]
    assert len(points) == 81
    assert not re.search(r'(fill|stroke|color|style)="', figure)


def test_nearest_relatives_of_dpo_differ_by_one_piece(generated: Path) -> None:
    """cDPO is DPO with label smoothing; R-DPO adds a margin; LD-DPO weights tokens."""
    page = (generated / "objectives" / "dpo.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[([\w-]+)\]", page.split("## Nearest")[1], re.MULTILINE)[0] == "cdpo"


def test_the_index_lists_every_method_once(generated: Path) -> None:
    page = (generated / "objectives" / "index.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| \[([\w-]+)\]", page, re.MULTILINE)) == sorted(NAMES)


@pytest.mark.parametrize(
    ("file", "registry"),
    [
        ("control.md", CONTROLS),
        ("decoding.md", DECODERS),
        ("judging.md", JUDGING),
        ("prompting.md", PROMPTING),
        ("synthesis.md", SYNTHESES),
    ],
)
def test_other_methods_have_a_section_and_a_row(file: str, registry: Registry[Any], generated: Path) -> None:
    page, coverage = ((generated / name).read_text(encoding="utf-8") for name in (file, "coverage.md"))
    for method in registry:
        assert f"\n## {method.name}\n" in page
        assert method.formula in page
        assert f"[{method.name}]({file}#{method.name})" in coverage


def test_coverage_says_what_is_missing(generated: Path) -> None:
    page = (generated / "coverage.md").read_text(encoding="utf-8")
    assert all(f"[{name}](objectives/{name}.md)" in page for name in NAMES)
    for family in ("Online training", "Judges", "Diffusion"):
        assert f"**{family}" in page


def test_the_recipe_reference_has_every_key(generated: Path) -> None:
    page = (generated / "recipe.md").read_text(encoding="utf-8")
    for name, field in Recipe.model_fields.items():
        section = field.annotation
        assert f"| `{name}` |" in page
        for key in getattr(section, "model_fields", {}):
            assert f"| `{key}` |" in page.split(f"## {name}\n")[1].split("\n## ")[0]
    assert "| `learning_rate` | number (&gt; 0, ≤ 1) | `5e-07` |" in page


def test_data_layouts_and_checks_are_listed(generated: Path) -> None:
    page = (generated / "data-layouts.md").read_text(encoding="utf-8")
    assert all(f"| `{layout.name}`" in page for layout in LAYOUTS)
    assert all(f"| `{check.name}` |" in page for check in CHECKS)
