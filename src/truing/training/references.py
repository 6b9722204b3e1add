"""The reference's log-probabilities for a whole run: on disk, or computed in every step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from truing.policies import fingerprint
from truing.policies.causal import CausalPolicy
from truing.policies.loading import load_model
from truing.policies.reference_cache import Progress, ReferenceLogps, reference_logps
from truing.training.derived import resolve_derived
from truing.training.examples import ExampleData
from truing.training.prepare import Prepared
from truing.training.reference import Live, Precomputed
from truing.training.self_samples import PART, Refreshed, SampledRows
from truing.training.step import References


@dataclass(frozen=True)
class Resolved:
    """Reference values for training and held-out records.

    Attributes:
        train, held_out: for the two steps.
        policy: the reference model, where one stays in memory.
        held_out_values: per-token values of the held-out completions, where they were computed beforehand.
        reused: share of the training records whose values were on disk already; nan where none were needed.
    """

    train: References
    held_out: References
    policy: CausalPolicy | None = None
    held_out_values: np.ndarray | None = None
    reused: float = float("nan")


def resolve_references(prepared: Prepared, progress: Progress | None = None) -> Resolved:
    """Compute, find or set up what the objective needs of a reference, and of other models."""
    found = _log_probabilities(prepared, progress)
    derived = resolve_derived(prepared, found.policy)
    train, held_out = (replace(references, derived=derived) for references in (found.train, found.held_out))
    return replace(found, train=train, held_out=held_out)


def _log_probabilities(prepared: Prepared, progress: Progress | None) -> Resolved:
    if "reference" not in prepared.objective.requires:
        return Resolved(References(), References())
    recipe = prepared.recipe
    moving = recipe.reference.sync_every is not None
    policy = prepared.policy
    separate = recipe.reference.model is not None or moving
    if separate:
        policy = starting_policy(prepared, recipe.reference.model)
    if recipe.online is not None and not separate and not policy.has_adapter:
        policy = starting_policy(prepared)
    if moving or recipe.online is not None:
        # What is compared changes from step to step: the reference's answers, or those that it is asked about.
        source = Live(policy, prepared.budget)
        both = References(source, source)
        return Resolved(both, both, policy)
    weights = None
    if recipe.reference.cache:
        weights = prepared.weights if policy is prepared.policy else fingerprint.of_parameters(policy.model)

    def values(data: ExampleData, *, mismatched: bool, report: Progress | None) -> ReferenceLogps:
        everything = range(len(data))
        return reference_logps(
            policy,
            data.mismatched_trees(everything) if mismatched else data.trees(everything),
            budget=prepared.budget,
            use_cache=recipe.reference.cache,
            weights=weights,
            progress=report,
        )

    def sources(data: ExampleData, report: Progress | None) -> tuple[References, ReferenceLogps]:
        own = values(data, mismatched=False, report=report)
        other = None
        if data.mismatch is not None:
            other = Precomputed(values(data, mismatched=True, report=report))
        parts = {name: values(part.data, mismatched=False, report=None) for name, part in data.parts.items()}
        return References(Precomputed(own, data, parts), other), own

    train, own = sources(prepared.train.examples, progress)
    held_out, held_values = References(), None
    if prepared.held_out is not None:
        held_out, found = sources(prepared.held_out.examples, None)
        held_values = None if separate else found.values
    return Resolved(train, held_out, None, held_values, own.reused)


def refreshed_samples(prepared: Prepared, references: Resolved) -> Refreshed | None:
    """What draws new samples during training, where the recipe asks for it."""
    section = prepared.recipe.data.self_samples
    part = prepared.train.examples.parts.get(PART)
    source = references.train.own
    if section.refresh_every is None or part is None or not isinstance(part.data.rows, SampledRows):
        return None

    def score(data: ExampleData) -> ReferenceLogps:
        policy = prepared.policy
        if not policy.has_adapter or prepared.recipe.reference.model is not None:
            policy = starting_policy(prepared, prepared.recipe.reference.model)
        return reference_logps(policy, data.trees(range(len(data))), budget=prepared.budget, use_cache=False)

    values = source if isinstance(source, Precomputed) else None
    return Refreshed(
        part.data.rows, values, score, section, prepared.recipe.training.seed, prepared.policy, prepared.budget
    )


def starting_policy(prepared: Prepared, other: str | None = None) -> CausalPolicy:
    """A second, frozen model in memory: the starting model as it was, or another one by name."""
    recipe = prepared.recipe
    model = load_model(
        other or recipe.model.name,
        revision=None if other else recipe.model.revision,
        dtype=prepared.policy.inner.dtype,
        device=prepared.policy.device,
    )
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return CausalPolicy(model, prepared.tokenizer, precision=recipe.training.precision)
