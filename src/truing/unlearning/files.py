"""Measurements and masks of models and suites that lie in folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast, get_args

import torch

from truing.errors import TruingError
from truing.policies.causal import CausalPolicy
from truing.policies.loading import load_model, load_tokenizer
from truing.unlearning.masks import save_mask
from truing.unlearning.measure import UnlearningReport, measure
from truing.unlearning.metrics.answers import encode
from truing.unlearning.metrics.relearning import Attack
from truing.unlearning.metrics.truth_ratio import Averaging
from truing.unlearning.selection import density
from truing.unlearning.sets import How
from truing.unlearning.suite import Suite
from truing.unlearning.weight_mask import Selection, weight_mask
from truing.writing import atomic_path


def measure_files(
    model: str,
    folder: str | Path,
    *,
    retrained: str | None = None,
    relearn: float | None = None,
    steps: int = 10,
    learning_rate: float = 1e-4,
    max_new_tokens: int = 64,
    averaging: str = "arithmetic",
    chat_template: str | None = None,
    output: Path | None = None,
) -> UnlearningReport:
    """Measure a model in a folder; see :func:`truing.unlearning.measure.measure`.

    Args:
        model: folder, checkpoint of a run, or hub name.
        folder: of the suite.
        retrained: a model that was trained without the forget set.
        relearn: share of the forget set that is taught again, if any.
        steps, learning_rate: of that.
        max_new_tokens: longest generated answer; 0 leaves generation out.
        averaging: of the truth ratio.
        chat_template: for tokenizers that have none.
        output: JSONL file for one object per question.

    Raises:
        TruingError: on anything the user can mend.
    """
    if averaging not in get_args(Averaging):
        raise TruingError(
            f"unknown averaging {averaging!r}", where="--averaging", allowed=", ".join(get_args(Averaging))
        )
    suite = Suite.load(folder)
    tokenizer = load_tokenizer(model)
    found = measure(
        policy_of(model),
        tokenizer,
        suite,
        None if retrained is None else policy_of(retrained),
        how=How(chat_template, max_new_tokens, cast("Averaging", averaging)),
        relearning=None if relearn is None else Attack(relearn, steps, learning_rate),
    )
    if output is not None:
        with atomic_path(output) as partial, partial.open("w", encoding="utf-8") as handle:
            for name, measured in found.model.sets.items():
                for row in measured.rows():
                    handle.write(json.dumps({"set": name, **row}, ensure_ascii=False) + "\n")
    return found


def mask_file(
    model: str, folder: str | Path, output: Path, how: Selection, *, chat_template: str | None = None
) -> dict[str, float]:
    """Choose the weights of a model in a folder, and write the mask.

    Args:
        model: before unlearning.
        folder: of the suite.
        output: safetensors file.
        how: rule and share.
        chat_template: for tokenizers that have none.

    Returns:
        Density of each tensor, and of ``"all"``.

    Raises:
        TruingError: on anything the user can mend.
    """
    suite = Suite.load(folder)
    tokenizer = load_tokenizer(model)
    forget = encode(suite.forget, tokenizer, chat_template)
    retain = encode(suite.retain, tokenizer, chat_template) if suite.retain else None
    mask = weight_mask(policy_of(model), forget, retain, how)
    save_mask(mask, output)
    return density(mask)


def policy_of(name: str) -> CausalPolicy:
    """The model of that folder or name, on the GPU where there is one."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return CausalPolicy(load_model(name, device=device), load_tokenizer(name))
