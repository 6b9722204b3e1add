"""Demonstrations of honesty, by hand; and drawing that goes on where it was stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from truing.data.questions import Question
from truing.data.questions.confidence import DECLINE, HEDGES
from truing.data.sources import load
from truing.data.synthesis import sampling as drawing
from truing.data.synthesis.files import Drawing, write_honesty
from truing.data.synthesis.honesty import VARIANTS, Sampled, honest_rows
from truing.data.synthesis.sampling import recorded_answers, sampled_answers
from truing.errors import DataError
from truing.policies.generation import Sampling

QUESTION = Question("q", "Capital of Australia?", ("Canberra",), ("Sydney",))


def _targets(variant: str, greedy: str, *samples: str, tau: float = 0.1) -> list[str]:
    rows = honest_rows(Sampled(QUESTION, greedy, samples), variant, tau)
    return [row["completion"][0]["content"] for row in rows]


def test_one_of_four_is_right() -> None:
    """a = 1/4: a single row whose answer is the first right sample, or four rows of which one answers."""
    said = ("Sydney.", "Perth", "Canberra!", "I don't know", "Sydney")
    assert _targets("absolute", *said) == ["Canberra!"]
    assert _targets("absolute", *said, tau=0.3) == [DECLINE]
    assert _targets("confidence-num", *said) == ["I'm only about 25 % sure of my answer: Canberra!"]
    assert _targets("confidence-verb", *said) == [HEDGES[1] + "Canberra!"]  # 1/4 is in (0.2, 0.4]
    assert _targets("multisample", *said) == [DECLINE, "Canberra!", DECLINE, DECLINE]
    assert _targets("baseline", *said) == ["Canberra!"]


def test_the_greedy_answer_comes_first() -> None:
    assert _targets("absolute", "It is Canberra", "Canberra", "Perth") == ["It is Canberra"]
    assert _targets("confidence-verb", "It is Canberra", "Canberra", "Canberra") == [HEDGES[4] + "it is Canberra"]


def test_greedy_alone_is_not_known_by_the_share() -> None:
    assert _targets("absolute", "Canberra", "Perth", "Perth") == [DECLINE]
    assert _targets("baseline", "Perth", "Perth") == ["Canberra"]  # the given answer


@pytest.mark.parametrize(("right", "fifth"), [(1, 0), (2, 0), (3, 1), (4, 1), (6, 2), (7, 3), (9, 4), (10, 4)])
def test_hedges_close_above(right: int, fifth: int) -> None:
    samples = ["Canberra"] * right + ["Perth"] * (10 - right)
    (target,) = _targets("confidence-verb", "Canberra", *samples)
    assert target == HEDGES[fifth] + "Canberra"


def test_all_variants_decline_what_is_never_right_but_the_baseline() -> None:
    for variant in set(VARIANTS) - {"baseline"}:
        assert set(_targets(variant, "Perth", "Perth", "Sydney")) == {DECLINE}


@pytest.mark.parametrize(
    ("variant", "tau", "message"),
    [("absolut", 0.1, "did you mean 'absolute'"), ("absolute", 0.0, "tau is 0"), ("absolute", 1.5, "tau is 1.5")],
)
def test_what_is_refused(variant: str, tau: float, message: str) -> None:
    with pytest.raises(DataError, match=message):
        honest_rows(Sampled(QUESTION, "", ("",)), variant, tau)


def test_no_samples() -> None:
    with pytest.raises(DataError, match=r"no samples(.|\n)*question q"):
        Sampled(QUESTION, "Canberra", ())


def test_files_are_demonstrations(tmp_path: Path) -> None:
    """Two of three samples of one question are right, none of the other: four rows of six decline."""
    answers = tmp_path / "answers.jsonl"
    rows = [
        {"id": "q", "greedy": "Canberra", "samples": ["Canberra", "Canberra", "Perth"]},
        {"id": "r", "greedy": "x", "samples": ["x", "x", "x"]},
    ]
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows))
    other = Question("r", "Capital of New Zealand?", ("Wellington",))
    made = write_honesty([QUESTION, other], tmp_path, Drawing(None, answers), variant="multisample")
    assert (made.rows, made.questions) == (6, 2)
    assert made.declined.value == pytest.approx(4 / 6)
    assert made.accuracy.value == pytest.approx(1 / 3)
    assert made.known.value == pytest.approx(1 / 2)
    records = load(made.path)
    assert records.kind == "demonstrations"
    assert records.dataset[5]["completion"] == [{"role": "assistant", "content": DECLINE}]


def test_recorded_answers_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "q", "greedy": "a"}\n')
    with pytest.raises(DataError, match=r"need id, greedy and samples(.|\n)*answers.jsonl:1"):
        recorded_answers(path, [QUESTION], "--answers")
    path.write_text('{"id": "z", "greedy": "a", "samples": ["b"]}\n')
    with pytest.raises(DataError, match="question 'q' has no recorded answers"):
        recorded_answers(path, [QUESTION], "--answers")


def test_drawing_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty questions are two parts. The second part is drawn again after its line was cut, the first is not."""
    asked: list[int] = []

    def draw(policy: Any, prompts: Any, count: int, how: Sampling) -> list[list[str]]:
        asked.append(len(prompts))
        return [[f"{prompt} {how.temperature:g} {how.seed} {n}" for n in range(count)] for prompt in prompts]

    monkeypatch.setattr(drawing, "draw", draw)
    questions = [Question(str(n), f"Q{n}?", ("a",)) for n in range(20)]
    kept = tmp_path / "answers.jsonl"

    def go(temperature: float = 1.0) -> Any:
        policy: Any = None
        return sampled_answers(policy, questions, str.upper, 2, Sampling(8, temperature), kept=kept, key="m")

    first = go()
    assert asked == [16, 16, 4, 4]
    assert first[17].greedy == "Q17? 0 0 0"
    assert first[17].samples == ("Q17? 1 16 0", "Q17? 1 16 1")  # a part draws numbers of its own
    for cut in (30, 1):  # in the middle of the line, and before its end
        kept.write_text(kept.read_text()[:-cut])
        assert go() == first
        assert asked[4:] == [4, 4]
        assert go() == first  # what was appended did not end up behind the broken line
        assert asked[4:] == [4, 4]
        del asked[4:]
    go(0.5)
    assert asked[4:] == [16, 16, 4, 4]


def test_a_letter_that_was_cut_and_a_line_of_something_else(tmp_path: Path) -> None:
    kept = tmp_path / "answers.jsonl"
    kept.write_bytes('{"key": "é'.encode()[:-1])
    policy: Any = None
    assert sampled_answers(policy, [], str.upper, 2, Sampling(8, 1.0), kept=kept) == []
    assert kept.read_bytes() == b""
    kept.write_text("no answers\n")
    with pytest.raises(DataError, match=r"no line of kept answers(.|\n)*answers.jsonl:1"):
        sampled_answers(policy, [], str.upper, 2, Sampling(8, 1.0), kept=kept)
