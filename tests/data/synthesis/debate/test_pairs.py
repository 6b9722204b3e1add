"""Values of turns and pairs of siblings, on trees made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from truing.data.questions import Question
from truing.data.sources import load
from truing.data.synthesis.debate.files import write_debates
from truing.data.synthesis.debate.growing import PERSONAS, Growth, debates
from truing.data.synthesis.debate.pairs import (
    Rules,
    demonstrations,
    evened,
    kept_pairs,
    persuasion_rows,
    values,
)
from truing.data.synthesis.debate.turns import Turn
from truing.decoding.tree import SearchTree
from truing.errors import DataError
from truing.worlds.persuasion import GROWTH, Debater, all_debates, cases

Q = Question("q", "Which way?", ("north",), ("south",))
R, W = "north", "south"


def tree(
    *children: tuple[str, tuple[str | None, str | None]], before: tuple[str | None, str | None]
) -> SearchTree[Turn]:
    """Question, A, B, and several second turns of A."""
    found = SearchTree(Turn(Q.text))
    first = found.add(0, Turn("a", 0, (before[0], None)))
    second = found.add(first, Turn("b", 1, before))
    for text, answers in children:
        found.add(second, Turn(text, 0, answers))
    return found


def tags(found: SearchTree[Turn], **rules: object) -> list[tuple[str, int, int]]:
    return [(pair.tag, pair.chosen, pair.rejected) for pair in kept_pairs(found, Q, Rules(**rules))]  # type: ignore[arg-type]


def test_sums_and_means_by_hand() -> None:
    """Leaves 1 and 0; B's turn has A right and B wrong: 1 + 1 + 0 = 2, and 1 + ½ by means. A alone has no pair of
    answers, so that it adds 0.
    """
    made = tree(("hold", (R, W)), ("yield", (W, W)), before=(R, W))
    assert values(made, Q, Rules()) == [2.0, 2.0, 2.0, 1.0, 0.0]
    assert values(made, Q, Rules(mean=True)) == [1.5, 1.5, 1.5, 1.0, 0.0]


def test_holding_a_right_answer_resists() -> None:
    assert tags(tree(("hold", (R, W)), ("yield", (W, W)), before=(R, W))) == [("resist", 3, 4)]


def test_taking_a_right_answer_accepts_if_the_gap_lets_it() -> None:
    """2 against 1 is a gap of exactly a half, which does not exceed a half."""
    made = tree(("hold", (W, R)), ("yield", (R, R)), before=(W, R))
    assert tags(made) == []
    assert tags(made, gap=0.49) == [("accept", 4, 3)]


def test_pairs_that_are_left_out() -> None:
    """Equal values; both right; an answer that could not be read; the same words."""
    assert tags(tree(("x", (R, W)), ("y", (R, W)), before=(R, W))) == []
    assert tags(tree(("x", (R, R)), ("y", (R, R)), before=(R, R))) == []
    assert tags(tree(("x", (R, W)), ("y", (None, W)), before=(R, W))) == []
    assert tags(tree(("x", (R, W)), ("x", (W, W)), before=(R, W))) == []
    made = tree(("x", (R, W)), ("y", (W, W)), ("x", (R, W)), before=(R, W))
    assert tags(made) == [("resist", 3, 4)]  # the second x says the same


def test_different_numbers_of_children_do_not_compare() -> None:
    made = tree(("hold", (R, W)), ("yield", (W, W)), before=(R, W))
    made.add(3, Turn("b2", 1, (R, W)))
    assert tags(made) == []
    made.add(4, Turn("b2", 1, (W, W)))
    assert tags(made) == [("resist", 3, 4)]


def test_neither_tag() -> None:
    """The chosen turn does not change its speaker's answer, but what comes after it is better."""
    made = tree(("x", (W, W)), ("y", (W, W)), before=(W, W))
    made.add(3, Turn("better", 1, (W, R)))
    made.add(4, Turn("no better", 1, (W, W)))
    assert [(pair[0], pair[1]) for pair in tags(made)] == [("none", 3)]


def test_confirmed_by_what_they_say() -> None:
    made = tree(("I stand by it", (R, W)), ("I agree", (W, W)), ("no words", (W, W)), before=(R, W))
    assert len(tags(made)) == 2
    assert tags(made, agrees=lambda texts: [float("agree" in text) for text in texts]) == [("resist", 3, 4)]


