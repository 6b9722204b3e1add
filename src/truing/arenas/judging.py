"""Asking a trained model: answers to the shared prompts, distance from the starting model, held-out pairs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from truing.arenas.shared import Exam, pair_logps, sampling
from truing.evaluation import samples
from truing.policies.causal import DEFAULT_SCORING_TOKENS, CausalPolicy
from truing.policies.loading import load_model, load_tokenizer
from truing.recipe import Recipe
from truing.training.trained_model import load_policy
from truing.writing import write_json

FILE = "arena.json"
KL_PROMPTS = 64


def measure(recipe: Recipe, base: Recipe, output: Path) -> dict[str, Any]:
    """Put the exam to the model of a finished run; what was measured before is read.

    Args:
        recipe: of the run, whose folder holds the model.
        base: of the arena, which says how answers are drawn.
        output: of the arena.

    Returns:
        ``tokens`` and ``texts`` of the answers; ``kl``, nats for each of some further answers at temperature 1;
        ``pair_logps``, nats, chosen and rejected by turns.
    """
    path = Path(recipe.output) / FILE
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    exam = Exam.read(output)
    folder = f"{recipe.output}/model"
    tokenizer = load_tokenizer(folder)
    start = load_policy(_plain(recipe), tokenizer)
    model: Any = load_model(folder, dtype=start.inner.dtype, device=start.device)
    trained = CausalPolicy(model, tokenizer, precision=recipe.training.precision)
    drawn = sampling(base)
    answers = samples.answer(trained, exam.prompts, drawn)
    prompts = exam.prompts[:: exam.per_prompt][:KL_PROMPTS]
    at_one = samples.answer(trained, prompts, replace(drawn, temperature=1.0, seed=drawn.seed + 1))
    own, theirs = (
        samples.score_answers(policy, prompts, at_one, DEFAULT_SCORING_TOKENS) for policy in (trained, start)
    )
    kl = samples.kl_of_samples(own, theirs)
    values = {**answers.as_dict(), "kl": kl.tolist(), "pair_logps": pair_logps(trained, exam)}
    write_json(path, values)
    return values


def _plain(recipe: Recipe) -> Recipe:
    """The starting model as it is: no adapter, nothing compiled."""
    training = recipe.training.model_copy(update={"peft": None, "compile": False, "gradient_checkpointing": False})
    return recipe.model_copy(update={"training": training})
