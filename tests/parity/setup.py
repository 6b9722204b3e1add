"""A tiny language model, real bytes as tokens, and TRL's trainers around them, in float32 on the CPU."""

from __future__ import annotations

import copy
import gzip
import json
import os
import random
import types
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from datasets import Dataset, disable_progress_bars
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
disable_progress_bars()

from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer  # noqa: E402
from trl.experimental.cpo import CPOConfig, CPOTrainer  # noqa: E402
from trl.experimental.orpo import ORPOConfig, ORPOTrainer  # noqa: E402

Row = dict[str, Any]


def tokenizer() -> PreTrainedTokenizerFast:
    """Every byte is a token, so any text works and nothing has to be downloaded."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({letter: index for index, letter in enumerate(letters)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>"
    )


def model(seed: int = 0) -> LlamaForCausalLM:
    """A random Llama of 40 thousand parameters."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer()),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        initializer_range=0.2,
    )
    return LlamaForCausalLM(config).eval()


def perturbed(base: LlamaForCausalLM, scale: float = 0.02, seed: int = 1) -> LlamaForCausalLM:
    """A copy whose every weight is moved, so that policy and reference differ by a few nats an answer."""
    other = copy.deepcopy(base)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in other.parameters():
            weight.add_(scale * torch.randn(weight.shape, generator=generator))
    return other


def random_pairs(count: int = 5, seed: int = 0) -> list[Row]:
    """Pairs of random letters: prompts of 1 to 12, answers of 1 to 24 (and an end-of-sequence token)."""
    rng = random.Random(seed)

    def text(low: int, high: int) -> str:
        return "".join(rng.choice("abcdefgh ?.") for _ in range(rng.randint(low, high)))

    return [{"prompt": text(1, 12), "chosen": text(1, 24), "rejected": text(1, 24)} for _ in range(count)]


def hh_pairs(data: Path, count: int = 5, longest: int = 220) -> list[Row]:
    """The first short pairs of HH-RLHF harmless-base, split after the last "Assistant:"."""
    rows = []
    with gzip.open(data / "hh-rlhf" / "harmless-base-test.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            pair = json.loads(line)
            turn = "\n\nAssistant:"
            prompt, _, chosen = pair["chosen"].rpartition(turn)
            other, _, rejected = pair["rejected"].rpartition(turn)
            total = len((prompt + chosen + rejected).encode())
            if prompt == other and chosen and rejected and chosen != rejected and total < longest:
                rows.append({"prompt": prompt + turn, "chosen": chosen, "rejected": rejected})
            if len(rows) == count:
                break
    return rows


def unpaired(pairs: Sequence[Row]) -> list[Row]:
    """One completion a row: liked ones and disliked ones in turn."""
    return [
        {"prompt": row["prompt"], "completion": row[side], "label": side == "chosen"}
        for index, row in enumerate(pairs)
        for side in (("chosen", "rejected")[index % 2],)
    ]


def exact_head(language_model: LlamaForCausalLM) -> None:
    """Exchange TRL's fused output head, which computes in float32, for plain logits in the model's own precision.

    TRL's loss code stays as it is; it sees the same quantities with more digits.
    """

    def forward(self: LlamaForCausalLM, labels: Tensor, fused_lm_head: bool, **inputs: Any) -> SimpleNamespace:
        logits = type(self).forward(self, **inputs).logits[:, :-1]
        every, wanted = logits.log_softmax(-1), labels[:, 1:]
        own = every.gather(-1, wanted.clamp(min=0)[..., None])[..., 0]
        with torch.no_grad():
            squares, entropy = (2 * every).logsumexp(-1), -(every.exp() * every).sum(-1)
        return SimpleNamespace(
            log_probs=own.masked_fill(wanted == -100, 0.0),
            log_sum_sq_probs=squares.masked_fill(wanted == -100, 0.0),
            entropy=entropy,
            mean_logits=logits.detach().mean(-1),
            is_top1=every.argmax(-1) == wanted,
        )

    language_model.forward = types.MethodType(forward, language_model)


COMMON: dict[str, Any] = {
    "use_cpu": True,
    "bf16": False,
    "gradient_checkpointing": False,
    "report_to": [],
    "save_strategy": "no",
    "disable_tqdm": True,
    "per_device_train_batch_size": 64,
}


def _in_its_precision(trainer: Any) -> Any:
    """TRL's own head in float32, an exact one in float64."""
    if trainer.model.dtype == torch.float64:
        exact_head(trainer.model)
        exact_head(trainer.ref_model)
    return trainer


def dpo_trainer(
    folder: Path, policy: LlamaForCausalLM, reference: LlamaForCausalLM, rows: Sequence[Row], **config: Any
) -> DPOTrainer:
    trainer = DPOTrainer(
        model=copy.deepcopy(policy),
        ref_model=copy.deepcopy(reference),
        args=DPOConfig(output_dir=str(folder), max_length=None, **{**COMMON, **config}),
        train_dataset=Dataset.from_list(list(rows)),
        processing_class=tokenizer(),
    )
    return _in_its_precision(trainer)


def kto_trainer(
    folder: Path, policy: LlamaForCausalLM, reference: LlamaForCausalLM, rows: Sequence[Row], **config: Any
) -> KTOTrainer:
    trainer = KTOTrainer(
        model=copy.deepcopy(policy),
        ref_model=copy.deepcopy(reference),
        args=KTOConfig(output_dir=str(folder), max_length=None, **{**COMMON, **config}),
        train_dataset=Dataset.from_list(list(rows)),
        processing_class=tokenizer(),
    )
    return _in_its_precision(trainer)


def cpo_trainer(folder: Path, policy: LlamaForCausalLM, rows: Sequence[Row], **config: Any) -> CPOTrainer:
    return CPOTrainer(
        model=copy.deepcopy(policy),
        args=CPOConfig(output_dir=str(folder), **{**COMMON, **config}),
        train_dataset=Dataset.from_list(list(rows)),
        processing_class=tokenizer(),
    )


def orpo_trainer(folder: Path, policy: LlamaForCausalLM, rows: Sequence[Row], **config: Any) -> ORPOTrainer:
    return ORPOTrainer(
        model=copy.deepcopy(policy),
        args=ORPOConfig(output_dir=str(folder), **{**COMMON, **config}),
        train_dataset=Dataset.from_list(list(rows)),
        processing_class=tokenizer(),
    )
