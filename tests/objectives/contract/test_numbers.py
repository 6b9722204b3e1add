"""Precision: dtypes, and gradients against finite differences."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from truing.objectives.algebra import Batch, DataKind, Scores
from truing.objectives.algebra.policy_gradient import PROPOSAL

from .cases import build, every_layout
from .worlds import assemble, derived, evaluate, records, statistics


@every_layout
def test_float64_agrees_with_float32(name: str, kind: DataKind) -> None:
    objective, given = build(name), records(kind, 8, objective=build(name))
    wide = evaluate(objective, assemble(kind, given, torch.float64))
    narrow = evaluate(objective, assemble(kind, given, torch.float32))
    assert wide.loss.dtype == wide.per_example.dtype == torch.float64
    assert narrow.loss.dtype == narrow.per_example.dtype == torch.float32
    assert float(narrow.loss.detach()) == pytest.approx(float(wide.loss.detach()), rel=1e-5, abs=1e-6)
    torch.testing.assert_close(narrow.per_example.double(), wide.per_example, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
@every_layout
def test_half_precision_is_summed_in_float32(name: str, kind: DataKind, half: torch.dtype) -> None:
    """300 tokens of about −0.3: a bfloat16 sum would stop moving, and could not even count them."""
    objective, given = build(name), records(kind, 4, length=300, objective=build(name))
    world = assemble(kind, given, torch.float32)
    assert world.scores.reference is not None
    signals = derived(objective, world.scores).signals
    short = {
        "token_logps": world.scores.token_logps.detach().to(half),
        "reference": world.scores.reference.to(half),
        "signals": {key: value.to(half) for key, value in signals.items()},
    }
    long = {
        "token_logps": short["token_logps"].float(),
        "reference": short["reference"].float(),
        "signals": {key: value.float() for key, value in short["signals"].items()},
    }
    state = statistics(objective, world)
    # Derived values are float32 from the start: their distributions never were of half precision.
    completed = derived(objective, world.scores)
    given_both = replace(world.scores, derived=completed.derived, values=completed.values)
    losses = [objective(replace(given_both, **values), world.batch, state).loss for values in (short, long)]
    assert losses[0].dtype == torch.float32
    assert torch.equal(*losses)
    assert replace(world.scores, **short).lengths.tolist() == [300.0] * world.scores.count


def constant_weights(scores: Scores, batch: Batch, start: Tensor) -> tuple[Scores, Batch]:
    """The reference and the policy that drew samples follow the policy, so that what compares them stays constant."""
    moved = scores.token_logps.detach() - start
    samples = batch.parts["samples"]
    proposal = samples.per_sequence[PROPOSAL] + replace(scores, token_logps=moved).total(moved)
    parts = {**batch.parts, "samples": replace(samples, per_sequence={PROPOSAL: proposal})}
    assert scores.reference is not None
    return replace(scores, reference=scores.reference + moved), replace(batch, parts=parts)


@every_layout
def test_the_gradient_is_that_of_finite_differences(name: str, kind: DataKind) -> None:
    objective, given = build(name), records(kind, 5, seed=3, objective=build(name))
    world = assemble(kind, given)
    state = statistics(objective, world)
    # A detached weight is no function of the policy: keep it constant while the policy is varied.
    offset = world.scores.signals["log_collision"] - world.policy.detach()
    # gradcheck varies the leaf in place.
    start = world.policy.detach().clone()

    def loss(policy: Tensor) -> Tensor:
        scores: Scores = replace(
            world.scores, token_logps=policy, signals={"log_collision": policy.detach() + offset}
        )
        batch = world.batch
        if "sample:proposal" in objective.requires:
            scores, batch = constant_weights(scores, batch, start)
        return objective(derived(objective, scores), batch, state).loss

    assert torch.autograd.gradcheck(loss, (world.policy,), eps=1e-6, atol=1e-7, rtol=1e-5)


@every_layout
def test_gradient_flows_into_the_policy_only(name: str, kind: DataKind) -> None:
    objective = build(name)
    world = assemble(kind, records(kind, 6, objective=build(name)))
    sources = {
        "reference": world.scores.reference.clone().requires_grad_(),
        "signal": world.scores.signals["log_collision"].clone().requires_grad_(),
        "mismatched": world.auxiliary.token_logps.clone().requires_grad_(),
        "weight": world.batch.weights.clone().requires_grad_(),
        "margin": torch.ones(6, dtype=torch.float64, requires_grad=True),
    }
    batch = replace(world.batch, weight=sources["weight"], margin=sources["margin"])
    if batch.reward is not None:
        sources["reward"] = batch.reward.clone().requires_grad_()
        batch = replace(batch, reward=sources["reward"])
    scores = derived(
        objective,
        replace(world.scores, reference=sources["reference"], signals={"log_collision": sources["signal"]}),
    )
    auxiliary = replace(world.auxiliary, token_logps=sources["mismatched"])
    state = objective.update(objective.init(), scores, batch, auxiliary)
    assert not any(value.requires_grad for own in state for value in own.values())
    out = objective(scores, batch, state)
    assert not any(value.requires_grad for value in out.metrics.values())
    policy, *others = torch.autograd.grad(out.loss, [world.policy, *sources.values()], allow_unused=True)
    assert policy.any()
    assert dict(zip(sources, others, strict=True)) == dict.fromkeys(sources)
