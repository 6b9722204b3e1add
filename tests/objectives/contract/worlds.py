"""Batches put together from records, so that they can be split, filtered, permuted and repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from truing.objectives.algebra import Batch, DataKind, LossOutput, Objective, ObjectiveState, Scores
from truing.objectives.algebra.crediting import CREDITED
from truing.objectives.algebra.credits import BATCH_MEAN, BATCH_STD
from truing.objectives.algebra.critiques import CRITIQUE
from truing.objectives.algebra.values import as_values, head_width
from truing.policies.distributions import compared_models
from truing.policies.two_tokens import derived_values
from truing.training.roles import joined, roles

SIZES: dict[DataKind, int] = {"pairs": 2, "unpaired": 1, "demonstrations": 1, "unwanted": 1, "samples": 3}


def parts_of(objective: Objective) -> dict[str, DataKind]:
    """The parts that an objective takes, each in the first layout that suits it."""
    found = objective.part_data
    return {name: next(kind for kind in SIZES if kind in found[name]) for name in sorted(found)}


@dataclass(frozen=True)
class Answer:
    """One completion: per-token log-probabilities of policy and reference, and log Σ_v π(v)²."""

    policy: Tensor
    reference: Tensor
    collision: Tensor


@dataclass(frozen=True)
class Record:
    """One record with everything that any objective may ask for."""

    answers: tuple[Answer, ...]
    mismatched: Answer
    reward: Tensor
    margin: float
    liked: bool
    parts: Mapping[str, tuple[DataKind, tuple[Answer, ...]]]
    weight: float = 1.0

    @property
    def everything(self) -> list[Answer]:
        """Its own answers, then those of its parts."""
        return [*self.answers, *(one for _, part in self.parts.values() for one in part)]


@dataclass(frozen=True)
class World:
    """What an objective is called with."""

    scores: Scores
    batch: Batch
    auxiliary: Scores

    @property
    def policy(self) -> Tensor:
        """The leaf that gradients are taken with respect to."""
        return self.scores.token_logps


def answer(generator: torch.Generator, length: int, spread: float, largest: float = 8.0) -> Answer:
    """A completion whose summed log-ratio has about the given spread (nats)."""
    policy = -largest * torch.rand(length, generator=generator, dtype=torch.float64) - 0.01
    shift = spread * torch.randn((), generator=generator, dtype=torch.float64)
    noise = 0.1 * min(1.0, spread) * torch.randn(length, generator=generator, dtype=torch.float64)
    collision = -3.0 * torch.rand(length, generator=generator, dtype=torch.float64)
    # The reference is above or below the policy by the shift, spread over the tokens; log-probabilities are <= 0.
    reference = policy - shift / length + noise
    lift = reference.clamp(min=-0.01) + 0.01
    return Answer(policy - lift, reference - lift, collision)


def records(
    kind: DataKind,
    count: int = 6,
    *,
    seed: int = 0,
    spread: float = 3.0,
    length: int | None = None,
    objective: Objective | None = None,
) -> list[Record]:
    """Random records of a kind, with the parts that an objective takes; lengths 1 to 9 unless one is given."""
    generator = torch.Generator().manual_seed(seed)

    def number(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=generator))

    def one() -> Answer:
        return answer(generator, length or number(1, 10), spread)

    found = []
    for index in range(count):
        size = SIZES[kind] if kind != "ranked" else number(2, 5)
        found.append(
            Record(
                answers=tuple(one() for _ in range(size)),
                mismatched=one(),
                reward=torch.randn(size, generator=generator, dtype=torch.float64),
                margin=float(torch.rand((), generator=generator)),
                liked=kind == "demonstrations" or (kind != "unwanted" and index % 2 == 0),
                parts={
                    name: (part, tuple(one() for _ in range(SIZES[part])))
                    for name, part in (parts_of(objective) if objective else {}).items()
                },
            )
        )
    return found


def assemble(kind: DataKind, given: Sequence[Record], dtype: torch.dtype = torch.float64) -> World:
    """The batch of these records, in this order; the policy's log-probabilities are a leaf with gradient."""
    own = roles(kind, [_row(record, record.answers) for record in given])
    parts = {
        name: roles(kind_of_part, [_row(record, record.parts[name][1]) for record in given])
        for name, (kind_of_part, _) in given[0].parts.items()
    }
    batch = joined(own, parts) if parts else own
    weight = torch.tensor([record.weight for record in given], dtype=dtype)
    margin = torch.tensor([record.margin for record in given], dtype=dtype)
    batch = replace(
        batch,
        weight=weight,
        margin=margin if kind == "pairs" else None,
        reward=None if batch.reward is None else batch.reward.to(dtype),
        parts={
            name: replace(part, weight=weight, margin=margin if part.paired else None)
            for name, part in batch.parts.items()
        },
    )
    answers = [one for record in given for one in record.everything]
    others = [record.mismatched for record in given]
    return World(_scores(answers, dtype, leaf=True), batch, _scores(others, dtype, leaf=False))