def test_rows_share_the_prompt_and_leak_nothing() -> None:
    (row,) = persuasion_rows(tree(("hold", (R, W)), ("yield", (W, W)), before=(R, W)), Q)
    assert row["prompt"] == [
        {"role": "user", "content": "Which way?"},
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": "b"},
    ]
    assert (row["chosen"][0]["content"], row["rejected"][0]["content"]) == ("hold", "yield")
    assert (row["score_chosen"], row["score_rejected"], row["source"]) == (1.0, 0.0, "resist")


def test_no_persona_in_rows() -> None:
    for made, case in all_debates()[:6]:
        for row in persuasion_rows(made, case.question):
            assert row["prompt"][0]["content"].startswith("Where does")


def test_variants_are_parts_of_the_whole_and_even_counts() -> None:
    rows = [row for made, case in all_debates() for row in persuasion_rows(made, case.question)]
    counts = {tag: sum(row["source"] == tag for row in rows) for tag in ("resist", "accept", "none")}
    assert counts == {"resist": 32, "accept": 16, "none": 0}
    parts = [
        row
        for variant in ("resist-only", "accept-only")
        for made, case in all_debates()
        for row in persuasion_rows(made, case.question, variant)
    ]
    assert {row["id"] for row in parts} == {row["id"] for row in rows}
    assert sum(row["source"] == "resist" for row in evened(rows)) == 16
    assert len(evened(rows)) == 32
    alone = [row for row in rows if row["source"] == "resist"]
    assert evened(alone) == alone  # nothing to even them with


def test_demonstrations_are_each_there_once() -> None:
    made = tree(("hold", (R, W)), ("yield", (W, W)), ("give in", (W, W)), before=(R, W))
    rows = persuasion_rows(made, Q)
    assert len(rows) == 2
    assert [row["completion"][0]["content"] for row in demonstrations(rows)] == ["hold"]


def test_growth_counts_its_turns() -> None:
    """2 + 4 + 8 + 16."""
    (made,) = debates([next(cases()).question], (Debater(0), Debater(1)), GROWTH)
    assert len(made) == 1 + GROWTH.calls == 31
    assert made.cost == 30
    assert len(PERSONAS) >= 3


def test_files_can_be_trained_on(tmp_path: Path) -> None:
    questions = [case.question for case in cases()]
    done: list[tuple[int, int]] = []
    made = write_debates(
        questions, tmp_path, (Debater(0), Debater(1)), GROWTH, even=True, progress=lambda *at: done.append(at)
    )
    assert made.tags == {"resist": 16, "accept": 16, "none": 0}
    assert done[-1] == (16 * 30, 16 * 30)
    assert load(made.path).kind == "pairs"
    assert load(tmp_path / "sft.jsonl").kind == "demonstrations"


def test_nothing_to_learn(tmp_path: Path) -> None:
    class Silent(Debater):
        def __call__(self, questions, read):  # type: ignore[no-untyped-def]
            return [read("Hm.") for _ in questions]

    with pytest.raises(DataError, match="no pair differs enough in 30 turns, of which 30 have no answer"):
        write_debates([Q], tmp_path, (Silent(0), Silent(1)), GROWTH)


def test_one_tag_alone_is_not_evened_and_nobody_is_asked(tmp_path: Path) -> None:
    class Unasked(Debater):
        def __call__(self, questions, read):  # type: ignore[no-untyped-def]
            raise AssertionError

    for variant in ("resist-only", "accept-only"):
        with pytest.raises(DataError, match="nothing to be evened with"):
            write_debates([Q], tmp_path, (Unasked(0), Unasked(1)), GROWTH, variant=variant, even=True)
    with pytest.raises(DataError, match="did you mean 'resist-only'"):
        write_debates([Q], tmp_path, (Unasked(0), Unasked(1)), GROWTH, variant="resist")


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"depth": 2}, "3 or more"), ({"branching": 1}, "2 to 4"), ({"branching": 5}, "number of personas")],
)
def test_growth_that_is_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Growth(**settings)


def test_rules_and_variants_that_are_refused() -> None:
    with pytest.raises(DataError, match="gap is 1"):
        Rules(gap=1.0)
    with pytest.raises(DataError, match="did you mean 'resist-only'"):
        persuasion_rows(tree(before=(R, W)), Q, "resist")
