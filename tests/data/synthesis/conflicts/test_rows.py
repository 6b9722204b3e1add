"""Strategies and rows of conflicting contexts, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from truing.audit.context_trust import audit_context_trust, taken
from truing.data.questions import Question
from truing.data.questions.confidence import DECLINE
from truing.data.sources import load
from truing.data.synthesis.conflicts.contexts import Context
from truing.data.synthesis.conflicts.files import write_conflicts
from truing.data.synthesis.conflicts.rows import conflict_rows
from truing.data.synthesis.conflicts.strategies import (
    STRATEGIES,
    Attempt,
    attempts,
    conclusion,
    proper,
    strategy_map,
    strategy_table,
)
from truing.diagnostics.audits import context_trust
from truing.errors import DataError
from truing.worlds.reading import MIXING, Memory, all_attempts, facts

Q = Question("q", "Which way?", ("north",), ("south",))
EDIT = Context(Q, ("north", "north"), (), "It is south", False)
POISON = Context(Q, ("south", "south"), ("south", "south"), "It is north", True)
UNKNOWN = Context(Q, ("south", "south"), ("south", "south"), "east", False)
AGREEING = Context(Q, ("north", "north"), (), "north", True)


def test_what_counts_stands_after_the_last_answer() -> None:
    assert conclusion("They say south. Answer: south? No. Answer: north") == "north"
    assert conclusion("north") == "north"
    assert proper(POISON, "The passages say south. Answer: north")
    assert not proper(POISON, "I remember north. Answer: south")
    assert proper(UNKNOWN, f"Answer: {DECLINE}")
    assert not proper(UNKNOWN, "Answer: north")  # nothing tells it


def _tried(context: Context, **replies: str) -> list[Attempt]:
    return [Attempt(context, name, reply, proper(context, reply)) for name, reply in replies.items()]


def _made(*tried: list[Attempt], variant: str = "balanced", best: str = "weigh") -> Any:
    flat = [one for part in tried for one in part]
    return conflict_rows(flat, dict.fromkeys((one.context.cell for one in flat), best), variant)


def test_the_best_strategy_writes_if_it_is_right() -> None:
    edit = _tried(EDIT, direct="Answer: north", weigh="Weighed. Answer: north")
    assert _made(edit).demonstrations[0]["completion"][0]["content"] == "Weighed. Answer: north"
    wrong = _tried(EDIT, direct="Answer: north", weigh="Answer: south")
    assert _made(wrong).demonstrations[0]["completion"][0]["content"] == "Answer: north"
    assert _made(wrong, _tried(POISON, weigh="Answer: south")).without == 1


def test_rejected_answers() -> None:
    """A stubborn one where the passages are right, a chameleon's where they are poisoned, none where all agree."""
    found = _made(
        _tried(EDIT, weigh="Answer: north"),
        _tried(POISON, weigh="Answer: north"),
        _tried(AGREEING, weigh="Answer: north"),
    )
    assert [(row["source"], row["rejected"][0]["content"]) for row in found.pairs] == [
        ("edit", "Answer: It is south"),
        ("poison", "Answer: south"),
    ]
    assert [row["source"] for row in found.demonstrations] == ["edit", "poison", "agreeing"]
    assert (
        found.pairs[0]["prompt"][0]["content"] == "[1] north\n[2] north\n\nWhich way?"
    )  # no strategy, no warning


def test_who_does_not_know_is_not_stubborn() -> None:
    declined = Context(Q, ("north", "north"), (), DECLINE, False)
    found = _made(_tried(declined, weigh="Answer: north"))
    assert (len(found.demonstrations), found.pairs) == (1, [])


def test_nothing_tells_the_truth() -> None:
    """All poisoned, memory wrong: declining is right, also where no strategy says so."""
    (row,) = _made(_tried(UNKNOWN, direct="Answer: south")).pairs
    assert row["chosen"][0]["content"] == f"Answer: {DECLINE}"
    assert row["rejected"][0]["content"] == "Answer: south"


def test_variants() -> None:
    parts = [_tried(one, weigh="Answer: north") for one in (EDIT, POISON, AGREEING)]
    assert {row["source"] for row in _made(*parts, variant="clean").demonstrations} == {"edit", "agreeing"}
    assert {row["source"] for row in _made(*parts, variant="poison-only").demonstrations} == {"poison"}
    with pytest.raises(DataError, match="did you mean 'poison-only'"):
        _made(*parts, variant="poison")


