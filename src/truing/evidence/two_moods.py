"""A small language model that answers in one of two moods, and answers of which one mood is wanted.

A Llama of one layer has learned answers of two words: cheerful or gloomy ones, each mood half of the time. It is
trained with control codes by the trainer itself, and judged on all answers that it could give.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, PrinterCallback, TrainingArguments

from truing.objectives import Objective
from truing.objectives.algebra import DataKind
from truing.objectives.algebra.control import code_request
from truing.policies.causal import CausalPolicy
from truing.policies.control_codes import BAD, GOOD, ControlCodes, start_codes
from truing.policies.packing import Tree
from truing.training.derived import TrainedAlong
from truing.training.examples import ExampleData
from truing.training.fronts import Fronts
from truing.training.step import PreferenceStep, References
from truing.training.trainer import PreferenceTrainer

STEPS, BATCH, RECORDS = 100, 8, 96
RATE = 2e-4
"""Learning rate of the model."""

_PROMPTS, _WORDS, _FIRST = 6, 5, 6
_CHEERFUL = range(_FIRST, _FIRST + _WORDS)
_VOCABULARY = _FIRST + 2 * _WORDS
_EVERY = [[first, second] for first in range(_VOCABULARY) for second in range(_VOCABULARY)]
_MOOD = torch.tensor(
    [sum(1 if word in _CHEERFUL else -1 if word >= _FIRST else 0 for word in a) / 2 for a in _EVERY]
)
_RIGHT = 0.9
"""Share of chosen answers that are cheerful, and of rejected ones that are gloomy."""


class Rows:
    """Records in memory, as a data set gives them."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, numbers: list[int]) -> dict[str, list[Any]]:
        return {name: [self.rows[i][name] for i in numbers] for name in self.rows[0]}


@dataclass(frozen=True)
class Trained:
    """A model after training, with its codes.

    Attributes:
        policy: with codes attached.
        codes: as trained.
        moved: whether any weight of the model differs from before.
    """

    policy: CausalPolicy
    codes: ControlCodes
    moved: bool

    def mood(self, level: str) -> float:
        """Expected mood of answers under a code: 1 is cheerful, −1 gloomy; mean over prompts."""
        return _mood(self._logps(level))

    def gap(self, chosen: Int[Tensor, "prompts words"]) -> float:
        """Log π(y | c for wanted) − log π(y | c for unwanted) of one answer to each prompt, nats; mean."""
        place = (chosen[:, 0] * _VOCABULARY + chosen[:, 1])[:, None]
        wanted, unwanted = (self._logps(level).gather(1, place) for level in (GOOD, BAD))
        return float((wanted - unwanted).mean())

    def _logps(self, level: str) -> Float[Tensor, "prompts answers"]:
        return _every_answer(self.policy, self.codes.ids(level))


