"""Guidelines: kept once, found again, learned without false negatives, and shown in front of questions."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from truing.errors import DataError, RecipeError, TruingError
from truing.prompting.guidelines.contrast import DualEncoder, hard_negatives, info_nce, train
from truing.prompting.guidelines.embedding import ByWords, embedder
from truing.prompting.guidelines.files import build_library, distilled
from truing.prompting.guidelines.library import NO_RISK, Library, collected
from truing.prompting.guidelines.retrieval import Retriever, bm25, mmr, recall
from truing.prompting.guidelines.writing import question, read_guidelines
from truing.prompting.named import transform_of
from truing.prompting.transform import Shown

SMALL = Library(("Be brief.", "Name sources.", "Name your sources."), (0, 1, 1), ("a", "b"), ((0,), (1,)))


def test_the_loss_by_hand_with_a_masked_duplicate() -> None:
    """Cosines 0.1, 0.05 and 0.1 at t = 0.05: logits 2, 1 and 2; without the third: log(1 + e⁻¹) = 0.3133."""
    scores = torch.tensor([[0.1, 0.05, 0.1]], dtype=torch.float64)
    positive = torch.tensor([0])
    free = info_nce(scores, positive, torch.zeros(1, 3, dtype=torch.bool))
    masked = info_nce(scores, positive, torch.tensor([[True, False, True]]))
    assert float(masked) == pytest.approx(math.log(1 + math.exp(-1)))
    assert float(free) == pytest.approx(math.log(2 + math.exp(-1)))


def test_negatives_are_near_and_of_other_clusters() -> None:
    scores = np.array([[0.9, 0.2, 0.5], [0.1, 0.8, 0.7]])
    assert hard_negatives(scores, SMALL, 2) == [[2, 1], [0]]


def test_training_brings_questions_to_their_guidelines() -> None:
    draw = np.random.default_rng(0)
    asked, written = (np.linalg.qr(draw.normal(size=(4, 4)))[0] for _ in range(2))
    library = Library(("p", "q", "r", "s"), (0, 1, 2, 3), ("a", "b", "c", "d"), ((0,), (1,), (2,), (3,)))
    found = train(library, asked, written, steps=60, learning_rate=0.05)
    assert found.scores(asked, written).argmax(1).tolist() == [0, 1, 2, 3]
    with pytest.raises(DataError, match="no question of the library has a guideline"):
        train(Library(("p",), (0,), ("a",), ((),)), asked, written)


def test_what_says_the_same_is_kept_once() -> None:
    vectors = np.array([[1.0, 0.0], [0.96, 0.28], [0.0, 1.0], [1.0, 0.0]])
    found = collected(["a", "b"], [["Be brief.", "Be short."], ["Be kind.", "Be brief."]], vectors, 0.9)
    assert found.guidelines == ("Be brief.", "Be kind.")
    assert found.belongs == ((0,), (1, 0))
    apart = collected(["a", "b"], [["Be brief.", "Be short."], ["Be kind.", "Be brief."]], vectors, 0.97)
    assert apart.guidelines == ("Be brief.", "Be short.", "Be kind.")


def test_mmr_leaves_out_what_is_taken_in_other_words() -> None:
    """The second is nearest to the first: 0.7 · 0.8 − 0.3 · 1 = 0.26 against 0.7 · 0.5 − 0 = 0.35."""
    scores, likeness = np.array([0.9, 0.8, 0.5]), np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1.0]])
    assert mmr(scores, likeness, 2, 0.0) == [0, 1]
    assert mmr(scores, likeness, 2, 0.3) == [0, 2]
    assert mmr(scores, likeness, 9, 0.3) == [0, 2, 1]


def test_bm25_by_hand() -> None:
    """Word "b" in one of two texts of one word each: log(1 + 1.5/1.5) · 2.5/2.5 = 0.6931."""
    found = bm25(["b b x"], ["a", "b"])
    assert found[0].tolist() == [0.0, pytest.approx(math.log(2))]
    assert recall(np.array([[0.1, 0.9], [0.9, 0.1]]), [(1,), (1,)], k=1) == 0.5


def test_replies_are_parsed_and_harmless_questions_noted_as_such() -> None:
    assert read_guidelines('Sure: {"risks": ["x"], "guidelines": ["Be  kind.", 3, "Be kind."]}').guidelines == (
        "Be kind.",
    )
    assert read_guidelines('{"risks": [], "guidelines": ["Be clear."]}').guidelines == (NO_RISK, "Be clear.")
    for reply in ("no", "[1]", '{"guidelines": []}', '{"guidelines": "x"}', "{"):
        assert read_guidelines(reply) is None
    assert "<<< question >>>\nHow?\n" in question("How?")[1]["content"]


def test_questions_are_shown_with_their_guidelines_and_remember_what_was_asked() -> None:
    library = Library(
        ("Mind the dog and its leash.", "Mind the cat and its box."), (0, 1), ("dog", "cat"), ((0,), (1,))
    )
    way = transform_of(
        {"name": "guide-align", "library": Retriever.of(library, ByWords.fitted(library.texts)), "k": 1}
    )
    asked = [Shown.of("My dog barks."), Shown.of([{"role": "user", "content": "My cat sleeps."}])]
    dog, cat = way(asked)
    assert dog.prompt.endswith("1. Mind the dog and its leash.\n\nMy dog barks.")
    assert cat.prompt[0]["role"] == "system"
    assert cat.context["guidelines"] == ["Mind the cat and its box."]
    assert [dog.original, cat.original] == [one.original for one in asked]
    assert way([]) == []


def test_rows_teach_without_guidelines() -> None:
    way = transform_of(
        {"name": "guide-align", "library": Retriever.of(SMALL, ByWords.fitted(SMALL.texts)), "k": 1}
    )
    asked = [Shown.of("one"), Shown.of("two"), Shown.of([{"role": "user", "content": "three"}])]

    def answer(shown, draw=0):
        assert all("guidelines" in str(one.prompt) for one in shown)
        return ["good", " ", "fair"]

    rows = list(distilled(answer, asked, way))
    assert rows == [
        {"prompt": "one", "completion": "good"},
        {
            "prompt": [{"role": "user", "content": "three"}],
            "completion": [{"role": "assistant", "content": "fair"}],
        },
    ]
    scored = list(distilled(answer, asked, way, score=lambda o, a, c: [1.0, 1.0, float("nan")], least=0.0))
    assert scored == [{"prompt": "one", "completion": "good", "reward": 1.0}]


def test_files_come_back_and_others_are_refused(tmp_path: Path) -> None:
    SMALL.write(tmp_path / "library.jsonl")
    assert Library.read(tmp_path / "library.jsonl") == SMALL
    (tmp_path / "bad.jsonl").write_text('{"guideline": "a"}\n{"question": "q", "guidelines": [1]}\n')
    with pytest.raises(DataError, match="neither a guideline nor a question"):
        Library.read(tmp_path / "bad.jsonl")
    with pytest.raises(DataError, match="no such library"):
        Library.read(tmp_path / "none.jsonl")
    DualEncoder.untrained(3).write(tmp_path / "r.safetensors")
    assert DualEncoder.read(tmp_path / "r.safetensors").question.tolist() == np.eye(3).tolist()
    with pytest.raises(DataError, match="there is no retriever"):
        DualEncoder.read(tmp_path / "library.jsonl")
    with pytest.raises(RecipeError, match="guide-align has no library"):
        transform_of("guide-align")
    with pytest.raises(TruingError, match="k = 0 cannot be used"):
        transform_of({"name": "guide-align", "library": str(tmp_path), "k": 0})


class Writes:
    name = "writes"

    def __call__(self, questions, read):
        return [
            read(f'{{"risks": ["x"], "guidelines": ["Mind {one[-1]["content"].split()[-5]}."]}}')
            for one in questions
        ]


def test_a_library_that_was_changed_is_not_misread(tmp_path: Path) -> None:
    asked = [Shown.of("Is it a dog?"), Shown.of("Is it a cat?")]
    built = build_library(Writes(), asked, tmp_path, held_out=0.0, steps=0)
    again = Retriever.read(tmp_path)
    assert again.scores(["a cat?"]).tolist() == built.retriever.scores(["a cat?"]).tolist()
    library, embedding = tmp_path / "library.jsonl", tmp_path / "embedding.txt"
    text = library.read_text()
    # Words that are as many as before would be read under each other's weights.
    for changed in (text.replace("dog?", "cow?"), text + '{"question": "More?", "guidelines": []}\n'):
        library.write_text(changed)
        with pytest.raises(DataError, match=r"changed after its retriever was made(.|\n)*library.jsonl"):
            Retriever.read(tmp_path)
    library.write_text(text)
    embedding.write_text("truing/tiny\n")
    with pytest.raises(DataError, match="made for another embedding than 'truing/tiny'"):
        Retriever.read(tmp_path)
    embedding.unlink()
    with pytest.raises(DataError, match=r"lacks a file(.|\n)*embedding.txt"):
        Retriever.read(tmp_path)


@pytest.mark.parametrize("cluster", ['"first"', "null", "0.5", "true"])
def test_a_cluster_is_a_whole_number(cluster: str, tmp_path: Path) -> None:
    path = tmp_path / "library.jsonl"
    path.write_text(f'{{"guideline": "a", "cluster": {cluster}}}\n')
    with pytest.raises(DataError, match=r'library.jsonl:1(.|\n)*"cluster": whole number'):
        Library.read(path)


def test_states_of_a_model_are_vectors_of_length_one() -> None:
    vectors = embedder("truing/tiny", [])(["A good film.", "A good film.", "x", ""])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1.0] * 4)
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-6)


def test_sentence_transformers_are_an_extra() -> None:
    try:
        import sentence_transformers  # noqa: F401
    except ImportError:
        with pytest.raises(TruingError, match="sentence-transformers") as error:
            embedder("sentence-transformers/none", [])
        assert "truing[embed]" in str(error.value)
