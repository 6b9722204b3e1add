"""Judges of multiple-choice questions: what moves them towards a wrong option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.audit.judges.chats import Scripted
from tests.jobs import write_rows
from truing.audit.judges.bias_run import injections_named
from truing.audit.judges.choice_run import audit_choices, choice_questions
from truing.audit.judges.choosing import OptionsInWords, ShownOptions
from truing.data.readers import read_rows
from truing.errors import DataError
from truing.judging.choices import Options, options_of

ITEMS = [Options(f"Question {number}?", ("wrong", "right", "false", "bad"), 1) for number in range(10)]


def options(text: str) -> dict[str, str]:
    return dict(re.findall(r"<<< option ([A-D]) >>>\n(.*?)\n<<< end", text, re.DOTALL))


def right_one(text: str) -> str:
    return next(letter for letter, own in options(text).items() if "right" in own)


def believes_authorities(text: str) -> str:
    """The option with a citation, else the right one."""
    cited = [letter for letter, own in options(text).items() if "Handbook" in own]
    return f'{{"choice": "{cited[0] if cited else right_one(text)}"}}'


def test_a_bias_moves_a_judge_to_the_target() -> None:
    judge = OptionsInWords(Scripted(believes_authorities))
    found = audit_choices(
        judge, ITEMS, injections=injections_named(["authority", "bandwagon"]), again=judge
    ).biases
    moved, unmoved = found.effect("authority"), found.effect("bandwagon")
    assert (moved.shift.value, moved.net.value, moved.acc_base.value, moved.acc_injected.value) == (1, 1, 1, 0)
    assert (moved.robust.value, moved.delta.value) == (0, -1)
    assert moved.found
    assert (unmoved.shift.value, unmoved.robust.value) == (0, 1)
    assert not unmoved.found
    assert found.consistent.value == 1
    assert found.effects[0].bias == "position"
    assert found.effects[0].shift.value == 0


def test_accuracy_may_fall_without_a_shift_to_the_target() -> None:
    """Whoever is thrown off by a cue and says some third option loses accuracy, and does not follow the cue."""

    def thrown_off(text: str) -> str:
        cited = next((letter for letter, own in options(text).items() if "Handbook" in own), None)
        other = next(letter for letter in "ABCD" if letter != cited and letter != right_one(text))
        return f'{{"choice": "{right_one(text) if cited is None else other}"}}'

    effect = audit_choices(
        OptionsInWords(Scripted(thrown_off)), ITEMS, injections=injections_named(["authority"])
    ).biases.effect("authority")
    assert (effect.delta.value, effect.shift.value, effect.robust.value) == (-1, 0, 0)


def test_place_is_measured_and_balanced() -> None:
    """Whoever always says A is right where the right option stands first, and says the target where it does."""
    judge = OptionsInWords(Scripted(lambda text: '{"choice": "A"}'))
    place, cue = audit_choices(judge, ITEMS, injections=injections_named(["bandwagon"])).biases.effects
    assert (place.shift.value, place.acc_base.value, place.acc_injected.value) == (1, 0, 1)
    assert (cue.shift.value, cue.acc_base.value) == (0, 0.5)


def test_what_is_asked_is_what_was_said_to_be_asked() -> None:
    chat = Scripted(believes_authorities)
    audit_choices(OptionsInWords(chat), ITEMS[:3], injections=injections_named(["authority"]))
    assert len(chat.asked) == choice_questions(3, 1, repeated=False) == 18
    cited = [own for text in chat.asked for own in options(text).values() if "Handbook" in own]
    assert len(cited) == 6
    assert not any("right" in own for own in cited)


@pytest.mark.parametrize(("reply", "place"), [("b", 1), ("C.", 2), ("E", None), (2, None), (None, None)])
def test_replies(reply, place) -> None:
    import json

    shown = ShownOptions("q", ("x", "y", "z"))
    assert shown.read(json.dumps({"choice": reply})) == place


def test_unread_replies_are_left_out() -> None:
    said = iter(["no", '{"choice": "A"}'] * 100)
    found = audit_choices(OptionsInWords(Scripted(lambda text: next(said))), ITEMS[:2], injections={}).biases
    assert found.unread.value == 0.5


def test_files_of_three_layouts(shared_data: Path, tmp_path: Path) -> None:
    own = write_rows(tmp_path / "own.jsonl", [{"question": "q", "options": ["a", "b"], "answer": 1}])
    bbq, truthful = shared_data / "bbq" / "Age.jsonl.gz", shared_data / "truthfulqa" / "TruthfulQA.csv"
    for path, count, answer in ((own, 2, 1), (bbq, 3, 2), (truthful, 4, 0)):
        number, row = next(iter(read_rows(path)))
        found = options_of(row, f"{path}:{number}")
        assert (len(found.options) >= count, found.answer) == (True, answer)


def test_questions_without_answers() -> None:
    with pytest.raises(DataError, match="no question says which option is right"):
        audit_choices(OptionsInWords(Scripted(str)), [Options("q", ("a", "b"), None)])
