"""Answers with critiques behind them, as tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from truing.data import load
from truing.data.critiques import LEAD, with_critiques
from truing.data.perturb import build, perturbed
from truing.data.text import TextEncoder
from truing.data.tokenise import token_ids
from truing.errors import DataError
from truing.policies.loading import load_tokenizer

ROW = {
    "prompt": "What is 2 + 2?",
    "chosen": " It is 4.",
    "rejected": " It is 5, I think.",
    "critique_chosen": " Right. ",
    "critique_rejected": "It is 4.",
}


def encoded(tmp_path: Path, *rows: dict[str, Any], max_length: int | None = None) -> Any:
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    records, tokenizer = load(str(tmp_path / "in.jsonl")), load_tokenizer("truing/tiny")
    plain = TextEncoder(tokenizer, max_length=max_length).encode(records, cache=False)
    return plain, with_critiques(plain, records, tokenizer, max_length), tokenizer


def test_lead_and_critique_stand_behind_the_answer(tmp_path: Path) -> None:
    plain, found, tokenizer = encoded(tmp_path, ROW)
    before, after = plain.dataset[0], found.dataset[0]
    lead, eos = token_ids(tokenizer, [LEAD])[0], tokenizer.eos_token_id
    said = [[*ids, eos] for ids in token_ids(tokenizer, [" Right.", " It is 4."])]
    assert after["prompt_ids"] == before["prompt_ids"]
    assert after["completion_ids"] == [
        [*answer, *lead, *critique] for answer, critique in zip(before["completion_ids"], said, strict=True)
    ]
    assert after["critique"] == [len(ids) for ids in said]
    assert found.report.completion_tokens.maximum == max(map(len, after["completion_ids"]))


def test_conversations_too(tmp_path: Path) -> None:
    talk = {**ROW, "prompt": [{"role": "user", "content": "What is 2 + 2?"}]}
    _, found, tokenizer = encoded(tmp_path, talk)
    text = tokenizer.decode(found.dataset[0]["completion_ids"][1])
    assert "It is 5, I think." in text
    assert text.index("5") < text.index("Critique:") < text.index("It is 4.")


def test_prompts_are_cut_first_and_long_pairs_left_out(tmp_path: Path) -> None:
    long = {**ROW, "prompt": "word " * 50}
    endless = {**ROW, "critique_chosen": "wrong " * 80}
    _, found, _ = encoded(tmp_path, ROW, long, endless, max_length=48)
    assert len(found) == 2
    assert found.report.prompts_truncated >= 1
    assert [(count.what, count.number) for count in found.report.dropped] == [
        ("a pair too long with its critiques", 1)
    ]
    for row in found.dataset:
        assert len(row["prompt_ids"]) + max(map(len, row["completion_ids"])) <= 48
    with pytest.raises(DataError, match="no pair fits with its critiques"):
        encoded(tmp_path, endless, max_length=48)


@pytest.mark.parametrize("change", [{"critique_chosen": " "}, {"critique_chosen": None}])
def test_rows_without_critiques_are_named(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="`critique_chosen` is missing or empty") as caught:
        encoded(tmp_path, {**ROW, "id": "a"}, {**ROW, **change, "id": "b"})
    assert str(caught.value.where).endswith("row b")


def test_critiques_go_with_their_answers(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps(ROW) + "\n")
    changes = build([{"flip_labels": {"rate": 1.0}}])
    row = perturbed(load(str(tmp_path / "in.jsonl")), changes).dataset[0]
    assert (row["chosen"], row["critique_chosen"]) == (ROW["rejected"], ROW["critique_rejected"])
    assert (row["rejected"], row["critique_rejected"]) == (ROW["chosen"], ROW["critique_chosen"])