@dataclass(frozen=True)
class Moods:
    """A world.

    Attributes:
        weights: of the starting model.
        words: probabilities of the words of a mood, by prompt, shape ``[prompts, words]``.
        seed: of everything that is random.
    """

    weights: Mapping[str, Tensor]
    words: np.ndarray
    seed: int

    def cheerful(self) -> Int[Tensor, "prompts words"]:
        """The likeliest cheerful answer to each prompt."""
        best = torch.tensor(self.words.argmax(-1)) + _FIRST
        return torch.stack([best, best], -1)

    def start_mood(self) -> float:
        """Expected mood of the starting model's answers."""
        return _mood(_every_answer(_policy(self.weights), ()))

    def train(self, objective: Objective, kind: DataKind = "pairs", *, held: bool = False) -> Trained:
        """Train the starting model.

        Args:
            objective: asks for the codes.
            kind: pairs, or single answers with labels.
            held: stop when the model would begin to learn.
        """
        request = code_request(objective.requires)
        assert request is not None
        policy = _policy(self.weights)
        codes = start_codes(policy, request.tokens, range(_PROMPTS), self.seed)
        fronts = Fronts(codes.ids(GOOD), codes.ids(BAD))
        data = ExampleData(Rows(self._rows(kind)), kind, fronts=fronts)
        alone = round(request.alone * STEPS)
        step = PreferenceStep(policy, objective, data, References(), budget=4096)
        _run(step, codes, request.rate, alone, alone if held else STEPS, self.seed)
        moved = any(not torch.equal(now, self.weights[name]) for name, now in policy.model.state_dict().items())
        return Trained(policy, codes, moved)

    def _rows(self, kind: DataKind) -> list[dict[str, Any]]:
        rng = np.random.default_rng((self.seed, 3))
        found: list[dict[str, Any]] = []
        for number in range(RECORDS):
            prompt = int(rng.integers(_PROMPTS))
            answers = [
                self.answer(rng, prompt, cheerful) for cheerful in (rng.random() < _RIGHT, rng.random() > _RIGHT)
            ]
            row = {"id": str(number), "prompt_ids": [prompt]}
            if kind == "pairs":
                found.append({**row, "completion_ids": answers})
            else:
                found += [
                    {**row, "completion_ids": [answer], "label": label}
                    for answer, label in zip(answers, (True, False), strict=True)
                ]
        return found

    def answer(self, rng: np.random.Generator, prompt: int, cheerful: bool) -> list[int]:
        """An answer to a prompt in one mood."""
        words = rng.choice(_WORDS, size=2, p=self.words[prompt])
        return [int(word) + _FIRST + (0 if cheerful else _WORDS) for word in words]


@lru_cache(maxsize=8)
def moods(seed: int) -> Moods:
    """A random world, and a model that knows both moods."""
    rng = np.random.default_rng((seed, 1))
    world = Moods({}, rng.dirichlet(np.ones(_WORDS), size=_PROMPTS), seed)
    torch.manual_seed(seed)
    policy = _policy({})
    optimizer = torch.optim.Adam(policy.model.parameters(), lr=1e-2)
    for _ in range(80):
        prompts = rng.integers(_PROMPTS, size=32).tolist()
        trees = [Tree([p], [world.answer(rng, p, rng.random() < 0.5)]) for p in prompts]
        optimizer.zero_grad()
        (-policy.score(trees).token_logps.mean()).backward()
        optimizer.step()
    weights = {name: value.detach().clone() for name, value in policy.model.state_dict().items()}
    return Moods(weights, world.words, seed)


def _every_answer(policy: CausalPolicy, front: Sequence[int]) -> Float[Tensor, "prompts answers"]:
    """Log-probabilities of all answers, nats."""
    with policy.evaluating():
        scores = policy.score_all([Tree([*front, prompt], _EVERY) for prompt in range(_PROMPTS)])
    return scores.total(scores.token_logps).double().view(_PROMPTS, -1)


def _mood(logps: Float[Tensor, "prompts answers"]) -> float:
    return float((logps.exp() * _MOOD).sum(-1).mean())


def _policy(weights: Mapping[str, Tensor]) -> CausalPolicy:
    config = LlamaConfig(
        vocab_size=_VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        pad_token_id=None,
        bos_token_id=None,
        eos_token_id=None,
        initializer_range=0.2,
    )
    model = LlamaForCausalLM(config)
    if weights:
        model.load_state_dict(weights)
    return CausalPolicy(model, precision="float32")


def _run(step: PreferenceStep, codes: ControlCodes, rate: float, alone: int, steps: int, seed: int) -> None:
    modules = nn.ModuleDict({"codes": codes})
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            max_steps=steps,
            learning_rate=RATE,
            lr_scheduler_type="constant",
            per_device_train_batch_size=BATCH,
            save_strategy="no",
            logging_steps=steps,
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
            seed=seed,
        )
        trainer = PreferenceTrainer(
            step,
            arguments,
            global_batch=BATCH,
            companions=[TrainedAlong(modules)],
            trained_along=modules,
            rates={"codes": rate},
            held_steps=alone,
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
