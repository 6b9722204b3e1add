"""Alarms: what the literature says can go wrong, found in a run's metrics, said in plain words.

Each alarm is a pure function of the history, so that training, resuming and ``truing diagnose`` agree. A
``note`` explains something that looks alarming and is not; a ``warning`` wants attention; a ``problem`` means
that the result should not be used.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from truing.diagnostics.history import History
from truing.diagnostics.overoptimisation import indicators

Severity = Literal["note", "warning", "problem"]


@dataclass(frozen=True)
class Alarm:
    """Something found in a run.

    Attributes:
        name: identifier, as in ``alarms.stop_on``.
        severity: how serious it is.
        step: the step at which it was seen.
        message: what happened and what it means, in plain words.
        evidence: the numbers behind it.
        remedy: what to do about it.
    """

    name: str
    severity: Severity
    step: int
    message: str
    evidence: dict[str, float]
    remedy: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Facts:
    """What alarms must know about a run beside its metrics.

    Attributes:
        total_steps: planned optimiser steps.
        global_batch: records per step.
        eval_records: held-out records; 0 where nothing is held out.
        log_every: steps between training records.
        kl_budget: nats per completion.
    """

    total_steps: int
    global_batch: int
    eval_records: int = 0
    log_every: int = 1
    kl_budget: float = 50.0


def detect(history: History, facts: Facts) -> list[Alarm]:
    """All alarms that a history gives rise to, the most serious first."""
    found = [alarm for rule in _RULES if (alarm := rule(history, facts)) is not None]
    order = {"problem": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda alarm: (order[alarm.severity], alarm.name))


def non_finite(history: History, facts: Facts) -> Alarm | None:
    """A metric became nan or infinite."""
    bad = history.non_finite()
    if not bad:
        return None
    step, name = bad[0]
    return Alarm(
        "non_finite",
        "problem",
        step,
        f"{name} stopped being a finite number at step {step}; everything after it is meaningless.",
        {"values": float(len(bad))},
        "Go back to the last good checkpoint (--resume), lower training.learning_rate, or use precision: float32.",
    )


_ANCHOR = "give an nll term more weight ({name: nll, weight: 0.1} where the objective has none)"


def chosen_falling(history: History, facts: Facts) -> Alarm | None:
    """Likelihood displacement (2410.08847): the chosen answers themselves become less likely."""
    chosen, rejected = history.series("log_ratio/chosen"), history.series("log_ratio/rejected")
    length = history.series("length/chosen")
    # Of answers that nobody rejected, as the policy's own, a fall says nothing.
    if len(chosen) < 5 or not length.values or not rejected.values:
        return None
    latest = chosen.tail(0.2, at_least=3)
    recent, noise, tokens = _mean(latest), _standard_error(latest), max(1.0, _mean(length.values))
    per_token = recent / tokens
    if recent > -2 * noise or per_token > -0.01:
        return None
    other = _mean(rejected.tail(0.2, at_least=3))
    accuracy = history.series("eval_rewards/accuracy")
    learned = len(accuracy) > 0 and accuracy.last > 0.5 + 2 * _binomial_error(accuracy.last, facts.eval_records)
    # Batches differ: what is called a large fall must be one beyond their noise.
    surely = (recent + 2 * noise) / tokens
    harmful = surely < -0.3 or (surely < -0.1 and not learned)
    evidence = {
        "chosen_change_nats": recent,
        "chosen_change_nats_per_token": per_token,
        "rejected_change_nats": other,
    }
    if len(accuracy):
        evidence["held_out_accuracy"] = accuracy.last
    said = (
        f"The chosen answers became less likely: {recent:+.1f} nats an answer ({per_token:+.2f} a token); "
        f"the rejected ones changed by {other:+.1f}. "
    )
    if not harmful:
        seen = f" ({accuracy.last:.0%} on held-out pairs)" if learned else ""
        return Alarm(
            "chosen_falling",
            "note",
            chosen.steps[-1],
            said
            + "This is usual for losses that look at the difference of the two, and the run is not broken"
            + (
                f": rejected answers fall faster, which is what is being learned{seen}. "
                if other < recent
                else ". "
            )
            + "It is why such a model may also get worse at writing the chosen answers; look at the samples.",
            evidence,
            f"Nothing has to be done. To hold the chosen likelihood up, {_ANCHOR}, or use nca or apo-zero.",
        )
    return Alarm(
        "chosen_falling",
        "warning",
        chosen.steps[-1],
        said
        + "That is a large fall"
        + ("." if learned else ", and held-out accuracy does not show that anything was learned for it.")
        + " Probability is moving to answers that are in neither column.",
        evidence,
        f"G{_ANCHOR[1:]}, raise beta, lower the learning rate, or train for fewer steps.",
    )


def over_optimisation(history: History, facts: Facts) -> Alarm | None:
    """Top-k entropy turns down, or top-k mass falls (2410.11677): quality tends to fall though the margin grows."""
    entropy, mass = history.series("eval_tokens/topk_entropy"), history.series("eval_tokens/topk_mass")
    signs = indicators(entropy.values, mass.values)
    if signs is None or not signs.fired:
        return None
    which = (
        "the entropy of the ten likeliest next tokens rose to "
        f"{signs.entropy_peak:.2f} bits and has fallen to {signs.entropy:.2f}"
        if signs.turned
        else f"the ten likeliest next tokens hold {signs.mass:.1%} of the probability, down from {signs.mass_start:.1%}"
    )
    return Alarm(
        "over_optimisation",
        "warning",
        entropy.steps[-1],
        f"The model is past the point where more training helps: {which}. The margin between chosen and rejected can "
        "go on growing while the answers get worse.",
        {
            "topk_entropy_peak": signs.entropy_peak,
            "topk_entropy": signs.entropy,
            "topk_mass_start": signs.mass_start,
            "topk_mass": signs.mass,
        },
        "Stop earlier (alarms.stop_on: [over_optimisation] keeps the best checkpoint), raise beta, or add nll.",
    )


def kl_budget(history: History, facts: Facts) -> Alarm | None:
    """The policy has moved further from the reference than was allowed."""
    kl = history.series("kl")
    if not len(kl):
        return None
    recent = _mean(kl.tail(0.1))
    if recent <= facts.kl_budget:
        return None
    return Alarm(
        "kl_budget",
        "warning",
        kl.steps[-1],
        f"The policy is {recent:.1f} nats an answer away from the reference (estimated on the data's answers); the "
        f"budget is {facts.kl_budget:g}. Far from the reference the implicit reward is extrapolation.",
        {"kl": recent, "budget": facts.kl_budget},
        "Raise beta, lower the learning rate, stop earlier, or raise alarms.kl_budget if this distance is wanted.",
    )


def margin_without_accuracy(history: History, facts: Facts) -> Alarm | None:
    """Over-fitting: the margin grows while held-out accuracy falls."""
    margin, accuracy = history.series("rewards/margin"), history.series("eval_rewards/accuracy")
    if len(accuracy) < 3 or len(margin) < 5 or not facts.eval_records:
        return None
    best = max(accuracy.values)
    error = _binomial_error(best, facts.eval_records)
    grew = _mean(margin.tail(0.2)) > _mean(margin.values[: max(1, len(margin) // 2)])
    if not grew or best - accuracy.last <= 2 * error:
        return None
    return Alarm(
        "margin_without_accuracy",
        "warning",
        accuracy.steps[-1],
        f"The model is memorising the training pairs: the margin still grows, but accuracy on held-out pairs fell from "
        f"{best:.1%} to {accuracy.last:.1%} (more than two standard errors of {error:.1%}).",
        {"best_accuracy": best, "accuracy": accuracy.last, "standard_error": error},
        "Train for fewer steps (alarms.stop_on: [margin_without_accuracy]), raise beta, or use more data.",
    )


def accuracy_stuck(history: History, facts: Facts) -> Alarm | None:
    """Nothing is being learned."""
    accuracy = history.series("rewards/accuracy")
    if len(accuracy) < 10 or accuracy.steps[-1] < 0.5 * facts.total_steps:
        return None
    half = accuracy.tail(0.5)
    records = len(half) * facts.global_batch * facts.log_every
    level = _mean(half)
    error = _binomial_error(0.5, records)
    if records < 200 or level > 0.5 + 2 * error:
        return None
    return Alarm(
        "accuracy_stuck",
        "warning",
        accuracy.steps[-1],
        f"After {accuracy.steps[-1]} steps the model tells chosen from rejected {level:.1%} of the time on the data "
        f"that it trains on (chance is 50 %, two standard errors are {2 * error:.1%}): it is not learning.",
        {"accuracy": level, "two_standard_errors": 2 * error, "records": float(records)},
        "Raise the learning rate (LoRA wants 1e-5 to 1e-4), check that chosen and rejected are not exchanged "
        "(`truing data check`), or train longer.",
    )


def dead_gradient(history: History, facts: Facts) -> Alarm | None:
    """No gradient flows any more."""
    norm = history.series("grad_norm")
    if len(norm) < 5 or max(norm.values[-5:]) > 1e-8:
        return None
    return Alarm(
        "dead_gradient",
        "problem",
        norm.steps[-1],
        f"The gradient has vanished: its norm was at most {max(norm.values[-5:]):.1e} in the last five records, so "
        "nothing changes any more.",
        {"grad_norm": norm.last},
        "The loss is saturated (lower beta or the learning rate), or no parameter is trained (check training.peft).",
    )


_RULES: tuple[Callable[[History, Facts], Alarm | None], ...] = (
    non_finite,
    chosen_falling,
    over_optimisation,
    kl_budget,
    margin_without_accuracy,
    accuracy_stuck,
    dead_gradient,
)


def _mean(values: tuple[float, ...]) -> float:
    return sum(values) / len(values) if values else float("nan")


def _standard_error(values: tuple[float, ...]) -> float:
    if len(values) < 2:
        return 0.0
    mean = _mean(values)
    return math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1) / len(values))


def _binomial_error(rate: float, count: int) -> float:
    return math.sqrt(max(rate * (1 - rate), 1e-4) / count) if count else float("inf")
