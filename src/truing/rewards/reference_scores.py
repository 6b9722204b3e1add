"""Statistics of a reference policy from the texts that it wrote, made once and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from truing.errors import DataError
from truing.policies.fingerprint import of_values
from truing.rewards.algebra import Origin, Prompt, ReferenceStats, Rewards, prompt_key
from truing.rewards.algebra.reference_files import load, save

Samples = Sequence[Sequence[str]]
Score = Callable[..., Rewards]
"""From prompts and completions (and columns, where given) to raw rewards, as ``Pipeline.score``."""


def reference_stats(
    score: Score,
    prompts: Sequence[Prompt],
    samples: Samples,
    origin: Origin,
    columns: Mapping[str, Sequence[Any]] | None = None,
) -> ReferenceStats:
    """What is said of a reference policy's answers before any transform.

    Args:
        score: of the pipeline that will use the statistics.
        prompts: different ones.
        samples: answers to each prompt; their number may differ.
        origin: what decides about the result.
        columns: of the prompts' records, where scorers read any; one value a prompt.

    Raises:
        DataError: if a prompt has no answer.
    """
    if len(samples) != len(prompts):
        raise DataError(f"there are samples for {len(samples)} prompts, and {len(prompts)} prompts")
    for place, own in enumerate(samples):
        if not own:
            raise DataError("the reference has no answer to a prompt", where=f"prompt {place}")
    pairs = [(prompt, text) for prompt, own in zip(prompts, samples, strict=True) for text in own]
    texts = ([prompt for prompt, _ in pairs], [text for _, text in pairs])
    if columns is None:
        rewards = score(*texts)
    else:
        counts = [len(own) for own in samples]
        repeated = {
            name: [value for value, count in zip(values, counts, strict=True) for _ in range(count)]
            for name, values in columns.items()
        }
        rewards = score(*texts, repeated)
    longest = max(len(own) for own in samples)
    table = rewards.values.new_full((len(prompts), longest, len(rewards.names)), torch.nan)
    start = 0
    for place, own in enumerate(samples):
        table[place, : len(own)] = rewards.values[start : start + len(own)]
        start += len(own)
    return ReferenceStats.of(table, rewards.names, prompts, origin)


def kept_reference_stats(
    folder: Path,
    score: Score,
    prompts: Sequence[Prompt],
    draw: Callable[[], Samples],
    *,
    policy: str,
    scorer: str,
    sampling: Mapping[str, Any],
    columns: Mapping[str, Sequence[Any]] | None = None,
) -> ReferenceStats:
    """The statistics from a folder, where they are; else made from new samples, and written there.

    Args:
        folder: holds a file for each origin.
        score, prompts, columns: see :func:`reference_stats`.
        draw: samples the reference policy; not called where the statistics are there.
        policy, scorer: fingerprints.
        sampling: all that decides what is drawn, its seed included.
    """
    keys = [prompt_key(prompt) for prompt in prompts]
    origin = Origin(policy, scorer, dict(sampling), of_values(keys))
    path = folder / f"{origin.key}.safetensors"
    if path.exists():
        return load(path, origin)
    made = reference_stats(score, prompts, draw(), origin, columns)
    save(made, path)
    return made