def _row(record: Record, answers: Sequence[Answer]) -> dict[str, Any]:
    """What the roles of a row are made from, with every column that an objective may want."""
    return {
        "completion_ids": [[0] * len(one.policy) for one in answers],
        "label": record.liked,
        "scores": record.reward.tolist()[: len(answers)],
        # The policy that drew samples was a little surer of each; what they are worth has nothing to do with that.
        "rewards": [float(k % 2) + 0.1 * float(one.collision.mean()) for k, one in enumerate(answers)],
        BATCH_MEAN: 0.4,
        BATCH_STD: 0.3,
        "proposals": [float(one.policy.sum()) + record.margin for one in answers],
        # The second half of every answer is a critique of the first.
        CRITIQUE: [float((len(one.policy) + 1) // 2) for one in answers],
        "density_ratio": 0.2 + 3 * record.margin,
        "mean_logp:truing/tiny": -4 * record.margin,
        "source:source": float(record.liked),
    }


def _scores(answers: Sequence[Answer], dtype: torch.dtype, *, leaf: bool) -> Scores:
    lengths = torch.tensor([len(one.policy) for one in answers])
    return Scores(
        token_logps=torch.cat([one.policy for one in answers]).to(dtype).requires_grad_(leaf),
        sequence=torch.repeat_interleave(torch.arange(len(answers)), lengths),
        count=len(answers),
        reference=torch.cat([one.reference for one in answers]).to(dtype),
        signals={"log_collision": torch.cat([one.collision for one in answers]).to(dtype)},
        # Drawn by the policy as it is: a constant, also where the policy is varied.
        drawn=torch.cat([one.policy for one in answers]).to(dtype),
    )


def derived(objective: Objective, scores: Scores) -> Scores:
    """The scores with what the objective derives from whole distributions, of two tokens, masks and a reward head.

    All other models are as the reference, but for the one before the teacher's alignment. Masks and values are ⅓, ⅔,
    1, ⅓, …; tokens that get credit get 1.
    """
    width = head_width(objective.requires)
    if width is not None:
        # The reward is a tenth of the answer's log-probability: of the size of a reward, with gradient.
        values = as_values(scores.total(scores.token_logps) / 10, width)
        # Whatever the head reads; a head of one output reads states of one number here.
        scores = replace(scores, values=values, states=1 + values.detach()[:, :1])
    if CREDITED in objective.requires:
        one = torch.ones_like(scores.token_logps.detach())
        scores = replace(scores, signals={**scores.signals, "advantage": one, "return": one, "old_value": one})
    names = [name.removeprefix("derived:") for name in objective.requires if name.startswith("derived:")]
    if not names:
        return scores
    assert scores.reference is not None
    models = {model: scores.reference for name in names for model in ("reference", *compared_models(name))}
    models["before"] = 0.5 * scores.reference - 0.1
    masks = (1 + scores.position % 3).to(scores.token_logps) / 3
    return replace(scores, derived=derived_values(names, scores.token_logps, models, masks))


def statistics(objective: Objective, world: World) -> ObjectiveState:
    """The state after the first global batch."""
    scores = derived(objective, world.scores.detach())
    return objective.update(objective.init(), scores, world.batch, world.auxiliary)


def evaluate(
    objective: Objective,
    world: World,
    state: ObjectiveState | None = None,
    denominators: Tensor | None = None,
) -> LossOutput:
    """The loss of a world, with its own batch statistics unless a state is given."""
    state = statistics(objective, world) if state is None else state
    return objective(derived(objective, world.scores), world.batch, state, denominators=denominators)


def loss_and_gradients(
    objective: Objective,
    kind: DataKind,
    given: Sequence[Record],
    state: ObjectiveState | None = None,
    denominators: Tensor | None = None,
) -> tuple[float, list[Tensor]]:
    """The loss, and its gradient for each record with respect to the record's tokens."""
    world = assemble(kind, given)
    out = evaluate(objective, world, state, denominators)
    (gradient,) = torch.autograd.grad(out.loss, world.policy)
    sizes = [sum(len(one.policy) for one in record.everything) for record in given]
    return float(out.loss.detach()), list(gradient.split(sizes))


def with_weight(record: Record, weight: float) -> Record:
    """The record with another weight."""
    return replace(record, weight=weight)


def changed(given: Sequence[Record], change: Callable[[Answer], Answer]) -> list[Record]:
    """The records with every answer changed."""
    return [
        replace(
            r,
            answers=tuple(change(one) for one in r.answers),
            parts={name: (of, tuple(change(one) for one in part)) for name, (of, part) in r.parts.items()},
        )
        for r in given
    ]
