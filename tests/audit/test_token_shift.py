"""The packaged model beside a copy of it that learned to open its answers in one manner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from truing.audit.token_shift import audit_token_shift
from truing.cli.app import app
from truing.errors import ModelError
from truing.policies.causal import CausalPolicy
from truing.policies.loading import load_model, load_tokenizer
from truing.prompting.answering import FromPolicy
from truing.prompting.transform import Shown

OPENING = "What a great question!"


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few steps of maximum likelihood on the opening alone."""
    folder = tmp_path_factory.mktemp("tuned")
    model, tokenizer = load_model("truing/tiny"), load_tokenizer("truing/tiny")
    asked = ["Name a fruit.", "How do I boil an egg?", "Tell me about Rome."]
    texts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": text}, {"role": "assistant", "content": f"{OPENING} I"}], tokenize=False
        ).rpartition(" I")[0]
        for text in asked
    ]
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-4)
    opening = len(tokenizer(OPENING, add_special_tokens=False).input_ids)
    for _ in range(8):
        for text in texts:
            ids = torch.tensor([tokenizer(text, add_special_tokens=False).input_ids])
            labels = ids.clone()
            labels[:, :-opening] = -100
            model(input_ids=ids, labels=labels).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tiny() -> CausalPolicy:
    return CausalPolicy(load_model("truing/tiny"), load_tokenizer("truing/tiny"), precision="float32")


def test_a_model_beside_itself_is_unshifted(tiny: CausalPolicy) -> None:
    found = audit_token_shift(tiny, tiny, [Shown.of("Name a fruit."), Shown.of("Hello!")], max_new_tokens=8)
    assert (found.shift.unshifted.value, found.shift.kl.value) == (1.0, 0.0)


def test_ranks_are_those_of_a_plain_forward_pass(tiny: CausalPolicy, tuned: Path) -> None:
    other = CausalPolicy(load_model(str(tuned)), load_tokenizer(str(tuned)), precision="float32")
    asked = [Shown.of("Name a fruit."), Shown.of("Why is the sky blue, and the sunset red?")]
    found = audit_token_shift(tiny, other, asked, max_new_tokens=6)
    from truing.policies.generation import Sampling, generate

    sampling = Sampling(max_new_tokens=6, temperature=0.0)
    prompts = FromPolicy(tiny, sampling).tokens(asked)
    ranks = []
    for prompt, answer in zip(prompts, generate(other, prompts, sampling), strict=True):
        plain = load_model("truing/tiny")
        with torch.no_grad():
            logits = plain(input_ids=torch.tensor([[*prompt, *answer]])).logits[0, len(prompt) - 1 : -1]
        ranks += [1 + int((row > row[token]).sum()) for row, token in zip(logits, answer, strict=True)]
    assert found.shift.tokens == len(ranks)
    assert found.shift.shifted.value == pytest.approx(sum(rank > 3 for rank in ranks) / len(ranks))


def test_the_command_finds_the_manner_at_the_first_tokens(shared_data: Path, tuned: Path, tmp_path: Path) -> None:
    data = str(shared_data / "alpaca-eval/hard/alpaca-7b.json")
    arguments = ["audit", "token-shift", "--base", "truing/tiny", "--aligned", str(tuned), "--data", data]
    ended = CliRunner().invoke(
        app, [*arguments, "--limit", "8", "--max-new-tokens", "16", "-o", str(tmp_path), "--json"]
    )
    assert ended.exit_code == 0, ended.output
    found = json.loads(ended.stdout)
    shares = [part["shifted"]["value"] for part in found["positions"]]
    assert shares[0] > shares[-1]
    assert " great" in [row["text"] for row in found["most_shifted"][:4]]
    page = (tmp_path / "report.html").read_text()
    assert "Where does the aligned model depart?" in page
    assert "' great'" in page.replace("&#39;", "'")
    assert json.loads((tmp_path / "token-shift.json").read_text())["tokens"] == found["tokens"]
    planned = CliRunner().invoke(app, [*arguments, "--limit", "8", "--dry-run"])
    assert "'prompts': 8" in planned.stdout


def test_other_tokenizers_are_refused(tiny: CausalPolicy) -> None:
    other = CausalPolicy(load_model("truing/tiny"), load_tokenizer("truing/tiny"), precision="float32")
    assert other.tokenizer is not None
    other.tokenizer.add_tokens(["qx7"])
    with pytest.raises(ModelError, match=r"differ in 1 token, e\.g\. 'qx7'"):
        audit_token_shift(tiny, other, [Shown.of("Hello!")])
