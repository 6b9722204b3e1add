"""Every alarm fires on the history that it is for, and stays silent on its control."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from truing.diagnostics import Alarm, Facts, History, detect
from truing.errors import RunError

FACTS = Facts(total_steps=100, global_batch=16, eval_records=400, kl_budget=20.0)


def _run(
    train: Callable[[int], dict[str, float]], held_out: Callable[[int], dict[str, float]] | None = None
) -> History:
    records: list[dict[str, Any]] = []
    for step in range(1, 101):
        records.append({"step": step, "loss": 0.6, "grad_norm": 1.0, **train(step)})
        if held_out is not None and step % 10 == 0:
            records.append({"step": step, "eval_loss": 0.6, **held_out(step)})
    return History(records)


def _named(history: History, name: str) -> Alarm | None:
    return next((a for a in detect(history, FACTS) if a.name == name), None)


def _moves(chosen: float, rejected: float) -> Callable[[int], dict[str, float]]:
    def train(step: int) -> dict[str, float]:
        share = step / 100
        return {
            "log_ratio/chosen": chosen * share,
            "log_ratio/rejected": rejected * share,
            "rewards/margin": 0.1 * (chosen - rejected) * share,
            "rewards/accuracy": 0.5 + 0.3 * share,
            "length/chosen": 50.0,
            "length/rejected": 50.0,
            "kl": 1.0,
        }

    return train


def _accuracy(end: float) -> Callable[[int], dict[str, float]]:
    return lambda step: {"eval_rewards/accuracy": 0.5 + (end - 0.5) * step / 100}


def test_a_healthy_run_raises_nothing() -> None:
    assert detect(_run(_moves(+2.0, -6.0), _accuracy(0.65)), FACTS) == []


def test_falling_chosen_with_learning_is_explained_not_alarming() -> None:
    # −4 nats over 50 tokens: −0.08 a token, and held-out accuracy is up.
    alarm = _named(_run(_moves(-4.0, -12.0), _accuracy(0.65)), "chosen_falling")
    assert alarm is not None
    assert alarm.severity == "note"
    assert "not broken" in alarm.message
    # The last fifth of a linear fall to -4 averages -3.62; over 50 tokens -0.07.
    assert alarm.evidence["chosen_change_nats"] == pytest.approx(-3.62, abs=0.01)
    assert alarm.evidence["chosen_change_nats_per_token"] == pytest.approx(-0.0724, abs=1e-4)


@pytest.mark.parametrize(("swing", "severity"), [(5.0, "warning"), (15.0, "note")])
def test_a_large_fall_must_be_beyond_the_noise_of_batches(swing: float, severity: str) -> None:
    # The last 20 of 100 steps: -7.5 nats plus or minus the swing, in turn, over 50 tokens: -0.15 a token. The standard
    # error is swing·sqrt(20/19)/sqrt(20) = 0.229·swing: two of them leave -5.2 nats (beyond -0.1 a token) or -0.6.
    def train(step: int) -> dict[str, float]:
        change = -7.5 + (swing if step % 2 else -swing) if step > 80 else 0.0
        return {**_moves(0.0, -9.0)(step), "log_ratio/chosen": change}

    alarm = _named(_run(train, _accuracy(0.5)), "chosen_falling")
    assert alarm is not None
    assert alarm.severity == severity
    # The rejected answers fall further: 8.1 nats on average over the last fifth.
    assert ("fall faster" in alarm.message) == (severity == "note")


def test_falling_chosen_is_not_explained_by_rejected_ones_that_fall_less() -> None:
    alarm = _named(_run(_moves(-4.0, -2.0), _accuracy(0.65)), "chosen_falling")
    assert alarm is not None
    assert alarm.severity == "note"
    assert "fall faster" not in alarm.message


def test_falling_chosen_without_learning_is_a_warning() -> None:
    alarm = _named(_run(_moves(-8.0, -9.0), _accuracy(0.5)), "chosen_falling")
    assert alarm is not None
    assert alarm.severity == "warning"
    assert "nll" in alarm.remedy


def test_a_large_fall_is_a_warning_whatever_was_learned() -> None:
    alarm = _named(_run(_moves(-30.0, -60.0), _accuracy(0.7)), "chosen_falling")
    assert alarm is not None
    assert alarm.severity == "warning"


def test_over_optimisation_by_entropy_turning_down() -> None:
    def peak(step: int) -> dict[str, float]:
        return {"eval_tokens/topk_entropy": 2.0 - abs(step - 50) / 50, "eval_tokens/topk_mass": 0.8}

    def rising(step: int) -> dict[str, float]:
        return {"eval_tokens/topk_entropy": 1.0 + step / 100, "eval_tokens/topk_mass": 0.8}

    train = _moves(1.0, -2.0)
    assert _named(_run(train, peak), "over_optimisation") is not None
    assert _named(_run(train, rising), "over_optimisation") is None


def test_over_optimisation_by_mass_leaving_the_top() -> None:
    def spilling(step: int) -> dict[str, float]:
        return {"eval_tokens/topk_entropy": 1.0 + step / 100, "eval_tokens/topk_mass": 0.8 - 0.2 * step / 100}

    alarm = _named(_run(_moves(1.0, -2.0), spilling), "over_optimisation")
    assert alarm is not None
    assert "hold" in alarm.message


@pytest.mark.parametrize(("kl", "fires"), [(19.0, False), (21.0, True)])
def test_kl_budget(kl: float, fires: bool) -> None:
    train = _moves(1.0, -2.0)
    assert (_named(_run(lambda s: {**train(s), "kl": kl}), "kl_budget") is not None) == fires


def test_margin_growing_while_held_out_accuracy_falls() -> None:
    # Best 0.62 with 400 records: standard error 2.4 points; a fall to 0.52 is four of them, to 0.60 less than one.
    def falling(end: float) -> Callable[[int], dict[str, float]]:
        return lambda step: {
            "eval_rewards/accuracy": 0.62 if step <= 50 else 0.62 - (0.62 - end) * (step - 50) / 50
        }

    train = _moves(1.0, -20.0)
    assert _named(_run(train, falling(0.52)), "margin_without_accuracy") is not None
    assert _named(_run(train, falling(0.60)), "margin_without_accuracy") is None


@pytest.mark.parametrize(("level", "fires"), [(0.5, True), (0.56, False)])
def test_accuracy_stuck(level: float, fires: bool) -> None:
    # Half the run is 50 · 16 = 800 records: two standard errors of chance are 3.5 points.
    train = _moves(0.0, 0.0)
    history = _run(lambda s: {**train(s), "rewards/accuracy": level})
    assert (_named(history, "accuracy_stuck") is not None) == fires


def test_dead_gradient() -> None:
    train = _moves(1.0, -1.0)
    history = _run(lambda s: {**train(s), "grad_norm": 1.0 if s < 90 else 0.0})
    alarm = _named(history, "dead_gradient")
    assert alarm is not None
    assert alarm.severity == "problem"


@pytest.mark.parametrize("bad", [math.nan, math.inf, None])
def test_non_finite_values_come_first(bad: float | None) -> None:
    train = _moves(-30.0, -60.0)
    history = _run(lambda s: {**train(s), "grad_norm": bad if s == 40 else 1.0})  # type: ignore[dict-item]
    first = detect(history, FACTS)[0]
    assert (first.name, first.step, first.severity) == ("non_finite", 40, "problem")


def test_every_alarm_has_a_message_and_a_remedy_in_words() -> None:
    histories = [_run(_moves(-30.0, -60.0), _accuracy(0.5)), _run(lambda s: {"grad_norm": math.nan})]
    for alarm in (a for h in histories for a in detect(h, FACTS)):
        assert alarm.message.endswith(".")
        assert len(alarm.remedy) > 20
        assert all(math.isfinite(v) for v in alarm.evidence.values())


def test_an_empty_history_is_no_news() -> None:
    assert detect(History([]), FACTS) == []


def test_reading_stops_at_a_torn_last_line(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps({"step": 1, "loss": 0.7}) + "\n" + '{"step": 2, "lo')
    assert len(History.read(path).records) == 1
    path.write_text("{broken\n" + json.dumps({"step": 2}) + "\n")
    with pytest.raises(RunError, match="no JSON"):
        History.read(path)
    with pytest.raises(RunError, match="no metrics"):
        History.read(tmp_path / "none.jsonl")
