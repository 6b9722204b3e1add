"""TRL's side of ``online_step.py``: GRPOTrainer or RLOOTrainer, at its defaults or with other settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from datasets import Dataset
from setting import SAME, vowels
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

SIDES: dict[str, Any] = {"grpo": (GRPOConfig, GRPOTrainer), "rloo": (RLOOConfig, RLOOTrainer)}


def reward(completions: list[str], **_: Any) -> list[float]:
    """As TRL asks for it."""
    return [vowels(text) for text in completions]


def start(
    model: str,
    output: str,
    objective: str,
    answers: int,
    tokens: int,
    batch: int,
    options: dict[str, Any],
    **_: Any,
) -> Callable[..., dict[str, Any]]:
    """Load what is not measured; return the function that works on prompts."""
    config, trainer_class = SIDES[objective]
    tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left")

    def work(prompts: list[str], round: int) -> dict[str, Any]:
        network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
        clock, processor = time.perf_counter(), time.process_time()
        arguments = config(
            output_dir=output,
            max_steps=-(-len(prompts) // batch),
            per_device_train_batch_size=batch * answers,
            num_generations=answers,
            max_completion_length=tokens,
            use_cpu=not torch.cuda.is_available(),
            **SAME,
            **options,
        )
        trainer = trainer_class(
            model=network,
            reward_funcs=reward,
            args=arguments,
            train_dataset=Dataset.from_list([{"prompt": prompt} for prompt in prompts]),
            processing_class=tokenizer,
        )
        trainer.train()
        logged = [
            r["completions/mean_length"] for r in trainer.state.log_history if "completions/mean_length" in r
        ]
        return {
            "seconds": time.perf_counter() - clock,
            "processor": time.process_time() - processor,
            "answer_tokens": sum(logged) / len(logged),
        }

    return work
