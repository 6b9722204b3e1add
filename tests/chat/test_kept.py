"""Replies of a model on this machine that are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from truing.chat.kept import KeptChat, resumable
from truing.chat.on_device import LocalChat
from truing.policies.generation import Sampling
from truing.rewards.judges.reply_cache import ReplyCache


@dataclass(frozen=True)
class Counted(LocalChat):
    """Repeats what it is told, and counts how often."""

    asked: list[int] = field(default_factory=list)

    def _replies(self, questions: Any, sampling: Sampling) -> list[str]:
        self.asked.append(len(questions))
        return [f"you said {question[-1]['content']}" for question in questions]


def _model(bias: float = 0.0) -> Counted:
    layer = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(layer.weight, 1.0)
    torch.nn.init.constant_(layer.bias, bias)
    policy: Any = SimpleNamespace(inner=layer)
    return Counted(policy, Sampling(temperature=0.0))


def _questions(*texts: str) -> list[Any]:
    return [[{"role": "user", "content": text}] for text in texts]


def test_each_is_asked_once(tmp_path: Path) -> None:
    """Five conversations of which two are the same: four are asked, in parts of three and one."""
    model = _model()
    kept = KeptChat(model, ReplyCache(tmp_path), part=3)
    asked = _questions("a", "b", "a", "c", "d")
    found = kept(asked, str.upper)
    assert found == ["YOU SAID A", "YOU SAID B", "YOU SAID A", "YOU SAID C", "YOU SAID D"]
    assert model.asked == [3, 1]
    again = KeptChat(_model(), ReplyCache(tmp_path))
    assert again(asked, str.upper) == found
    assert again.model.asked == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "other", [_model(bias=1.0), Counted(_model().policy, Sampling(temperature=0.0, max_new_tokens=3))]
)
def test_other_weights_or_settings_are_asked_anew(other: Counted, tmp_path: Path) -> None:
    KeptChat(_model(), ReplyCache(tmp_path))(_questions("a"), str)
    KeptChat(other, ReplyCache(tmp_path))(_questions("a"), str)
    assert other.asked == [1]


def test_what_cannot_be_read_is_read_again_and_not_asked(tmp_path: Path) -> None:
    kept = KeptChat(_model(), ReplyCache(tmp_path))
    assert kept(_questions("a"), lambda reply: None) == [None]
    assert kept(_questions("a"), str) == ["you said a"]


def test_endpoints_keep_their_own(tmp_path: Path) -> None:
    model: Any = SimpleNamespace(name="far away")
    assert resumable(model, tmp_path) is model
    assert resumable(_model(), tmp_path).name == "local model"
