"""Which rationales are of no use."""

from __future__ import annotations

import pytest

from truing.data.synthesis.rationales.faults import copied_share, fault_in, tidied

PROMPT = "Which rivers flow through Vienna?"
CHOSEN = "The Danube flows through Vienna, and the small river Wien joins it in the east of the city."
REJECTED = "Rivers are wet, I think, and there must be one or two of them somewhere in that town."


def fault(text: str) -> str | None:
    return fault_in(text, PROMPT, CHOSEN, REJECTED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        (" … ", "empty"),
        ("I'm sorry, but I can't compare these.", "refuses"),
        ("Answer A names both rivers.", "place"),
        ("It beats Response 2, which names none.", "place"),
        ("Assistant (B) is vague.", "place"),
        ("The second response is vague.", "place"),
        ("Names are given in the answer above.", "place"),
        ("The other answer is clearly better, as it admits doubt.", "contradicts"),
        ("The preferred answer is worse.", "contradicts"),
        (CHOSEN, "copies"),
        (f"Good: {REJECTED}", "copies"),
        ("The preferred answer names both rivers; the other answer names none.", None),
        (
            "The preferred answer says “the small river Wien joins it”; the other answer is not better at all.",
            None,
        ),
        ("It gives a right answer, and can answer a follow-up.", None),
        ("The other answer would be better if it named one.", None),
    ],
)
def test_faults(text: str, expected: str | None) -> None:
    assert fault(text) == expected


def test_places_of_the_question_itself_are_no_fault() -> None:
    """A question about a first answer may be explained with it; the same words elsewhere may not."""
    text = "It says what was wrong with the first answer."
    assert fault(text) == "place"
    assert fault_in(text, "Correct your first answer.", CHOSEN, REJECTED) is None


def test_copied_share_by_hand() -> None:
    """Six words are two runs of five, of which the first stands in the source; shorter texts are one run."""
    source = "one two three four five six seven"
    assert copied_share("one two three four five nine", source) == 0.5
    assert copied_share("Three, four!", source) == 1.0
    assert copied_share("four three", source) == 0.0
    assert copied_share("", source) == 0.0
    assert copied_share("one two three four five", "one two") == 0.0


def test_headings_go() -> None:
    assert tidied("**Rationale:** It is right. ") == "It is right."
    assert tidied("It has one rationale: truth.") == "It has one rationale: truth."
