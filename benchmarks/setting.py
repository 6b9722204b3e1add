"""What the benchmarks run on: a model of a known size with random weights, and real preference pairs."""

from __future__ import annotations

import gzip
import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MARK = "\n\nAssistant:"
# Training arguments that both sides share, whatever their defaults are.
SAME = {"learning_rate": 1e-6, "logging_steps": 1, "save_strategy": "no", "report_to": [], "disable_tqdm": True}


@dataclass(frozen=True)
class Size:
    """A Llama configuration."""

    hidden: int = 384
    inner: int = 1024
    layers: int = 6
    heads: int = 6
    vocabulary: int = 8192

    @property
    def matrix_parameters(self) -> int:
        """Parameters of the layers' matrices: what every token is multiplied with, the head aside."""
        return self.layers * (4 * self.hidden**2 + 3 * self.hidden * self.inner)


def write_model(folder: Path, size: Size) -> None:
    """A random Llama with the packaged tokenizer, in float32."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    from truing.assets import tiny_model

    tokenizer = AutoTokenizer.from_pretrained(tiny_model())
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.hidden,
        intermediate_size=size.inner,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    shutil.rmtree(folder, ignore_errors=True)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def pairs(path: Path | None, count: int, seed: int = 0) -> list[dict[str, str]]:
    """Preference pairs as ``prompt``, ``chosen`` and ``rejected`` text, in a random order.

    Args:
        path: HH-RLHF transcripts, ``.jsonl`` or ``.jsonl.gz``; the packaged sample where it is ``None``.
        count: how many; they repeat where the file has fewer.
        seed: of the order.
    """
    if path is None:
        from truing.assets import preference_sample

        path = preference_sample()
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        found = [pair for line in file if (pair := _split(json.loads(line)))]
    random.Random(seed).shuffle(found)
    return [found[i % len(found)] for i in range(count)]


def long_prompts(model: Path, path: Path | None, count: int, length: int) -> list[str]:
    """Real text as prompts of about ``length`` tokens each; transcripts are joined where one is short."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = pairs(path, 40 * count)
    found, text = [], ""
    for row in rows:
        text += row["prompt"] + row["chosen"]
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(ids) >= length:
            found.append(tokenizer.decode(ids[:length]))
            text = ""
        if len(found) == count:
            return found
    raise SystemExit(f"the data are too short for {count} prompts of {length} tokens")


def vowels(text: str) -> float:
    """A reward that costs nothing: the share of vowels."""
    return sum(letter in "aeiou" for letter in text) / max(1, len(text))


def _split(row: dict[str, str]) -> dict[str, str] | None:
    end = row["chosen"].rfind(MARK) + len(MARK)
    prompt = row["chosen"][:end]
    if end < len(MARK) or not row["rejected"].startswith(prompt) or MARK in row["rejected"][end:]:
        return None
    chosen, rejected = row["chosen"][end:], row["rejected"][end:]
    return (
        {"prompt": prompt, "chosen": chosen, "rejected": rejected} if chosen.strip() and rejected.strip() else None
    )


def flops_per_pair(size: Size, tokens: Sequence[int]) -> float:
    """Multiply-adds times two for one pair: the reference forward, the policy forward and backward.

    Every distinct token once, the head on completion tokens only; attention's own products (a few per cent at these
    lengths) are left out.

    Args:
        size: of the model.
        tokens: mean tokens of prompt, chosen and rejected.
    """
    body = 2.0 * size.matrix_parameters * sum(tokens)
    head = 2.0 * size.hidden * size.vocabulary * (tokens[1] + tokens[2])
    return 4.0 * (body + head)
