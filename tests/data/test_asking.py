"""Changes of prompts, one after the other."""

from __future__ import annotations

from truing.data.asking import PLAIN, Asking


def test_one_after_the_other() -> None:
    goal = Asking("for the best", lambda prompt: f"{prompt}!")
    polite = Asking("politely", lambda prompt: f"please {prompt}")
    code = Asking("under a code", front=(7, 8), opposite=(9,))
    both = goal.then(polite).then(code)
    assert both.words == "for the best, and politely, and under a code"
    assert both.text is not None
    assert both.text("go") == "please go!"
    assert both.front == (7, 8)
    assert both.opposite == (9,)


def test_nothing_changes_nothing() -> None:
    code = Asking("under a code", front=(7,))
    assert Asking().then(code) == code == code.then(Asking())
    assert Asking().words == PLAIN
