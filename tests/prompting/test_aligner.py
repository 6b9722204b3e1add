"""Searches over rewrites: what is selected, scored and kept, and rows that teach a rewriter."""

from __future__ import annotations

import json
import math

import pytest

from tests.rewards.judges.stub import Answer, serving
from truing.errors import DataError, RecipeError, TruingError
from truing.prompting.aligner.align import Rewritten, training_row
from truing.prompting.aligner.rewriting import ByChat, read_question, request, usable
from truing.prompting.aligner.search import Settings, search
from truing.prompting.named import transform_of
from truing.prompting.prompts import p_aligner
from truing.prompting.transform import Shown

WORTH = {"x": 0.0, "xa": 1.0, "xb": 0.2, "xab": 3.0, "xba": 3.0}


def grow(text: str, principle: str) -> str | None:
    return text + principle if principle not in text else None


def worth(text: str) -> float:
    return WORTH[text]


def test_a_search_by_hand() -> None:
    """The original, both rewrites of it, then with c = 0 the better of them, xa, is rewritten once more: xab.

    Evaluations 4; below xa two with a mean of (1 + 3)/2 = 2; of all 4 the mean is 4.2/4.
    """
    found = search("x", ["a", "b"], grow, worth, Settings(iterations=3, exploration=0.0))
    assert (found.text, found.path, found.original, found.value) == ("xab", ("a", "b"), 0.0, 3.0)
    by_text = {node.payload.text: node for node in found.tree}
    assert by_text["xa"].mean == 2.0
    assert by_text["x"].mean == pytest.approx(1.05)
    assert found.as_dict()["evaluations"] == 4


def test_depth_margin_and_least_evaluations_hold() -> None:
    shallow = search("x", ["a", "b"], grow, worth, Settings(iterations=6, depth=1, exploration=0.0))
    assert shallow.text == "xa"
    # Nothing is left to expand: the better child is evaluated again and again.
    assert len(next(node for node in shallow.tree if node.payload.text == "xa").own) == 5
    assert not search("x", ["a", "b"], grow, worth, Settings(iterations=3, margin=3.0)).changed
    assert not search("x", ["a", "b"], grow, worth, Settings(iterations=2, visits=2)).changed


@pytest.mark.parametrize(
    ("iterations", "depth", "most"), [(1, 3, 3), (2, 3, 5), (4, 3, 9), (20, 1, 3), (20, 2, 9), (99, 3, 21)]
)
def test_the_most_rewrites_by_hand(iterations: int, depth: int, most: int) -> None:
    """Of three principles: 3 at the original and 2 at each of 3 children, 6, and of 6 grandchildren, 12."""
    settings = Settings(iterations, depth=depth)
    assert settings.most_rewrites(3) == most
    counts = []
    for usable_from in range(1, 5):  # the n-th rewrite of every text, and those after it, can be used
        asked: list[tuple[str, str]] = []

        def rewrite(
            text: str, name: str, asked: list[tuple[str, str]] = asked, n: int = usable_from
        ) -> str | None:
            asked.append((text, name))
            return text + name if sum(one == text for one, _ in asked) >= n else None

        search("x", ["a", "b", "c"], rewrite, len, settings)
        counts.append(len(asked))
    assert max(counts) <= most
    assert max(counts) == most or (iterations > 2 and depth > 1)
    nothing: list[str] = []
    search("x", ["a", "b", "c"], lambda text, principle: nothing.append(text), len, settings)
    assert len(nothing) == 3  # all principles in one iteration


def test_the_intent_is_checked_from_the_best_down() -> None:
    found = search(
        "x", ["a", "b"], grow, worth, Settings(iterations=3, exploration=0.0), lambda text, new: new != "xab"
    )
    assert (found.text, found.rejected) == ("xa", 1)


def test_what_cannot_be_scored_never_wins() -> None:
    found = search("x", ["a", "b"], grow, lambda t: math.nan if t == "xab" else WORTH[t], Settings(iterations=3))
    assert found.text == "xa"
    with pytest.raises(DataError, match="have no reward"):
        search("x", ["a"], grow, lambda t: math.nan, Settings())


