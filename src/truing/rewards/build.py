"""From what a recipe says about rewards to the pipeline that it describes.

rewards: [sentiment, harmlessness]
transform: [lsc-transform]
combine: sum

rewards: [sentiment, harmlessness]
transform: [z-score, {name: clip, low: -3, high: 3, on: [sentiment]}]
combine: weighted-sum
weights: {name: constant, weights: {sentiment: 1, harmlessness: 2}}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from truing.errors import ObjectiveError, RecipeError, did_you_mean
from truing.recipe.online import RewardsSection
from truing.rewards.algebra import AnswerScorer, RecordScorer, ReferenceStats, Scorer, Transform
from truing.rewards.lookup import named, piece, pieces
from truing.rewards.methods import PLAIN, REWARDS
from truing.rewards.pipeline import Pipeline
from truing.rewards.renamed import Renamed
from truing.rewards.scorers import SCORERS, load_scorer
from truing.rewards.transforms.on import On

ScorerOf = Callable[[object, str], Scorer | RecordScorer]
"""From what a recipe says of one reward, and where, to the reward."""


def build(
    section: RewardsSection,
    reference: ReferenceStats | None = None,
    where: str = "rewards",
    *,
    scorer: ScorerOf | None = None,
) -> Pipeline:
    """The pipeline that a recipe describes.

    Args:
        section: of the recipe.
        reference: statistics of the reference's raw scores, if they are there already; else see
            :meth:`~truing.rewards.pipeline.Pipeline.with_reference`.
        where: key path of the section, for error messages.
        scorer: makes each reward; by default :func:`scorer_of`.

    Raises:
        RecipeError: on an unknown name or pieces that do not fit together.
        ObjectiveError: on an unknown hyper-parameter or a value out of bounds.
    """
    one = scorer or scorer_of
    scorers = tuple(one(spec, f"{where}.rewards[{i}]") for i, spec in enumerate(section.rewards))
    names = [name for scorer in scorers for name in scorer.names]
    try:
        made = Pipeline(
            scorers,
            tuple(_transform(spec, names, f"{where}.transform[{i}]") for i, spec in enumerate(section.transform)),
            _made(section.combine, "reward combiner", f"{where}.combine"),
            _made(section.weights, "reward weighter", f"{where}.weights"),
            section.missing,
        )
    except RecipeError as error:
        inside = error.where if error.where and error.where.startswith(where) else f"{where}.{error.where}"
        raise RecipeError(error.what, where=inside, allowed=error.allowed, fix=error.fix) from None
    return made if reference is None else made.with_reference(reference)


def _made(spec: object, kind: str, where: str) -> Any:
    if spec is None:
        return None
    name, values = named(spec, kind, where)
    found = piece(name, kind, where)
    try:
        return found.configure(values, where)
    except ObjectiveError as error:
        raise ObjectiveError(
            error.what, where=error.where or where, allowed=error.allowed, fix=error.fix
        ) from None


def _transform(spec: object, names: list[str], where: str) -> Transform:
    name, values = named(spec, "reward transform", where)
    chosen = values.pop("on", None)
    made: Transform = _made({"name": name, **values}, "reward transform", where)
    if chosen is None:
        return made
    if not isinstance(chosen, list) or not chosen:
        raise RecipeError(f"{chosen!r} is no list of objectives", where=f"{where}.on", allowed=", ".join(names))
    for objective in chosen:
        if objective not in names:
            raise RecipeError(
                f"there is no objective {objective!r}",
                where=f"{where}.on",
                allowed=", ".join(names),
                fix=did_you_mean(str(objective), names),
            )
    return On(made, tuple(chosen))


def scorer_of(spec: object, where: str) -> Scorer | RecordScorer:
    """A registered reward, or a scorer of the package, by another name where ``as`` gives one.

    Args:
        spec: its name, or a mapping with ``name`` and hyper-parameters.
        where: key path, for error messages.

    Raises:
        RecipeError: on an unknown name.
        ObjectiveError: on an unknown hyper-parameter or a value out of bounds.
    """
    name, values = named(spec, "reward", where)
    label = values.pop("as", None)
    made = _scorer_named(name, values, where)
    return made if label is None else Renamed.of(made, label, f"{where}.as")


def _scorer_named(name: str, values: dict[str, Any], where: str) -> Scorer | RecordScorer:
    if name in REWARDS or name in PLAIN:
        made: Scorer | RecordScorer = _made({"name": name, **values}, "reward", where)
        return made
    if name not in SCORERS:
        known = [entry.name for entry in pieces("reward")] + [entry.name for entry in SCORERS]
        raise RecipeError(
            f"unknown reward {name!r}", where=where, allowed=", ".join(known), fix=did_you_mean(name, known)
        )
    if values:
        raise RecipeError(
            f"the scorer {name!r} has no key {next(iter(values))!r}", where=where, allowed="name, as"
        )
    return AnswerScorer(load_scorer(name))
