"""A small random model behind a service, and somebody who listens."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from truing.decoding.engine import ModelEngine
from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling
from truing.policies.loading import load_tokenizer
from truing.prompting.transform import Shown
from truing.serving.asked import Asked, Ended, Piece

ROOM = 128
PATIENCE = 30.0


@cache
def engine() -> ModelEngine:
    """Random weights, so that answers differ, and the packaged tokenizer."""
    torch.manual_seed(0)
    tokenizer = load_tokenizer("truing/tiny")
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=ROOM,
        initializer_range=0.5,
        eos_token_id=tokenizer.eos_token_id,
    )
    return ModelEngine(CausalPolicy(LlamaForCausalLM(config).eval(), tokenizer, precision="float32"))


def asked(text: str = "Hello", *, tokens: int = 8, seed: int = 0, **more: Any) -> Asked:
    """A short question, and how it is to be answered."""
    settings = {name: more.pop(name) for name in ("temperature", "top_p", "top_k") if name in more}
    sampling = Sampling(max_new_tokens=tokens, seed=seed, **{"temperature": 1.0, **settings})
    return Asked(more.pop("prompt", Shown.of(text)), sampling, **more)


class Heard:
    """What a request was told."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.begun = threading.Event()
        self._done = threading.Event()

    def __call__(self, event: Any) -> None:
        self.events.append(event)
        self.begun.set()
        if not isinstance(event, Piece):
            self._done.set()

    def end(self) -> Any:
        """The last thing that was told."""
        assert self._done.wait(PATIENCE), f"no end after {self.events}"
        return self.events[-1]

    def texts(self) -> list[str]:
        """The answers."""
        ended = self.end()
        assert isinstance(ended, Ended), ended
        return [
            "".join(piece.text for piece in own)
            for _, own in sorted(self._by_choice().items())
            if own[-1].finish and not any(piece.finish for piece in own[:-1])
        ]

    def _by_choice(self) -> dict[int, list[Piece]]:
        found: dict[int, list[Piece]] = {}
        for piece in self.events[:-1]:
            found.setdefault(piece.choice, []).append(piece)
        return found


class Gate:
    """Work that keeps the model busy until it is opened."""

    def __init__(self) -> None:
        self.reached, self._open = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self._open.wait(PATIENCE)

    def open(self) -> None:
        self._open.set()
