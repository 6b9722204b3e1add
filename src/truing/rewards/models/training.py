"""Training a reward model: the run of :func:`truing.align`, measured as a reward model is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from truing.errors import RecipeError
from truing.evaluation.findings import Finding
from truing.objectives.algebra import Objective
from truing.objectives.algebra.values import head_width
from truing.policies.generation import Progress
from truing.policies.values import RewardPolicy
from truing.recipe import Recipe
from truing.recipe.load import validated
from truing.recipe.yaml_reader import Located, read_file
from truing.rewards.evaluation.findings import finding, pair_findings
from truing.rewards.evaluation.mistakes import surest_mistakes
from truing.rewards.evaluation.pairs import JudgedPairs, PairReport, judge_pairs
from truing.rewards.evaluation.ratings import Respect, rated_answers
from truing.rewards.evaluation.run import subsets_of
from truing.rewards.evaluation.subjects import judged_pairs
from truing.rewards.models.critiques import CritiqueModel, as_critic, longest_critique, without_critiques
from truing.rewards.models.form import RewardForm
from truing.rewards.models.model import RewardModel
from truing.training.align import RunResult, align
from truing.training.listener import Listener
from truing.training.prepare import Prepared, Split
from truing.training.references import Resolved
from truing.writing import write_json, write_text


@dataclass(frozen=True)
class RewardOutcome:
    """A trained reward model on held-out pairs.

    Attributes:
        report: ``None`` where no pairs were held out.
        findings: in sentences.
        respects: how ratings or values of held-out answers are predicted, where the model predicts any.
        given: the same after the critiques in the data, where the model writes its own.
    """

    report: PairReport | None
    findings: list[Finding] = field(default_factory=list)
    respects: dict[str, Respect] = field(default_factory=dict)
    given: PairReport | None = None

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"reward": None if self.report is None else self.report.as_dict()}
        if self.respects:
            found["respects"] = {name: own.as_dict() for name, own in self.respects.items()}
        if self.given is not None:
            found["given_critiques"] = self.given.as_dict()
        return found


@dataclass(frozen=True)
class TrainReward:
    """A reward model is trained: held-out pairs are put in order, and its confidence is compared with that."""

    done: str = "trained as a reward model"
    task: str = "text-classification"

    def check(self, objective: Objective) -> None:
        """Refuse objectives for policies.

        Raises:
            RecipeError: naming the command that takes it.
        """
        if head_width(objective.requires) is None:
            raise RecipeError(
                f"objective {objective.name!r} trains a policy, not a reward model",
                where="objective",
                fix="run this recipe with `truing align`, or choose one for reward models: "
                "`truing methods 'reward model'` lists them",
            )

    def before(self, prepared: Prepared, references: Resolved, progress: Progress | None) -> None:
        """A fresh head says nothing: there is nothing to measure."""

    def after(self, prepared: Prepared, before: None, progress: Progress | None) -> RewardOutcome:
        """Judge the held-out pairs: log-odds into ``evaluation/held_out.jsonl``, the worst into ``mistakes.json``."""
        held = prepared.held_out
        if held is None or held.examples.kind not in ("pairs", "ranked"):
            return RewardOutcome(None)
        assert isinstance(prepared.policy, RewardPolicy)
        model = RewardModel(prepared.recipe.output, prepared.policy, _form(prepared))
        if model.form.lead:
            return _after_critiques(as_critic(model), held, prepared.output)
        if held.examples.kind == "ranked":
            respects = rated_answers(model, prepared.objective, held.examples)
            return RewardOutcome(None, [own.finding(name) for name, own in respects.items()], respects)
        judged = judged_pairs(model, held.examples, subsets_of(held.records, "source"))
        report = _written(judged, held, prepared.output)
        return RewardOutcome(report, pair_findings(report))

    def export(self, prepared: Prepared, model: Path) -> None:
        """Say beside the weights what the head's numbers mean."""
        _form(prepared).save(model)

    def report(self, folder: Path) -> None:
        """Write the page."""
        from truing.report import write_run_report

        write_run_report(folder)


