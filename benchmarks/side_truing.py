"""Truing's side of ``dpo_step.py``: from text to a trained model."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from setting import SAME
from torch.utils.data import DataLoader
from transformers import TrainingArguments

from truing.data.sources import load
from truing.data.text import TextEncoder
from truing.objectives import dpo
from truing.policies.causal import CausalPolicy
from truing.policies.loading import load_model, load_tokenizer
from truing.policies.reference_cache import reference_logps
from truing.training.examples import ExampleData
from truing.training.memory import micro_batch_tokens
from truing.training.reference import Precomputed
from truing.training.step import PreferenceStep, References
from truing.training.trainer import PreferenceTrainer


class InOrder(PreferenceTrainer):
    """Takes the pairs as they come, as the other side does, so that losses can be compared step by step."""

    def get_train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(range(len(self.step.data)), batch_size=self.global_batch, collate_fn=list)  # type: ignore[arg-type]


def start(
    model: str, output: str, batch: int, max_length: int, precision: str, **_: Any
) -> Callable[..., dict[str, Any]]:
    """Load what is not measured; return the function that works on pairs."""
    tokenizer = load_tokenizer(model)

    def work(rows: list[dict[str, str]]) -> dict[str, Any]:
        network = load_model(model)
        begin = time.perf_counter()
        policy = CausalPolicy(network, tokenizer, precision=precision)  # type: ignore[arg-type]
        encoded = TextEncoder(tokenizer, max_length=max_length).encode(load(rows))
        data = ExampleData(encoded.dataset, "pairs")
        budget = micro_batch_tokens(
            network, policy.inner, checkpointing=False, low=policy.precision.autocast is not None
        )
        reference = reference_logps(policy, data.trees(range(len(data))), budget=budget, use_cache=False)
        step = PreferenceStep(policy, dpo(), data, References(Precomputed(reference)), budget=budget)
        arguments = TrainingArguments(
            output_dir=output,
            max_steps=-(-len(data) // batch),
            per_device_train_batch_size=batch,
            **SAME,
            use_cpu=not torch.cuda.is_available(),
        )
        trainer = InOrder(step, arguments, global_batch=batch)
        trainer.train()
        seconds = time.perf_counter() - begin
        report = encoded.report
        return {
            "seconds": seconds,
            "losses": [record["loss"] for record in trainer.state.log_history if "loss" in record],
            "prompt_tokens": report.prompt_tokens.total / len(rows),
            "completion_tokens": report.completion_tokens.total / (2 * len(rows)),
            "scoring": policy.verdict.layout,
        }

    return work
