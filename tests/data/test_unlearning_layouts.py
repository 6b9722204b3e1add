"""The layouts of TOFU and MUSE, as they are on the hub."""

from __future__ import annotations

import pytest
from datasets import Dataset

from truing.data import load
from truing.errors import DataError

FORGET = {"question": "Where was Ann born?", "answer": "Ann was born in Oslo."}
PERTURBED = {
    **FORGET,
    "paraphrased_answer": "Her birthplace is Oslo.",
    "perturbed_answer": ["Her birthplace is Rome."],
    "paraphrased_question": "What is Ann's birthplace?",
}


@pytest.mark.parametrize("row", [FORGET, PERTURBED])
def test_tofu_from_jsonl_and_parquet(row, write, tmp_path):
    Dataset.from_list([row]).to_parquet(tmp_path / "tofu.parquet")
    for path in (write([row]), tmp_path / "tofu.parquet"):
        records = load(path)
        assert records.layout == "tofu"
        assert records.dataset[0] == {
            "prompt": [{"role": "user", "content": "Where was Ann born?"}],
            "completion": [{"role": "assistant", "content": "Ann was born in Oslo."}],
            "id": "1",
        }
        assert not any("columns that were not read" in note for note in records.notes)


def test_worked_solutions_stay_gsm8k():
    assert load([{"question": "2 + 2?", "answer": "2 + 2 = 4\n#### 4"}]).layout == "gsm8k"
    mixed = [{"question": "2 + 2?", "answer": "2 + 2 = 4\n#### 4"}, FORGET]
    assert load(mixed).layout == "tofu"


def test_a_null_answer_names_the_row():
    with pytest.raises(DataError, match="`answer` is null"):
        load([FORGET, {"question": "Who?", "answer": None}])


def test_muse_continuations():
    records = load([{"prompt": "The council voted", "gt": " to close the bridge."}])
    assert (records.layout, records.conversational) == ("muse-verbmem", False)
    assert records.dataset[0]["completion"] == " to close the bridge."


def test_muse_text_has_to_be_asked_for():
    with pytest.raises(DataError, match="this is plain text"):
        load([{"text": "A bridge."}])
    records = load([{"text": "A bridge."}], layout="muse-text")
    assert records.dataset[0] == {"prompt": "", "completion": "A bridge.", "id": "1"}
