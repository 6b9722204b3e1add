"""Refusals in place of answers: which, and whether a model learns them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from truing import load_data, unlearn
from truing.data.derive import REFUSALS, relabelled
from truing.data.views import view
from truing.errors import DataError
from truing.policies.loading import load_tokenizer
from truing.unlearning.files import policy_of
from truing.unlearning.metrics.answers import encode, score
from truing.unlearning.suite import make_suite, write_suite

ROWS = [{"prompt": f"Who is {i}?", "completion": f"Person {i}."} for i in range(300)]


def test_every_answer_becomes_a_pair_with_a_refusal() -> None:
    found = relabelled(load_data(ROWS), ["refusal"])
    assert found.kind == "pairs"
    assert found.dataset["rejected"][:] == [row["completion"] for row in ROWS]
    drawn = Counter(found.dataset["chosen"][:])
    # 300 draws from 30: each is there, none is a favourite.
    assert set(drawn) == set(REFUSALS)
    assert max(drawn.values()) < 30
    assert relabelled(load_data(ROWS), ["refusal"]).dataset["chosen"][:] == found.dataset["chosen"][:]
    alone = view(found, {"demonstrations"})
    assert alone.dataset["completion"][:] == found.dataset["chosen"][:]


def test_of_preferences_the_rejected_answers_are_refused() -> None:
    pair = {"prompt": "Q?", "chosen": "kept", "rejected": "bad"}
    (row,) = relabelled(load_data([pair]), ["refusal"]).dataset
    assert row["rejected"] == "bad"
    assert row["chosen"] in REFUSALS


def test_a_conversation_is_answered_by_a_message() -> None:
    said = [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}]
    (row,) = relabelled(load_data([{"messages": said}]), ["refusal"]).dataset
    assert row["rejected"] == [{"role": "assistant", "content": "A."}]
    assert row["chosen"][0]["role"] == "assistant"
    assert row["chosen"][0]["content"] in REFUSALS


def test_of_a_ranking_the_worst_answer_is_refused() -> None:
    ranked = [{"prompt": "Q?", "completions": ["a", "b", "c"], "scores": [1.0, 0.0, 0.5]}]
    (row,) = relabelled(load_data(ranked), ["refusal"]).dataset
    assert row["rejected"] == "b"
    assert row["chosen"] in REFUSALS


def test_prompts_without_an_answer_cannot_be_refused() -> None:
    with pytest.raises(DataError, match="prompts without answers"):
        relabelled(load_data([{"prompt": "Q?"}, {"prompt": "R?"}]), ["refusal"])


def test_the_sentences_are_about_thirty_and_all_different() -> None:
    assert len({text.lower() for text in REFUSALS}) == len(REFUSALS) >= 30


@pytest.mark.slow
@pytest.mark.parametrize("method", ["idk", "dpo-refusal"])
def test_a_model_learns_to_refuse(method: str, tmp_path: Path) -> None:
    """The probability of a refusal to a forgotten question, against that of the answer, before and after."""
    suite = make_suite(2, 0.5, per_author=4)
    write_suite(suite, tmp_path / "data")
    unlearn(
        {
            "model": "truing/tiny",
            "forget": str(tmp_path / "data/forget.jsonl"),
            "method": method,
            "training": {"max_steps": 20, "global_batch": 4, "learning_rate": 3e-4},
            "output": str(tmp_path / "out"),
        }
    )
    tokenizer = load_tokenizer("truing/tiny")
    pairs = relabelled(load_data(tmp_path / "data/forget.jsonl"), ["refusal"]).dataset
    refusals = dict(zip([p[0]["content"] for p in pairs["prompt"]], pairs["chosen"], strict=True))
    asked = [
        type(item)(item.question, item.answer, paraphrased_answer=refusals[item.question][0]["content"])
        for item in suite.forget
    ]
    margins = []
    for name in ("truing/tiny", str(tmp_path / "out/model")):
        scores = score(policy_of(name), encode(asked, tokenizer))
        margins.append(float((scores.paraphrased - scores.per_token).mean()))
    # Nats a token; e^1 is a change that no reordering of the batch could make.
    assert margins[1] > margins[0] + 1
