"""A step over records with parts: what it computes is the sum of what its terms are by themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import datasets
import pytest
import torch

from tests.policies.models import tiny
from tests.training.runs import RECORDS, in_two_processes, records, train, weights
from truing.objectives import METHODS, Objective, bvpo, dpo, nll
from truing.policies.causal import CausalPolicy
from truing.policies.reference_cache import reference_logps
from truing.training.examples import Drawn, ExampleData, Part, SameRow
from truing.training.reference import Live, Precomputed
from truing.training.step import PreferenceStep, References

RETAIN = 13
"""Rows of the part: fewer than records, and no divisor of them."""


def with_parts(kind: str = "pairs") -> ExampleData:
    """Random records with 13 demonstrations, drawn, and a pair of their own beside each."""
    retain = records("demonstrations", seed=5).select(range(RETAIN))
    parts = {
        "retain": Part(replace(retain, kind="demonstrations"), Drawn(RETAIN, 3)),
        "empty_trace": Part(records("pairs", seed=9), SameRow()),
    }
    return replace(records(kind), parts=parts)


def step(objective: Objective, data: ExampleData, *, budget: int = 60, live: bool = False) -> PreferenceStep:
    """A step whose reference is another model than the policy, so that log-ratios are not 0."""
    policy, reference = CausalPolicy(tiny("llama")), CausalPolicy(other_model())
    if live:
        source = Live(reference, budget)
        return PreferenceStep(policy, objective, data, References(source, source), budget=budget)

    def values(of: ExampleData):
        return reference_logps(reference, of.trees(range(len(of))), use_cache=False)

    parts = {name: values(part.data) for name, part in data.parts.items()}
    references = References(Precomputed(values(data), data, parts))
    return PreferenceStep(policy, objective, data, references, budget=budget)


def other_model():
    model = tiny("llama")
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return model


def loss_and_gradient(made: PreferenceStep, indices: list[int]) -> tuple[float, torch.Tensor]:
    made.policy.model.zero_grad()
    result = made.train(indices, lambda loss, last: loss.backward())
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in made.policy.model.parameters()]
    return result.loss, torch.cat([g.double().flatten() for g in gradients])


INDICES = [3, 17, 0, 8, 20]


def alone(part: Part, indices: list[int]) -> ExampleData:
    """The rows of a part that go with these records, as records of their own."""
    numbers = [part.partner(index, RECORDS) for index in indices]
    rows = [{name: part.data.rows[name][n] for name in part.data.rows.column_names} for n in numbers]
    return ExampleData(datasets.Dataset.from_list(rows), part.data.kind)


@pytest.mark.parametrize("budget", [1, 40, 100_000])
def test_the_loss_is_the_sum_of_both_losses(budget: int) -> None:
    data = with_parts()
    objective = 0.7 * dpo() + 0.3 * dpo().on("empty_trace") + 0.5 * nll().on("retain")
    # In the second pass, so that the drawn part is another row than in the first.
    indices = [index + RECORDS for index in INDICES]
    loss, gradient = loss_and_gradient(step(objective, data, budget=budget), indices)
    plain = replace(data, parts={})
    traces, kept = (alone(data.parts[name], indices) for name in ("empty_trace", "retain"))
    everything = list(range(len(INDICES)))
    terms = [
        (0.7, loss_and_gradient(step(dpo(), plain, budget=budget), indices)),
        (0.3, loss_and_gradient(step(dpo(), traces, budget=budget), everything)),
        (0.5, loss_and_gradient(step(nll(), kept, budget=budget), everything)),
    ]
    assert loss == pytest.approx(sum(factor * value for factor, (value, _) in terms), abs=1e-5)
    expected = sum(factor * of for factor, (_, of) in terms)
    assert isinstance(expected, torch.Tensor)
    torch.testing.assert_close(gradient, expected, atol=1e-6, rtol=1e-4)
    assert float(expected.abs().max()) > 1e-3


@pytest.mark.parametrize("name", ["bvpo", "graddiff"])
def test_stored_reference_values_are_those_of_the_reference(name: str) -> None:
    """Row by row, also in a later pass over the data, where drawn parts are other rows."""
    data = with_parts("unwanted" if name == "graddiff" else "pairs")
    objective = METHODS.get(name)() + dpo().on("empty_trace")
    for indices in (INDICES, [index + 2 * RECORDS for index in INDICES]):
        stored, moving = (loss_and_gradient(step(objective, data, live=live), indices) for live in (False, True))
        assert stored[0] == pytest.approx(moving[0], abs=1e-5)
        torch.testing.assert_close(stored[1], moving[1], atol=1e-6, rtol=1e-4)


def test_another_pass_draws_other_rows() -> None:
    data = with_parts()
    losses = [
        loss_and_gradient(step(dpo() + nll().on("retain"), data), [index + passes * RECORDS for index in INDICES])[
            0
        ]
        for passes in (0, 1)
    ]
    assert abs(losses[0] - losses[1]) > 1e-3


def test_metrics_of_parts_have_their_name_in_front() -> None:
    result = step(dpo() + nll().on("retain"), with_parts()).train(INDICES, lambda loss, last: loss.backward())
    assert result.sums["count/retain/logps/chosen"] == len(INDICES)
    assert "empty_trace/rewards/accuracy" in result.sums
    assert result.sums["count/rewards/accuracy"] == len(INDICES)


TWO_PROCESSES = """
import sys, torch
from pathlib import Path
from tests.training.runs import train
from tests.training.test_parts_in_steps import step, with_parts
from truing.objectives import bvpo, nll
from truing.training.distributed import World
torch.distributed.init_process_group("gloo")
made = step(bvpo() + nll().on("retain"), with_parts())
made.world = World.current()
found = train(made, Path(sys.argv[1]) / "two", seed=42, ddp_backend="gloo")
if World.current().is_main:
    torch.save(found, Path(sys.argv[1]) / "found.pt")
"""


@pytest.mark.slow
def test_two_processes_follow_one(tmp_path: Path) -> None:
    script = tmp_path / "two.py"
    script.write_text(TWO_PROCESSES)
    in_two_processes(script, tmp_path)
    found = torch.load(tmp_path / "found.pt")
    made = step(bvpo() + nll().on("retain"), with_parts())
    start = weights(made.policy.model)
    expected = train(made, tmp_path / "one", seed=42)
    assert found[0] == pytest.approx(expected[0], abs=2e-5)
    torch.testing.assert_close(found[1], expected[1], atol=5e-5, rtol=0)
    assert float((expected[1] - start).abs().max()) > 1e-3
