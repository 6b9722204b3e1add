"""TRL's side of ``dpo_step.py``: from text to a trained model, at its defaults or with other settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from datasets import Dataset
from setting import SAME
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer


def start(
    model: str, output: str, batch: int, max_length: int, options: dict[str, Any], **_: Any
) -> Callable[..., dict[str, Any]]:
    """Load what is not measured; return the function that works on pairs."""
    tokenizer = AutoTokenizer.from_pretrained(model)

    def work(rows: list[dict[str, str]]) -> dict[str, Any]:
        network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
        begin = time.perf_counter()
        arguments = DPOConfig(
            output_dir=output,
            num_train_epochs=1,
            per_device_train_batch_size=batch,
            max_length=max_length,
            **SAME,
            train_sampling_strategy="sequential",
            use_cpu=not torch.cuda.is_available(),
            **options,
        )
        trainer = DPOTrainer(
            model=network, args=arguments, train_dataset=Dataset.from_list(rows), processing_class=tokenizer
        )
        trainer.train()
        return {
            "seconds": time.perf_counter() - begin,
            "losses": [record["loss"] for record in trainer.state.log_history if "loss" in record],
        }

    return work