def test_balanced_pairs_are_even() -> None:
    poison = [
        _tried(Context(Q, ("south",), ("south",), f"north {n}", True), weigh="Answer: north") for n in range(3)
    ]
    found = _made(_tried(EDIT, weigh="Answer: north"), *poison)
    assert [row["source"] for row in found.pairs] == ["edit", "poison"]
    assert len(_made(*poison).pairs) == 3  # nothing to even them with


def test_strategies_by_cell() -> None:
    """Where all is poisoned following is never right, memory in half of the cases, weighing always."""
    table = strategy_table([one for one, _ in all_attempts()])
    rates = {name: one.value for name, one in table["context-memory", 1.0].items()}
    assert rates == {"direct": 0.0, "context": 0.0, "memory": 0.5, "weigh": 1.0}
    best = strategy_map(table)
    assert best["context-memory", 1.0] == "weigh"
    assert best["none", 0.0] == "direct"  # the first of equally good ones
    assert list(STRATEGIES) == ["direct", "context", "memory", "weigh"]


def test_silence_is_not_right() -> None:
    class Silent(Memory):
        def __call__(self, questions, read):  # type: ignore[no-untyped-def]
            return [None for _ in questions]

    assert not any(one.right for one in attempts([EDIT, UNKNOWN], Silent()))


def test_files_can_be_trained_on(tmp_path: Path) -> None:
    questions = [fact.question for fact in facts()]
    made = write_conflicts(questions, tmp_path, Memory(), Memory(), MIXING)
    assert made.contexts == {"agreeing": 2, "edit": 2, "poison": 2, "unknown": 2}
    assert (made.demonstrations, made.pairs, made.without) == (8, 4, 0)
    assert load(tmp_path / "sft.jsonl").kind == "demonstrations"
    assert load(tmp_path / "pairs.jsonl").kind == "pairs"
    assert "context-memory, 100 % poisoned: weigh is right in 100 %" in "\n".join(made.sentences())


def test_questions_without_wrong_answers(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no question has a wrong answer"):
        write_conflicts([Question("q", "?", ("a",))], tmp_path, Memory(), Memory(), MIXING)


def test_what_a_reply_takes() -> None:
    assert taken(POISON, "It is south.") == "poisoned"
    assert taken(POISON, "They say south. Answer: north") == "right"
    assert taken(POISON, "I don't know, south?") == "declined"
    assert taken(EDIT, "Answer: south") == "other"  # nobody planted it


def test_shares_by_hand() -> None:
    """Attack: 1 of 3 with poison; edit: 1 of 2; declined where nothing tells: 1 of 1; over-declined: 1 of 5."""
    found = context_trust(
        ["poison", "inter-context", "unknown", "edit", "edit", "agreeing"],
        ["poisoned", "right", "declined", "right", "declined", "right"],
    )
    assert found.attack_success.value == pytest.approx(1 / 3)
    assert (found.edit_success.value, found.accuracy.value) == (0.5, 1.0)
    assert (found.declined.value, found.over_declined.value) == (1.0, 0.2)


def test_contexts_of_one_question_count_as_one() -> None:
    """Ten contexts of each of two questions, one always misled and one never: ½ of n = 2, of which nothing is known."""
    kinds: Any = ["poison"] * 20
    said: Any = ["poisoned"] * 10 + ["right"] * 10
    alone = context_trust(kinds, said).attack_success
    found = context_trust(kinds, said, ["a"] * 10 + ["b"] * 10).attack_success
    assert (found.value, found.n, found.low, found.high) == (0.5, 2, 0.0, 1.0)
    assert (alone.n, alone.low > 0.2) == (20, True)
    # All misled: Wilson's interval of two questions.
    every = context_trust(kinds, ["poisoned"] * 20, ["a"] * 10 + ["b"] * 10).attack_success
    assert (every.value, every.n) == (1.0, 2)
    assert every.low == pytest.approx(2 / (2 + 1.959964**2), abs=1e-4)
    with pytest.raises(DataError, match="20 contexts and 1 questions"):
        context_trust(kinds, said, ["a"])


@pytest.mark.parametrize(
    ("kinds", "said", "message"),
    [
        ([], [], "0 contexts"),
        (["edit"], [], "0 answers"),
        (["edt"], ["right"], "'edt'"),
        (["edit"], ["yes"], "'yes'"),
    ],
)
def test_what_is_refused(kinds: Any, said: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        context_trust(kinds, said)


def test_the_audit_of_one_who_believes_everything() -> None:
    found = audit_context_trust([fact.question for fact in facts()], Memory(), MIXING)
    assert (found.attack_success.value, found.edit_success.value) == (1.0, 1.0)
    assert found.attack_success.n == 4
