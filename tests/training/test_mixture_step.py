"""BVPO with an estimated weight: as by hand, for any micro-batches, resumed as if never interrupted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.training.runs import train
from tests.training.test_part_recipes import SAMPLE, _pairs, values
from tests.training.test_parts_in_steps import loss_and_gradient, step, with_parts
from truing.errors import RecipeError
from truing.objectives import bvpo, dpo, secrets_rm
from truing.objectives.algebra.mixture import Comparison
from truing.recipe import parse_recipe
from truing.training import one_process
from truing.training.align import align
from truing.training.distributed import World
from truing.training.mixture_step import METRIC, MixtureStep

INDICES = list(range(10))
AUTO = bvpo(alpha="auto")


def mixture(objective=AUTO, budget: int = 60) -> MixtureStep:
    made = step(objective, with_parts(), budget=budget)
    return MixtureStep(made.policy, objective, made.data, made.references, budget=budget)


def by_hand() -> tuple[float, torch.Tensor]:
    """Groups of 3, 3, 2 and 2 records, each side's gradient by a step of its own; and the gradient under the weight."""
    found = Comparison()
    for group in (INDICES[:3], INDICES[3:6], INDICES[6:8], INDICES[8:]):
        one, other = (
            loss_and_gradient(step(loss, with_parts()), group)[1] for loss in (dpo(), dpo().on("empty_trace"))
        )
        found.add(one, other, len(group) / 10)
    noise, apart = found.found()
    alpha = 1 - noise / apart
    assert 0.02 < alpha < 0.98
    return alpha, loss_and_gradient(step(bvpo(alpha=alpha), with_parts()), INDICES)[1]


@pytest.mark.parametrize("budget", [1, 100_000])
def test_weight_and_gradient_are_those_by_hand(budget: int) -> None:
    made = mixture(budget=budget)
    alpha, expected = by_hand()
    _, gradient = loss_and_gradient(made, INDICES)
    assert float(made.state[0]["share"]) == pytest.approx(alpha, abs=1e-4)
    assert float(made.state[1]["share"]) == pytest.approx(1 - alpha, abs=1e-4)
    assert float((gradient - expected).norm()) < 1e-4 * float(expected.norm())


def test_metrics_and_tokens() -> None:
    """An estimate reads the batch twice more; the eleventh step makes one, the twelfth does not."""
    made, plain = mixture(), step(bvpo(), with_parts())
    once = plain.train(INDICES, lambda loss, last: loss.backward()).tokens
    made.state[0]["steps"] += 9
    found = [made.train(INDICES, lambda loss, last: made.policy.model.zero_grad()) for _ in range(3)]
    assert [result.tokens // once for result in found] == [3, 3, 1]
    assert found[-1].sums[METRIC] == float(made.state[0]["share"])


def test_one_record_gives_no_estimate() -> None:
    made = mixture()
    made.train([4], lambda loss, last: None)
    assert (float(made.state[0]["share"]), float(made.state[0]["estimates"])) == (0.5, 0.0)


def test_held_out_records_use_the_weight_and_leave_it() -> None:
    made = mixture()
    made.train(INDICES, lambda loss, last: None)
    alpha = float(made.state[0]["share"])
    plain = step(bvpo(alpha=alpha), with_parts())
    assert made.evaluate(INDICES).loss == pytest.approx(plain.evaluate(INDICES).loss, abs=1e-6)
    assert float(made.state[0]["share"]) == alpha


def test_resuming_is_bit_identical(tmp_path: Path) -> None:
    def run(folder: Path, resume: str | None = None, **extra: object):
        made = mixture()
        _, found = train(made, folder, resume=resume, save_strategy="steps", save_steps=2, **extra)
        return found, made.state[0]

    whole, state = run(tmp_path / "a")
    run(tmp_path / "b", max_steps=3)
    found, own = run(tmp_path / "b", resume=str(tmp_path / "b" / "checkpoints" / "checkpoint-2"))
    assert torch.equal(found, whole)
    assert all(torch.equal(state[name], own[name]) for name in state)


def test_a_run_on_real_pairs_says_the_weight(tmp_path: Path) -> None:
    parts = {"empty_trace": _pairs(tmp_path)}
    given = values(tmp_path, {"name": "bvpo", "alpha": "auto"}, {"path": SAMPLE, "limit": 32, "parts": parts})
    record = align(given).record
    alpha = record["estimates"]["mixing weight alpha"]
    assert 0 <= alpha <= 1
    lines = (Path(given["output"]) / "metrics.jsonl").read_text().splitlines()
    shown = [json.loads(line)[METRIC] for line in lines if METRIC in line]
    assert shown[-1] == pytest.approx(alpha)


def test_several_processes_and_a_step_ahead_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = parse_recipe(values(tmp_path, "bvpo", {"path": SAMPLE}))
    with pytest.raises(RecipeError, match="which comes first is not defined"):
        one_process.check_one_process(given, AUTO + secrets_rm(ahead=1.0))
    monkeypatch.setattr(one_process.World, "current", classmethod(lambda cls: World(0, 2)))
    with pytest.raises(RecipeError, match=r"estimates its mixing weight(.|\n)*or set alpha: 0.5"):
        one_process.check_one_process(given, AUTO)
    one_process.check_one_process(given, bvpo())
