"""Prompts are refused before they cost anything where no tokenizer could make them short enough."""

from __future__ import annotations

import pytest

from truing.assets import tiny_model
from truing.errors import ModelError
from truing.policies.loading import load_tokenizer
from truing.prompting.transform import Shown
from truing.serving.reading import Reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(load_tokenizer(str(tiny_model())), 64)


def test_a_prompt_of_far_too_many_characters_is_not_read(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> list[list[int]]:
        raise AssertionError("the tokenizer was asked")

    monkeypatch.setattr("truing.serving.reading.token_ids", read)
    with pytest.raises(ModelError, match=r"a prompt of 100,0.. characters is more than the 64 tokens"):
        reader(Shown.of("word " * 20_000), 8)


def test_the_longest_token_may_fill_all_of_the_room(reader: Reader) -> None:
    """The bound is one of characters, and must not refuse what has few tokens."""
    vocabulary = reader._tokenizer.get_vocab()
    longest = max(vocabulary, key=len)
    text = reader._tokenizer.convert_tokens_to_string([longest]) * 40
    assert len(reader(Shown.of(text), 8)) <= 56
