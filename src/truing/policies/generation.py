"""Sample completions in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import GenerationConfig

from truing.errors import ModelError
from truing.policies.causal import CausalPolicy

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Sampling:
    """How completions are drawn.

    Attributes:
        max_new_tokens: longest completion, tokens.
        temperature: 0 takes the most likely token.
        top_p: smallest probability mass that is sampled from.
        seed: the same seed and prompts give the same completions on the same machine.
        batch: prompts in one pass.
        contrast: a in logits (1 + a)·l(· | prompt) − a·l(· | opposite prompt); 0 leaves that out, else work doubles.
        top_k: how many of the likeliest tokens are sampled from; 0 for all.
    """

    max_new_tokens: int = 64
    temperature: float = 0.7
    top_p: float = 1.0
    seed: int = 0
    batch: int = 64
    contrast: float = 0.0
    top_k: int = 0


@torch.no_grad()
def generate(
    policy: CausalPolicy,
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    *,
    opposite: Sequence[Sequence[int]] = (),
    progress: Progress | None = None,
) -> list[list[int]]:
    """One completion for each prompt, as token ids, ended by the end-of-sequence token where one was drawn.

    Prompts are batched by length; random numbers are drawn per batch from ``seed``, so the result does not
    depend on what ran before. The global random state is left as it was.

    Args:
        policy: the model, with its tokenizer.
        prompts: token ids.
        sampling: how to draw.
        opposite: for each prompt what asks for the opposite, e.g. the same under the code for bad answers; needed
            with ``sampling.contrast``, and of the prompt's length.
        progress: called with (prompts done, prompts in all).

    Raises:
        ModelError: if the policy has no tokenizer, or prompts and opposite prompts do not go together.
    """
    _check_contrast(prompts, opposite, sampling)
    tokenizer = policy.tokenizer
    if tokenizer is None:
        raise ModelError("generation needs the model's tokenizer", fix="pass tokenizer= to CausalPolicy")
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    ends = end_tokens(policy)
    config = GenerationConfig(
        max_new_tokens=sampling.max_new_tokens,
        do_sample=sampling.temperature > 0,
        temperature=sampling.temperature if sampling.temperature > 0 else None,
        top_p=sampling.top_p if sampling.temperature > 0 else None,
        top_k=sampling.top_k if sampling.temperature > 0 else None,
        pad_token_id=pad,
        eos_token_id=sorted(ends),
        use_cache=True,
        guidance_scale=1 + sampling.contrast if sampling.contrast else None,
    )
    order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), i))
    found: list[list[int]] = [[] for _ in prompts]
    done = 0
    devices = [policy.device] if policy.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), policy.evaluating():
        for start, part in _parts(order, prompts, sampling):
            torch.manual_seed(sampling.seed * 1_000_003 + start)
            away = [opposite[i] for i in part] if opposite else []
            drawn = _batch(policy, [prompts[i] for i in part], config, pad, away)
            for index, tokens in zip(part, drawn, strict=True):
                found[index] = _cut(tokens, ends)
            done += len(part)
            if progress:
                progress(done, len(prompts))
    return found


def _check_contrast(
    prompts: Sequence[Sequence[int]], opposite: Sequence[Sequence[int]], sampling: Sampling
) -> None:
    if bool(sampling.contrast) != bool(opposite):
        raise ModelError(
            "a contrast needs opposite prompts, and opposite prompts a contrast",
            fix="pass both opposite= and Sampling(contrast=...), or neither",
        )
    if opposite and [len(prompt) for prompt in prompts] != [len(prompt) for prompt in opposite]:
        raise ModelError(
            "opposite prompts differ in number or length from the prompts", allowed="one for each, as long"
        )


def _parts(
    order: Sequence[int], prompts: Sequence[Sequence[int]], sampling: Sampling
) -> Iterator[tuple[int, list[int]]]:
    """Prompts that are answered in one pass, with the place of the first; of one length each where there is a contrast.

    Transformers puts the opposite prompts at positions from 0, padding included.
    """
    start = 0
    while start < len(order):
        part = list(order[start : start + sampling.batch])
        if sampling.contrast:
            part = [index for index in part if len(prompts[index]) == len(prompts[part[0]])]
        yield start, part
        start += len(part)


def _batch(
    policy: CausalPolicy,
    prompts: Sequence[Sequence[int]],
    config: GenerationConfig,
    pad: int,
    opposite: Sequence[Sequence[int]] = (),
) -> list[list[int]]:
    width = max(len(prompt) for prompt in prompts)
    ids = torch.full((len(prompts), width), pad, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(list(prompt))
        mask[row, width - len(prompt) :] = 1
    device = policy.device
    with policy.autocast():
        away = (
            {"negative_prompt_ids": torch.tensor([list(p) for p in opposite], device=device)} if opposite else {}
        )
        out = policy.model.generate(  # type: ignore[operator]
            input_ids=ids.to(device), attention_mask=mask.to(device), generation_config=config, **away
        )
    start = 0 if policy.verdict.layout == "encoder-decoder" else width
    rows: list[list[int]] = out[:, start:].tolist()
    return rows


def end_tokens(policy: CausalPolicy) -> set[int]:
    """The tokenizer's end token and those of the model's own generation configuration.

    Raises:
        ModelError: if the policy has no tokenizer.
    """
    if policy.tokenizer is None:
        raise ModelError("generation needs the model's tokenizer", fix="pass tokenizer= to CausalPolicy")
    configured = getattr(policy.inner.generation_config, "eos_token_id", None)
    extra = configured if isinstance(configured, list) else [configured]
    return {int(policy.tokenizer.eos_token_id), *(int(token) for token in extra if token is not None)}


def _cut(tokens: list[int], ends: set[int]) -> list[int]:
    """Drop what follows the first end token."""
    for place, token in enumerate(tokens):
        if token in ends:
            return tokens[: place + 1]
    return tokens
