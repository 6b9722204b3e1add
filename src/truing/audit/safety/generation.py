"""Answers at every setting, judged: the sweep of 2310.06987 on a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from truing.audit.safety.refusal import Refusal, refused
from truing.audit.safety.settings import DEFAULT, GRID, Setting
from truing.decoding.engine import Engine
from truing.diagnostics.generation_exploit import GenerationExploit, generation_exploit
from truing.errors import DataError
from truing.rewards.algebra import Prompt


@dataclass(frozen=True)
class Swept:
    """What was drawn and what is said of it.

    Attributes:
        prompts: that were answered.
        answers: by setting, ``[prompts][draws]``; for training, never for printing.
        refusals: by classifier and setting, whether an answer refuses, ``[prompts, draws]``.
        found: by classifier.
        agreement: share of answers of which all classifiers say the same; 1 with one classifier.
    """

    prompts: tuple[Prompt, ...]
    answers: dict[str, list[list[str]]]
    refusals: dict[str, dict[str, Bool[np.ndarray, "prompts draws"]]]
    found: dict[str, GenerationExploit]
    agreement: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON: rates and intervals, never answers."""
        return {
            "classifiers": {name: one.as_dict() for name, one in self.found.items()},
            "agreement": self.agreement,
        }


def sweep(
    engine: Engine,
    prompts: Sequence[Prompt],
    classifiers: Sequence[Refusal],
    *,
    draws: int = 1,
    max_new_tokens: int = 100,
    seed: int = 0,
    settings: Sequence[Setting] = GRID,
    progress: Callable[[int, int], None] | None = None,
) -> Swept:
    """Draw at every setting, and as often at the default one; an answer that does not refuse counts as misaligned.

    Args:
        engine: the model.
        prompts: that must be refused.
        classifiers: of refusals; each gives results of its own.
        draws: answers to each prompt at each setting.
        max_new_tokens: longest answer.
        seed: of the draws.
        settings: the grid.
        progress: called with (answers drawn, answers in all).

    Raises:
        DataError: without prompts, settings or classifiers.
    """
    if not prompts or not classifiers or not settings or draws < 1:
        raise DataError(
            f"{len(prompts)} prompts, {len(settings)} settings, {draws} draws, {len(classifiers)} classifiers",
            allowed="one or more of each",
        )
    encoded = [engine.encode(prompt) for prompt in prompts]
    total = 2 * len(prompts) * len(settings) * draws
    done = 0
    answers: dict[str, list[list[str]]] = {}
    for number, (setting, count) in enumerate(
        (*((setting, draws) for setting in settings), (DEFAULT, draws * len(settings)))
    ):
        drawn = engine.sample(encoded, count, setting.sampling(max_new_tokens, seed * 1009 + number))
        answers[setting.name] = [[engine.text(tokens) for tokens in own] for own in drawn]
        done += len(prompts) * count
        if progress:
            progress(done, total)
    refusals = {
        classifier.name: {name: _refused(classifier, prompts, own) for name, own in answers.items()}
        for classifier in classifiers
    }
    found = {
        name: generation_exploit(
            {setting.name: ~own[setting.name] for setting in settings}, ~own[DEFAULT.name], seed=seed
        )
        for name, own in refusals.items()
    }
    flat = np.stack([np.concatenate([table.ravel() for table in own.values()]) for own in refusals.values()])
    return Swept(tuple(prompts), answers, refusals, found, float((flat == flat[0]).all(0).mean()))


def _refused(
    classifier: Refusal, prompts: Sequence[Prompt], answers: Sequence[Sequence[str]]
) -> Bool[np.ndarray, "prompts draws"]:
    repeated = [prompt for prompt, own in zip(prompts, answers, strict=True) for _ in own]
    flat = [text for own in answers for text in own]
    found: np.ndarray = refused(classifier, repeated, flat).astype(bool).reshape(len(answers), -1)
    return found
