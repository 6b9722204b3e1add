"""Names of models, and what is loaded for them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.jobs import model_folder
from tests.policies.models import tiny
from truing.errors import ModelError
from truing.policies.loading import load_model, load_tokenizer, resolve


def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve(str(tmp_path)) == str(tmp_path)
    assert resolve("owner/name") == "owner/name"
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "here").mkdir()
    assert resolve("~/here") == str(tmp_path / "here")
    for name in ("./nowhere", "/no/where", "~/nowhere", "a/b/c"):
        with pytest.raises(ModelError, match="there is no model folder"):
            resolve(name)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    model = tiny("llama")
    model.save_pretrained(tmp_path)
    found = load_model(str(tmp_path))
    assert not found.training
    for (name, old), (other, new) in zip(model.named_parameters(), found.named_parameters(), strict=True):
        assert name == other
        assert torch.equal(old, new)
    assert load_model(str(tmp_path), dtype=torch.bfloat16).dtype is torch.bfloat16


@pytest.mark.parametrize("name", ["llama-tied", "t5", "gpt2"])
def test_tied_weights_are_not_missing(name: str, tmp_path: Path) -> None:
    tiny(name).save_pretrained(tmp_path)
    assert load_model(str(tmp_path)).config.is_encoder_decoder == (name == "t5")


def test_a_model_without_its_head_is_refused(tmp_path: Path) -> None:
    # transformers would fill the head with random numbers, and say so in a log.
    tiny("llama").base_model.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"1 weights of .* are missing: lm_head\.weight"):
        load_model(str(tmp_path))


def test_a_tokenizer_needs_an_end_token(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(str(model_folder(tmp_path)))
    assert tokenizer.eos_token_id is not None
    tokenizer.eos_token = None
    tokenizer.save_pretrained(tmp_path / "other")
    with pytest.raises(ModelError, match="no end-of-sequence token"):
        load_tokenizer(str(tmp_path / "other"))
