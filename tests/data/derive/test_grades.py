"""Key phrases with their scores, and answers in grades, by hand."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from truing.data.derive import PARTS
from truing.data.derive.grades import GRADES, graded, part_name
from truing.data.derive.keywords import key_phrases, without
from truing.data.sources import load
from truing.errors import DataError

# "the" and "and" are stop words: phrases are (quick brown fox) and (brown dog).
FOX = "the quick brown fox and the Brown dog"


def test_scores_are_degree_over_frequency() -> None:
    """Brown stands twice, with 3 + 2 words: 5/2; the others once, with 3, 3 and 2. So 3 + 5/2 + 3 and 5/2 + 2."""
    found = key_phrases(FOX)
    assert [(phrase.words, phrase.score) for phrase in found] == [
        (("quick", "brown", "fox"), 8.5),
        (("brown", "dog"), 4.5),
    ]
    assert [[FOX[slice(*span)] for span in phrase.spans] for phrase in found] == [
        ["quick brown fox"],
        ["Brown dog"],
    ]


def test_a_phrase_that_comes_again_is_one_phrase() -> None:
    """Twice (salt): frequency 2, degree 2; punctuation ends a phrase; ties stay in order of appearance."""
    text = "Salt, yeast. salt!"
    assert [(phrase.words, phrase.score) for phrase in key_phrases(text)] == [(("salt",), 1.0), (("yeast",), 1.0)]
    assert without(text, key_phrases(text)[:1]) == ", yeast. !"


@pytest.mark.parametrize("text", ["", "the and of", "?!", "…"])
def test_text_without_content_has_no_phrases(text: str) -> None:
    assert key_phrases(text) == []


def test_without_closes_spaces_and_keeps_lines() -> None:
    assert without(FOX, key_phrases(FOX)[:1]) == "the and the Brown dog"
    assert without("the fox\n\nand  the dog", key_phrases("the fox\n\nand  the dog")) == "the \n\nand the"
    assert without(FOX, []) == FOX


def test_grades_lose_the_most_telling_first() -> None:
    assert graded(FOX, 3) == [FOX, "the and the Brown dog", "the and the"]
    assert graded(FOX, 2) == [FOX, "the and the"]


@pytest.mark.parametrize("grades", GRADES)
def test_the_first_grade_is_whole_and_the_last_has_no_key_phrase(grades: int) -> None:
    text = "Warm water wakes the yeast. Then flour and salt, as the recipe has it."
    found = graded(text, grades)
    assert len(found) == grades
    assert found[0] == text
    assert key_phrases(found[-1]) == []
    assert all(len(after) <= len(before) for before, after in pairwise(found))


def _records(folder: Path, *answers: str):
    path = folder / "rows.jsonl"
    rows = [{"id": f"r{i}", "prompt": "Q?", "chosen": a, "rejected": FOX} for i, a in enumerate(answers)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load(str(path))


def test_rows_without_as_many_grades_are_left_out(tmp_path: Path) -> None:
    """Nothing to remove, nothing left, and one phrase for three grades: only the first row has a part."""
    made = PARTS.get(part_name("chosen", 3))(_records(tmp_path, FOX, "and the", "fox", "the fox"), 0)
    assert made.dataset["id"][:] == ["r0"]
    assert made.dataset[0]["completions"] == graded(FOX, 3)
    assert made.dataset[0]["prompt"] == "Q?"
    # One phrase is enough for two grades.
    made = PARTS.get(part_name("chosen", 2))(_records(tmp_path, FOX, "and the", "fox", "the fox"), 0)
    assert made.dataset["id"][:] == ["r0", "r3"]


def test_no_row_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="graded_chosen_3"):
        PARTS.get(part_name("chosen", 3))(_records(tmp_path, "and the"), 0)
