"""Answers under the control codes of a run (meet): the code in front of every prompt, and the contrast of both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.cli.test_generate import run
from truing.policies.causal import CausalPolicy
from truing.policies.control_codes import BAD, FILE, GOOD, load_codes, start_codes
from truing.policies.generation import Sampling, generate
from truing.policies.loading import load_model, load_tokenizer

PROMPT = "This film was"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Codes of 3 virtual tokens, of which no two are alike."""
    path = tmp_path_factory.mktemp("run")
    codes = start_codes(_policy(), 3, range(100, 200), seed=0)
    with torch.no_grad():
        noise = torch.randn(codes.vectors.shape, generator=torch.Generator().manual_seed(0))
        codes.vectors.add_(3 * codes.vectors.std() * noise)
    codes.save(path / FILE)
    return path


def _policy() -> CausalPolicy:
    return CausalPolicy(load_model("truing/tiny"), load_tokenizer("truing/tiny"), precision="float32")


def _asked() -> list[int]:
    """The prompt as a user's message, as the tokenizer's own template has it."""
    tokenizer = load_tokenizer("truing/tiny")
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": PROMPT}], tokenize=False, add_generation_prompt=True
    )
    return list(tokenizer(text, add_special_tokens=False).input_ids)


def _expected(folder: Path, level: str, contrast: float = 0.0) -> str:
    policy = _policy()
    codes = load_codes(policy, folder / FILE)
    own = _asked()
    other = BAD if level == GOOD else GOOD
    sampling = Sampling(max_new_tokens=8, temperature=0.0, contrast=contrast)
    away = [[*codes.ids(other), *own]] if contrast else ()
    (answer,) = generate(policy, [[*codes.ids(level), *own]], sampling, opposite=away)
    return str(policy.tokenizer.decode(answer, skip_special_tokens=True))


def _answer(monkeypatch, capsys, *words: str) -> str:
    given = (f"prompt={PROMPT}", "model=truing/tiny", "sampling.max_new_tokens=8", "sampling.temperature=0")
    assert run(monkeypatch, "generate", *given, *words, "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["answers"]
    return str(found["completion"])


def test_the_code_stands_in_front(monkeypatch, capsys, folder: Path) -> None:
    good = _answer(monkeypatch, capsys, f"codes={folder}", "decode={name: vote, of: text}")
    assert good == _expected(folder, GOOD)
    bad = f"codes={{path: {folder / FILE}, level: bad}}"
    assert _answer(monkeypatch, capsys, bad, "decode={name: vote, of: text}") == _expected(folder, BAD) != good


def test_the_contrast_of_codes_is_that_of_the_generator(monkeypatch, capsys, folder: Path) -> None:
    contrast = "decode={name: contrastive-decoding, reads: opposite-code, alpha: 0.5, cut: 0.0}"
    found = _answer(monkeypatch, capsys, f"codes={folder}", contrast)
    assert found == _expected(folder, GOOD, 0.5) != _expected(folder, GOOD)


def test_codes_take_a_place_in_the_context(monkeypatch, capsys, folder: Path) -> None:
    """1,024 tokens hold prompt and answer, but not a code of three besides."""
    room = 1024 - len(_asked())
    words = ("generate", "model=truing/tiny", f"prompt={PROMPT}", "decode=vote", "--dry-run")
    assert run(monkeypatch, *words, f"sampling.max_new_tokens={room}") == 0
    assert run(monkeypatch, *words, f"sampling.max_new_tokens={room}", f"codes={folder}") == 2
    assert "more than the model's 1,024" in " ".join(capsys.readouterr().err.split())
