"""A judge is asked with and without cues, and with what is said to help it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from tests.audit.judges.chats import Scripted
from truing.arenas.significance import holm
from truing.audit.judges.bias_page import judge_page
from truing.audit.judges.bias_run import audit_judge, decided, injections_named, questions
from truing.audit.judges.mitigations import mitigations_named
from truing.audit.judges.recorded_bias import recorded_bias
from truing.errors import DataError
from truing.judging.comparers import TextVerdicts
from truing.judging.items import Item, read_items
from truing.judging.presentation import Pair
from truing.judging.verdict import Opinion

PAIRS = [Pair(f"Question {number}?", f"right {number}", f"wrong {number}") for number in range(12)]


def sides(text: str) -> list[str]:
    return re.findall(r"<<< answer [AB] >>>\n(.*?)\n<<< end", text, re.DOTALL)[-2:]


def believes_authorities(text: str) -> str:
    """Right, but for a citation, unless it is told of citations; a second look helps, asking again does not."""
    first, _ = sides(text)
    right = "A" if "right" in first else "B"
    cited = [label for label, own in zip("AB", sides(text), strict=True) if "Handbook" in own]
    helped = "citations" in text or "Look at your verdict" in text or text.count('{"verdict": "') > 1
    return f'{{"verdict": "{right if helped or not cited else cited[0]}"}}'


def test_a_bias_is_found_and_others_are_not() -> None:
    judge = TextVerdicts(Scripted(believes_authorities))
    found = audit_judge(judge, PAIRS, targets=("wrong", "right"), again=judge)
    effects = found.biases
    assert effects.effect("authority").net.value == 1
    assert effects.effect("authority").found
    assert effects.effect("authority").acc_injected.value == 0
    assert effects.effect("authority", "right").shift.value == 0
    assert {own.bias for own in effects.effects if own.found} == {"authority"}
    assert effects.consistent.value == 1
    assert found.mitigated == ()


def test_what_is_asked_is_what_was_said_to_be_asked() -> None:
    chat = Scripted(believes_authorities)
    cues = injections_named(["authority", "bandwagon"])
    told: list[tuple[int, int]] = []
    audit_judge(
        TextVerdicts(chat),
        PAIRS[:3],
        injections=cues,
        chat=chat,
        mitigations=["targeted"],
        progress=lambda done, total: told.append((done, total)),
    )
    assert len(chat.asked) == questions(3, 2, 1, 1, repeated=False) == 2 * 3 * (1 + 4 + 4)
    assert told[0] == (1, 9)
    assert told[-1] == (9, 9)


def test_mitigations_are_measured_against_none() -> None:
    chat = Scripted(believes_authorities)
    found = audit_judge(
        TextVerdicts(chat),
        PAIRS[5:],
        injections=injections_named(["authority"]),
        chat=chat,
        mitigations=["targeted", "general", "examples", "reflection"],
        examples=PAIRS[:5],
    )
    changes = {own.mitigation: own.change.value for own in found.mitigated}
    assert changes["targeted"] == changes["general"] == changes["reflection"] == -1
    assert changes["asked-again"] == 0
    assert changes["examples"] == -1
    assert {own.mitigation: own.shift.value for own in found.mitigated}["asked-again"] == 1
    alone = [own.p_value for own in found.mitigated]
    np.testing.assert_allclose([own.p_holm for own in found.mitigated], holm(alone))
    again = next(own for own in found.mitigated if own.mitigation == "asked-again")
    assert not again.found
    assert "(not told apart from chance)" in again.sentence()
    page = judge_page(found, "data")
    assert "What helps?" in page
    readings = re.findall(r"Told apart from 0 after Holm over all of them: ([^<]*)", page)
    assert readings
    assert not any("asked-again" in reading for reading in readings)
    assert "authority, toward wrong" in page


def test_examples_are_solved_and_carry_the_cue() -> None:
    chat = Scripted(believes_authorities)
    audit_judge(
        TextVerdicts(chat),
        PAIRS[5:6],
        injections=injections_named(["authority"]),
        chat=chat,
        mitigations=["examples"],
        examples=PAIRS[:5],
    )
    asked = chat.asked[-1]
    solved = re.findall(
        r"(?s)<<< answer A >>>\n(.*?)\n<<< end.*?(?:\{\"verdict\": \"([AB])\"\}|$)", asked.split("\n\n", 1)[1]
    )
    assert len(solved) == 6
    assert [("right" in first) == (verdict == "A") for first, verdict in solved[:5]] == [True] * 5
    assert asked.count("Handbook") == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mitigations": ["targeted"]}, "a judge that replies in words"),
        ({"mitigations": ["examples"], "chat": Scripted(str)}, "no pairs are left for in-context examples"),
        ({"mitigations": ["prayer"]}, "no mitigation 'prayer'"),
    ],
)
def test_what_is_refused(options: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        audit_judge(TextVerdicts(Scripted(believes_authorities)), PAIRS, **options)


def test_names() -> None:
    assert list(mitigations_named(["reflection"])) == ["reflection", "asked-again"]
    with pytest.raises(DataError, match=r"no bias 'authorit'[\s\S]*did you mean 'authority'"):
        injections_named(["authorit"])


def test_pairs_without_a_right_answer_are_left_out() -> None:
    pair = Pair("?", "a", "b")
    found = decided([Item(pair, label="B"), Item(pair, label="tie"), Item(pair)])
    assert [(own.a, own.b) for own in found] == [("b", "a")]
    with pytest.raises(DataError, match="no pair says which answer is right"):
        decided([Item(pair, label="tie")])


def test_recorded_verdicts_by_hand() -> None:
    """Three of four decided verdicts are for the first; of three with a longer answer two are for it."""
    long, short = "word " * 30, "word"
    items = [
        Item(Pair("?", long, short), recorded=Opinion(1.0)),
        Item(Pair("?", short, long), recorded=Opinion(1.0)),
        Item(Pair("?", short, long), recorded=Opinion(0.0)),
        Item(Pair("?", short, short), recorded=Opinion(0.9)),
        Item(Pair("?", short, long), recorded=Opinion(0.5)),
        Item(Pair("?", short, long)),
    ]
    found = recorded_bias(items)
    assert (found.verdicts, found.ties.value) == (5, 0.2)
    assert (found.first.value, found.first.n) == (0.75, 4)
    assert (found.longer.value, found.longer.n) == (pytest.approx(2 / 3), 3)
    with pytest.raises(DataError, match="no verdict is recorded"):
        recorded_bias(items[-1:])


def test_files_that_keep_the_chosen_answer_first_show_no_place() -> None:
    found = recorded_bias([Item(Pair("?", "a", "b"), recorded=Opinion(1.0))] * 3)
    assert found.first.n == 0
    assert "does not show which answer stood first" in found.sentences()[-1]


def test_people_prefer_length_and_no_place_in_pandalm(shared_data: Path) -> None:
    found = recorded_bias(read_items([shared_data / "pandalm" / "testset-v1.json"]))
    assert found.first.low < 0.5 < found.first.high
    assert found.longer.low > 0.65


def test_a_page_of_many_effects_can_be_read() -> None:
    """Its summary names what was found and counts the rest; rows of a picture stand apart; names are not broken up."""
    chat = Scripted(believes_authorities)
    found = audit_judge(
        TextVerdicts(chat), PAIRS[5:], targets=("wrong", "right"), chat=chat, mitigations=["targeted", "general"]
    )
    assert len(found.sentences()) > 30
    told = found.highlights()
    assert len(told) < 12
    assert any(re.fullmatch(r"\d+ of 17 biases are not told apart from chance\.", line) for line in told)
    page = judge_page(found, "data")
    heights = [float(y) for y in re.findall(r'class="tick end" x="[\d.]+" y="([\d.]+)">[a-z]', page)]
    assert len(heights) == 17 + len(found.mitigated)
    assert min(abs(one - other) for one, other in itertools.pairwise(heights)) > 15
    assert '<td class="name" dir="auto">authority, toward wrong</td>' in page