def _form(prepared: Prepared) -> RewardForm:
    """What the head's numbers mean, and how long the critiques are that it learned from."""
    return replace(RewardForm.of(prepared.objective), critique_tokens=longest_critique(prepared.train.examples))


def _written(judged: JudgedPairs, held: Split, output: Path) -> PairReport:
    """Leave verdicts and mistakes in the folder of the run, and add them up."""
    rows = zip(judged.ids, judged.log_odds, judged.lengths, strict=True)
    lines = [
        json.dumps({"id": name, "log_odds": round(float(odds), 5), "tokens": [int(n) for n in lengths]}) + "\n"
        for name, odds, lengths in rows
    ]
    folder = output / "evaluation"
    write_text(folder / "held_out.jsonl", "".join(lines))
    mistakes = surest_mistakes(judged, held.records)
    write_json(folder / "mistakes.json", [mistake.as_dict() for mistake in mistakes])
    return judge_pairs(judged)


def _after_critiques(model: CritiqueModel, held: Split, output: Path) -> RewardOutcome:
    """Judge pairs after the model's own critiques, as in use, and, to compare, after those of the data."""
    subsets = subsets_of(held.records, "source")
    given = judge_pairs(judged_pairs(RewardModel(model.name, model.policy, model.form), held.examples, subsets))
    alone = without_critiques(held.examples, model.lead_length)
    report = _written(judged_pairs(model, alone, subsets), held, output)
    own, theirs = report.accuracy, given.accuracy
    told = finding(
        "given critiques",
        "same",
        f"These are scores after its own critiques. After the critiques in the data it puts {theirs.value:.1%} of the "
        f"pairs in order (95 % interval {theirs.low:.1%} to {theirs.high:.1%}), {theirs.value - own.value:+.1%}.",
        theirs,
    )
    return RewardOutcome(report, [*pair_findings(report), told], given=given)


class RewardRecipe(Recipe):
    """A recipe of ``truing reward``."""

    objective: Any = "bradley-terry"
    """A name, a mapping {name: gpm, width: 6}, or a list of mappings: a weighted sum."""


def reward_recipe(recipe: RewardRecipe | Mapping[str, Any] | str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Read and check a recipe.

    Raises:
        RecipeError: if a key is unknown, wrong, or has no effect on reward models.
    """
    if isinstance(recipe, RewardRecipe):
        recipe = recipe.model_dump(mode="json", exclude_unset=True)
    read = isinstance(recipe, str | Path)
    document = (
        read_file(Path(recipe)) if isinstance(recipe, str | Path) else Located(dict(recipe), {}, "the recipe")
    )
    checked = validated(document, overrides, RewardRecipe)
    for key in ("evaluation", "reference"):
        if key in checked.model_fields_set:
            raise RecipeError(
                f"{key} has no effect: a reward model writes no answers and is compared with no other model",
                where=f"{document.name}, {key}" if read else key,
                fix="remove it",
            )
    return checked


def train_reward(
    recipe: RewardRecipe | Mapping[str, Any] | str | Path,
    *overrides: str,
    resume: bool = False,
    listener: Listener | None = None,
) -> RunResult:
    """Train a reward model.

    Args:
        recipe: as for :func:`truing.align`; the objective is ``bradley-terry`` if left out.
        overrides: changes as on the command line.
        resume: go on with a run that was interrupted.
        listener: hears about progress.

    Returns:
        As :func:`truing.align`; ``model`` is a folder that ``AutoModelForSequenceClassification`` loads, with
        ``reward.json`` beside the weights.

    Raises:
        TruingError: on anything the user can mend.
    """
    return align(reward_recipe(recipe, overrides), resume=resume, listener=listener, purpose=TrainReward())
