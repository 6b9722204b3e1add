"""A small language model of dialogues in which users react: they thank for answers that match, and complain otherwise.

Most answers in the dialogues do not match, and the most frequent one never does, so that a likely answer is a bad one.
How often users say anything about the answer at all differs from topic to topic.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree

TOPICS = 4
POSITIVE = ["thanks", "well done"]
NEGATIVE = ["wrong", "not so"]
USER = " user "
_EMPTY, _NEUTRAL = "phrase", "anyway"
"""The answer that is given most and matches nothing, and a reply that says nothing."""
_NOISE = 0.1
_MATCHING, _EMPTY_SHARE = 0.12, 0.4
_STEPS, _BATCH = 300, 96
_LENGTH = 6

PROMPTS = [f"topic{number} " for number in range(TOPICS)]
ANSWERS = [*(f"answer{number}" for number in range(TOPICS)), _EMPTY]
_WORDS = ["</s>", *(text.strip() for text in (*PROMPTS, *ANSWERS)), USER.strip(), "thanks", "well", "done", "wrong",
          "not", "so", _NEUTRAL]  # fmt: skip


@dataclass(frozen=True)
class Reactions:
    """A world, and a model that has learned it.

    Attributes:
        policy: the model.
        reacts: how often users of each topic say anything about the answer, shape ``[topics]``.
    """

    policy: CausalPolicy
    reacts: np.ndarray

    @contextmanager
    def folder(self) -> Iterator[str]:
        """The model with its tokenizer, as a folder that is there while the block runs."""
        with tempfile.TemporaryDirectory() as path:
            self.policy.inner.save_pretrained(path)
            _tokenizer().save_pretrained(path)
            yield path

    def answer_logps(self) -> Float[Tensor, "topics answers"]:
        """Log p(answer | topic) under the model, nats."""
        trees = [Tree([_id(prompt.strip())], [[_id(answer)] for answer in ANSWERS]) for prompt in PROMPTS]
        with self.policy.evaluating():
            scores = self.policy.score_all(trees)
        return scores.total(scores.token_logps).double().view(TOPICS, -1)


@lru_cache(maxsize=8)
def reactions(seed: int) -> Reactions:
    """A random world, and a model that was trained on its dialogues."""
    rng = np.random.default_rng((seed, 1))
    reacts = rng.permutation(np.linspace(0.1, 0.95, TOPICS))
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(_WORDS),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=32,
        pad_token_id=None,
        bos_token_id=None,
        eos_token_id=0,
        initializer_range=0.2,
    )
    model = LlamaForCausalLM(config)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=_STEPS)
    for ids in _dialogues(rng, reacts, _STEPS * _BATCH).split(_BATCH):
        optimizer.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        schedule.step()
    return Reactions(CausalPolicy(model, precision="float32"), reacts)


def _dialogues(rng: np.random.Generator, reacts: np.ndarray, count: int) -> Int[Tensor, "dialogues words"]:
    """Token ids of topic, answer and reply, ended and filled up to one length."""
    topic = rng.integers(TOPICS, size=count)
    other = (topic + rng.integers(1, TOPICS, size=count)) % TOPICS
    kind = rng.random(count)
    answer = np.where(kind < _MATCHING, topic, np.where(kind < _MATCHING + _EMPTY_SHARE, TOPICS, other))
    content = (answer == topic) != (rng.random(count) < _NOISE)
    said = np.where(content, rng.integers(2, size=count), 2 + rng.integers(2, size=count))
    said = np.where(rng.random(count) < reacts[topic], said, 4)
    replies = [[_id(USER.strip()), *map(_id, reply.split())] for reply in (*POSITIVE, *NEGATIVE, _NEUTRAL)]
    ends = [reply + [_id("</s>")] * (_LENGTH - 2 - len(reply)) for reply in replies]
    topics = np.array([_id(prompt.strip()) for prompt in PROMPTS])
    answers = np.array([_id(word) for word in ANSWERS])
    rows = np.concatenate([topics[topic][:, None], answers[answer][:, None], np.array(ends)[said]], 1)
    return torch.from_numpy(rows)


def _id(word: str) -> int:
    return _WORDS.index(word)


def _tokenizer() -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({word: number for number, word in enumerate(_WORDS)}, unk_token="</s>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=words, eos_token="</s>")
