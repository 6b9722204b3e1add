"""The order of the known losses, its picture, and what is said in words."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from truing.objectives import METHODS, dpo, ipo, logic
from truing.objectives.semantics import is_above, known, parse
from truing.objectives.semantics.drawing import svg, text
from truing.objectives.semantics.words import meaning, words

LATTICE = known()
_SVG = "{http://www.w3.org/2000/svg}"


def steps() -> set[tuple[str, str]]:
    first = [node.names[0] for node in LATTICE.nodes]
    return {(first[upper], first[lower]) for upper, lower in LATTICE.covers}


def test_the_steps_of_the_paper() -> None:
    assert {
        ("asft", "cpo"),
        ("asft", "nll"),
        ("asft", "orpo"),
        ("cpo", "ccpo"),
        ("nll", "ccpo"),
        ("orpo", "ccpo"),
        ("ccpo", "uncpo"),
    } <= steps()
    # What follows from two steps is none.
    assert ("asft", "ccpo") not in steps()
    assert ("orpo", "uncpo") not in steps()


def test_nothing_stands_between_two_that_a_step_joins() -> None:
    nodes = LATTICE.nodes
    for upper, lower in LATTICE.covers:
        assert is_above(nodes[upper].structure, nodes[lower].structure)
        assert not is_above(nodes[lower].structure, nodes[upper].structure)
        for between in range(len(nodes)):
            if between not in (upper, lower):
                assert not (
                    is_above(nodes[upper].structure, nodes[between].structure)
                    and is_above(nodes[between].structure, nodes[lower].structure)
                )


def test_a_reference_and_a_margin_lead_from_one_loss_to_another() -> None:
    first = [node.names[0] for node in LATTICE.nodes]
    found = {(first[start], first[end], what) for start, end, what in LATTICE.changes}
    assert {
        ("cpo", "dpo", "with a reference"),
        ("cpo", "simpo", "with a margin"),
        ("dpo", "r-dpo", "with a margin"),
    } <= found


def test_losses_that_demand_the_same_share_a_node() -> None:
    node = LATTICE.nodes[LATTICE.place("dpo") or 0]
    assert {"dpo", "hinge", "ipo", "rdpo"} <= set(node.names)
    assert {"ipo", "cdpo", "exo"} <= node.order_only
    assert "dpo" not in node.order_only
    assert LATTICE.place("kto") is None


def test_the_picture_shows_every_loss_once_and_strict_ones_above() -> None:
    root = ElementTree.fromstring(svg(LATTICE))
    shown = " ".join(element.text or "" for element in root.iter(f"{_SVG}text") if element.get("class") == "name")
    names = re.findall(r"[\w-]+", shown)
    assert sorted(names) == sorted(name for node in LATTICE.nodes for name in node.names)
    assert "prefers-color-scheme:dark" in svg(LATTICE)
    lines = [element for element in root.iter(f"{_SVG}line") if element.get("class") == "step"]
    assert len(lines) == len(LATTICE.covers)
    assert all(float(line.get("y1", "")) < float(line.get("y2", "")) for line in lines)


def test_boxes_do_not_overlap() -> None:
    root = ElementTree.fromstring(svg(LATTICE))
    boxes = [
        tuple(float(rect.get(key, "")) for key in ("x", "y", "width", "height"))
        for rect in root.iter(f"{_SVG}rect")
        if rect.get("class") == "box"
    ]
    assert len(boxes) == len(LATTICE.nodes)
    for i, (x, y, width, height) in zip(range(len(boxes)), boxes, strict=True):
        for left, top, w, h in boxes[i + 1 :]:
            assert x + width <= left or left + w <= x or y + height <= top or top + h <= y


def test_the_same_in_lines() -> None:
    lines = text(LATTICE)
    assert "  demands M_l -> M_w, given (M_w & !M_l) | (!M_w & M_l)" in lines
    assert "  directly above cpo, nll, orpo" in lines


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("M_l -> M_w", "if the policy accepts the rejected answer, the policy accepts the chosen answer"),
        ("M_w & !M_l", "the policy accepts the chosen answer and the policy does not accept the rejected answer"),
        ("M_w | Ref_l", "the policy accepts the chosen answer, or the reference accepts the rejected answer"),
        ("true", "always"),
        ("false", "never"),
    ],
)
def test_words(formula: str, said: str) -> None:
    assert words(parse(formula)) == said


def test_what_explain_says() -> None:
    found = meaning(METHODS.get("orpo")(), LATTICE)
    assert found["demands"] == "M_l -> M_w"
    assert found["above"] == ["asft"]
    assert {"ccpo", "logic"} <= set(found["below"])
    assert found["beside"] == ["−log π(y_w)/|y_w|"]
    assert "ipo" in meaning(dpo(), LATTICE)["same"]
    assert meaning(ipo(), LATTICE)["monotone"] is False
    # A formula of one's own has no place among the known ones, unless it is one of them.
    own = meaning(logic(formula="M_w <-> !M_l", given="true").named("mine"), LATTICE)
    assert own["demands"] == "(M_w & !M_l) | (!M_w & M_l)"
    assert "above" not in own
