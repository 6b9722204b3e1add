"""What all cells share, done once: the starting model's answers, its scores of held-out pairs, and the reference.

``base/prompts.json`` holds the prompts and the held-out pairs as token ids; ``base/answers.json`` what the starting
model says to the former, ``base/pairs.json`` how likely it finds the latter. Reference values for training go to the
cache that every run reads, so that no run has to compute any.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from truing.arenas.plan import ArenaPlan, trees_of
from truing.data.views import view
from truing.errors import DataError, TruingError
from truing.evaluation import samples
from truing.evaluation.samples import Answers
from truing.policies.causal import CausalPolicy, sequence_logps
from truing.policies.generation import Sampling
from truing.policies.loading import load_tokenizer
from truing.policies.packing import Tree
from truing.recipe import Recipe
from truing.training.prepare import prepare
from truing.training.references import resolve_references
from truing.training.trained_model import load_policy
from truing.writing import write_json

FOLDER = "base"


@dataclass(frozen=True)
class Exam:
    """What every model is asked.

    Attributes:
        prompts: token ids, each as often as it is answered.
        per_prompt: answers to one prompt, which stand in a row.
        pair_ids: held-out pairs; empty where the data hold none.
        pairs: their token ids; the chosen answer first.
    """

    prompts: list[list[int]]
    per_prompt: int
    pair_ids: list[str]
    pairs: list[Tree]

    @classmethod
    def read(cls, output: Path) -> Exam:
        stored = json.loads((output / FOLDER / "prompts.json").read_text(encoding="utf-8"))
        pairs = [Tree(pair["prompt"], pair["branches"]) for pair in stored["pairs"]]
        return cls(stored["prompts"], stored["per_prompt"], stored["pair_ids"], pairs)

    def write(self, output: Path) -> None:
        write_json(output / FOLDER / "prompts.json", asdict(self))


def sampling(base: Recipe) -> Sampling:
    """How answers are drawn: the same for all models and seeds."""
    evaluation = base.evaluation
    return Sampling(
        max_new_tokens=evaluation.max_new_tokens,
        temperature=evaluation.temperature,
        seed=base.training.seed,
    )


def exam_of(plan: ArenaPlan) -> Exam:
    """Prompts and pairs from the held-out records, whatever objectives read them as."""
    recipe = plan.cells[0].recipe
    tokenizer = load_tokenizer(recipe.model.tokenizer or recipe.model.name, revision=recipe.model.revision)
    try:
        records = view(plan.held_out, ["pairs"], ranked_as=recipe.data.ranked_as)
    except DataError:
        records = plan.held_out
    trees = trees_of(records, recipe, tokenizer)
    evaluation = plan.arena.base.evaluation
    wanted = evaluation.judged_prompts if evaluation.judge else evaluation.samples
    distinct = list(dict.fromkeys(tuple(tree.prompt) for tree in trees))[:wanted]
    pairs = trees if records.kind == "pairs" else []
    ids = [str(i) for i in records.dataset["id"]] if pairs else []
    times = evaluation.answers_per_prompt
    return Exam([list(prompt) for prompt in distinct for _ in range(times)], times, ids, list(pairs))


def prepare_shared(plan: ArenaPlan) -> None:
    """Do what is missing of the shared work. May be killed and called again.

    Raises:
        TruingError: if data or model cannot be used.
    """
    output = plan.arena.output
    folder = output / FOLDER
    if not (folder / "prompts.json").exists():
        exam_of(plan).write(output)
    exam = Exam.read(output)
    if not (folder / "pairs.json").exists() or not (folder / "answers.json").exists():
        recipe = plan.cells[0].recipe.model_copy(
            update={"training": plan.arena.base.training.model_copy(update={"peft": None, "compile": False})}
        )
        tokenizer = load_tokenizer(recipe.model.tokenizer or recipe.model.name, revision=recipe.model.revision)
        policy = load_policy(recipe, tokenizer)
        write_json(folder / "pairs.json", {"logps": pair_logps(policy, exam)})
        write_json(
            folder / "answers.json", samples.answer(policy, exam.prompts, sampling(plan.arena.base)).as_dict()
        )
    if not (folder / "reference.json").exists():
        write_json(folder / "reference.json", _reference(plan))


def pair_logps(policy: CausalPolicy, exam: Exam) -> list[float]:
    """Log-probability of each held-out answer, nats; chosen and rejected by turns."""
    if not exam.pairs:
        return []
    with policy.evaluating():
        found: list[float] = sequence_logps(policy.score_all(exam.pairs)).double().cpu().tolist()
    return found


def read_answers(path: Path) -> Answers:
    """Answers that were written as JSON."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Answers(stored["tokens"], stored["texts"])


def _reference(plan: ArenaPlan) -> list[dict[str, Any]]:
    """Fill the reference cache: one pass for each different need, whichever objectives share it."""
    done: dict[str, dict[str, Any]] = {}
    for cell, work in zip(plan.cells, plan.work, strict=True):
        if work.reference_key is None or work.reference_key in done:
            continue
        start = time.perf_counter()
        try:
            reused = resolve_references(prepare(cell.recipe)).reused
        except TruingError:
            continue  # the cell will say so itself, and the others go on
        done[work.reference_key] = {
            "key": work.reference_key,
            "kind": work.kind,
            "records": work.records,
            "tokens": work.reference_tokens,
            "times": {"reused": reused, "seconds": time.perf_counter() - start},
        }
    for key, entry in done.items():
        sharing = [c.name for c, w in zip(plan.cells, plan.work, strict=True) if w.reference_key == key]
        entry["cells"] = len(sharing)
    return list(done.values())