@pytest.mark.parametrize("many", [1, 2])
def test_answers_are_scored_against_the_original_and_drawn_anew(many: int) -> None:
    seen, draws = [], []

    def answer(shown, draw=0):
        draws.append(draw)
        return [f"answer to {one.prompt[-1]['content']}" for one in shown]

    def score(originals, answers, contexts):
        seen.extend(zip((str(one[-1]["content"]) for one in originals), answers, strict=True))
        return [float(len(text)) for text in answers]

    asked = [Shown.of([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "x"}])]
    way = p_aligner(
        rewriter=grow, sampler=answer, reward=score, principles=("a",), iterations=2, answers=many, depth=1
    )
    (shown,) = way(asked)
    assert shown.prompt == [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "xa"}]
    assert shown.original == asked[0].prompt
    assert shown.context["search"]["path"] == ["a"]
    assert {original for original, _ in seen} == {"x"}
    assert draws == list(range(3 * many))  # the original, its rewrite, and the rewrite once more


def test_a_row_is_read_again_by_the_rewriter_that_learns_it() -> None:
    shown = Shown.of("x")
    found = search("x", ["a", "b"], grow, worth, Settings(iterations=3, exploration=0.0))
    row = training_row(shown, found)
    assert row["prompt"] == request("x")
    assert read_question(row["completion"][0]["content"]) == row["rewritten"] == "xab"
    assert row["values"] == {"original": 0.0, "rewritten": 3.0}

    class Learned:
        name = "learned"

        def __call__(self, questions, read):
            assert questions[0] == row["prompt"]
            return [read(row["completion"][0]["content"]), read("I answer instead.")]

    first, second = Rewritten(Learned())([shown, Shown.of("y")])
    assert (first.prompt, first.original, second.prompt) == ("xab", "x", "y")


def test_replies_that_are_no_rewrites() -> None:
    assert read_question('Here: {"question": " New? "}') == "New?"
    assert read_question("[1]") is None
    assert read_question('{"question": 3}') is None
    assert usable("x", "x") is None
    assert usable("x", "word " * 200) is None
    assert usable("x", "y") == "y"

    class Chat:
        name = "stub"

        def __call__(self, questions, read):
            asked = questions[0][0]["content"]
            return [
                read(json.dumps({"same": "rewrite" not in asked} if "compare" in asked else {"question": "new"}))
            ]

    chat = ByChat(Chat())
    assert chat("old", "clarity") == "new"
    assert chat.same("old", "new") is True


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sampler": "truing/tiny", "reward": "sentiment"}, "p-aligner has no rewriter"),
        ({"rewriter": "truing/tiny", "reward": "sentiment"}, "p-aligner has no sampler"),
        (
            {"rewriter": "truing/tiny", "sampler": "truing/tiny", "reward": "sentiment", "answers": 2},
            "all answers of an evaluation are the same",
        ),
    ],
)
def test_what_is_missing_is_named(values, message) -> None:
    with pytest.raises(RecipeError, match=message):
        transform_of({"name": "p-aligner", **values})
    with pytest.raises(RecipeError, match="p-aligner-rewriter has no model"):
        transform_of("p-aligner-rewriter")


def test_a_rewriter_behind_an_endpoint_has_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is read from the variable that is named, and a variable that is not set is no key."""
    monkeypatch.setenv("REWRITER_KEY", "secret-1")
    with serving(lambda number, body: Answer("Other words?")) as stub:
        spec = {"name": "p-aligner-rewriter", "model": f"{stub.url}#m", "key_from": "REWRITER_KEY"}
        transform_of(spec)([Shown.of("Words?")])
    assert set(stub.keys) == {"Bearer secret-1"}
    monkeypatch.delenv("REWRITER_KEY")
    with pytest.raises(TruingError, match="REWRITER_KEY"):
        transform_of(spec)


def test_a_rewriter_whose_key_is_missing_says_where_it_goes() -> None:
    with serving(lambda number, body: Answer("no key", status=401)) as stub:
        transform = transform_of({"name": "p-aligner-rewriter", "model": f"{stub.url}#m"})
        with pytest.raises(TruingError, match=r"(?s)HTTP 401.*key"):
            transform([Shown.of("Words?")])
