"""Cues stand where they should, beside the answer they speak for, and nowhere else."""

from __future__ import annotations

import pytest

from truing.audit.judges.injections import INJECTIONS, neutral_text, put
from truing.judging.presentation import Shown

SHOWN = Shown("Why?", "First one. Second one. Third one.", "Other.", ("A", "B"))


@pytest.mark.parametrize("name", INJECTIONS)
@pytest.mark.parametrize("target", [0, 1])
def test_the_other_answer_stays_as_it_is(name: str, target: int) -> None:
    cue = INJECTIONS[name]
    answers = (SHOWN.first, SHOWN.second)
    for changed in (cue.into(SHOWN, target, "m"), cue.neutral(SHOWN, target, "m")):
        assert changed != SHOWN
        assert (changed.first, changed.second)[1 - target] == answers[1 - target]
        assert changed.labels == SHOWN.labels


@pytest.mark.parametrize("name", INJECTIONS)
def test_controls_have_as_many_words_and_none_of_the_cue(name: str) -> None:
    cue = INJECTIONS[name]
    text = cue.text(SHOWN.first, "A", "m")
    control = cue.neutral(SHOWN, 0, "m")
    shown = str(control.prompt) + control.first
    added = len(shown.split()) - len((str(SHOWN.prompt) + SHOWN.first).split())
    words = len(text.split())
    assert added == (2 * words if cue.place == "both" else words + (cue.control == "note"))  # "Note:" is a word
    assert text not in shown


def test_places_by_hand() -> None:
    def of(place: str) -> str:
        return put(SHOWN, 0, "X", place).first

    assert of("before") == "X\n\nFirst one. Second one. Third one."
    assert of("after") == "First one. Second one. Third one.\n\nX"
    # 33 characters: sentences end after 11 and 23, of which 11 is nearer to 16.5 by half a character.
    assert of("middle") == "First one. \n\nX\n\nSecond one. Third one."
    assert of("both") == "X\n\nFirst one. \n\nX\n\nSecond one. Third one."
    assert put(SHOWN, 1, "X", "middle").second == "Other.\n\nX\n\n"
    assert put(SHOWN, 1, "X", "note").prompt == "Why?\n\nNote: X"


def test_a_note_stands_at_the_end_of_the_last_message() -> None:
    prompt = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Why?"}]
    found = put(Shown(prompt, "a", "b"), 0, "X", "note").prompt
    assert found == [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Why?\n\nNote: X"}]
    assert prompt[1]["content"] == "Why?"


def test_the_majority_names_the_target_s_own_label() -> None:
    swapped = Shown("Why?", "a", "b", ("B", "A"))
    assert "answer A is" in str(INJECTIONS["bandwagon"].into(swapped, 1, "m").prompt)


def test_verbosity_doubles_an_answer_and_adds_nothing() -> None:
    found = INJECTIONS["verbosity"].into(SHOWN, 1, "m").second
    assert found.count("Other.") == 2


@pytest.mark.parametrize("words", [0, 1, 5, 60])
def test_neutral_texts_have_their_length(words: int) -> None:
    assert len(neutral_text(words).split()) == words
