"""A reward model as a reward of text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.data import tokenizers_for_tests
from tests.jobs import model_folder, pairs
from truing import load_data
from truing.errors import ModelError, ObjectiveError
from truing.policies.loading import load_tokenizer
from truing.policies.packing import Tree
from truing.policies.reward_loading import load_reward_model
from truing.policies.values import set_padding
from truing.rewards.models.form import RewardForm
from truing.rewards.models.model import RewardModel
from truing.rewards.models.scorer import ModelScorer, reward_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random reward model with its tokenizer."""
    start = model_folder(tmp_path_factory.mktemp("language"))
    path = tmp_path_factory.mktemp("reward")
    tokenizer = load_tokenizer(str(start))
    model = load_reward_model(str(start), 1, seed=3)
    set_padding(model, tokenizer)
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def test_text_gets_the_reward_of_its_tokens(folder: Path) -> None:
    """Prompts in any order, some of them asked about twice: as the same records through the data path."""
    rows = pairs(5, seed=2)
    scorer = reward_model.configure({"model": str(folder)})
    asked = [(row["prompt"], row[side]) for row in rows for side in ("chosen", "rejected")]
    asked = [asked[i] for i in (3, 2, 0, 1, 9, 4, 5, 8, 6, 7)]
    found = scorer([prompt for prompt, _ in asked], [answer for _, answer in asked])
    assert found.names == ("reward-model",)

    model = RewardModel.load(str(folder))
    encoded = model.encode(load_data(rows)).dataset
    expected = {}
    for row, tokens in zip(rows, encoded, strict=True):
        for side, ids in zip(("chosen", "rejected"), tokens["completion_ids"], strict=True):
            expected[row["prompt"], row[side]] = float(model.rewards([Tree(tokens["prompt_ids"], [ids])])[0])
    torch.testing.assert_close(
        found.values[:, 0],
        torch.tensor([expected[pair] for pair in asked], dtype=torch.float64),
        atol=1e-5,
        rtol=1e-5,
    )


def test_conversations_go_through_the_template(folder: Path) -> None:
    scorer = ModelScorer(RewardModel.load(str(folder)), 256)
    said: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]
    plain, talk = scorer(["hello", said], ["fine", "fine"]).values[:, 0]
    assert torch.isfinite(torch.stack([plain, talk])).all()
    assert float((plain - talk).abs()) > 1e-4


def test_an_empty_answer_has_no_reward(folder: Path) -> None:
    found = ModelScorer(RewardModel.load(str(folder)), 256)(["hello", "hello"], ["", "fine"])
    assert found.valid[:, 0].tolist() == [False, True]


def test_what_gives_answers_no_reward_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ObjectiveError, match="reward-model has no model"):
        reward_model.configure({})
    with pytest.raises(ModelError, match="is no reward model"):
        reward_model.configure({"model": "truing/tiny"})
    start = load_reward_model(str(model_folder(tmp_path / "start")), 2)
    start.save_pretrained(tmp_path / "skew")
    tokenizers_for_tests.llama_3().save_pretrained(tmp_path / "skew")
    RewardForm("skew").save(tmp_path / "skew")
    with pytest.raises(ModelError, match="compares answers and gives none a reward of its own"):
        reward_model.configure({"model": str(tmp_path / "skew")})
