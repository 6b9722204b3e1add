"""What changed, in sentences: what got better, what got worse, what cannot be told."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from truing.evaluation.held_out import HeldOut
from truing.evaluation.samples import Comparison
from truing.statistics import Estimate

Verdict = Literal["better", "worse", "same", "changed"]


@dataclass(frozen=True)
class Finding:
    """One measured change.

    Attributes:
        name: short name of the measure.
        verdict: "same" where the interval holds zero; "changed" where neither direction is good as such.
        sentence: the finding in plain words, with its numbers.
        value, low, high, n: the estimate.
    """

    name: str
    verdict: Verdict
    sentence: str
    value: float
    low: float
    high: float
    n: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def findings(
    held_out: HeldOut | None, comparison: Comparison | None, *, judged_by_reward: bool = False
) -> list[Finding]:
    """All findings of a run, better ones first, then worse ones.

    Args:
        held_out: held-out records before and after.
        comparison: sampled answers before and after.
        judged_by_reward: whether the judge is what the run learned from. A win then shows that this was learned.
    """
    found: list[Finding] = []
    if comparison is not None:
        found += _of_samples(comparison, judged_by_reward)
    if held_out is not None:
        found += _of_held_out(held_out)
    order = {"better": 0, "worse": 1, "changed": 2, "same": 3}
    return sorted(found, key=lambda f: order[f.verdict])


def _of_samples(c: Comparison, judged_by_reward: bool) -> list[Finding]:
    found = []
    if c.win_rate is not None:
        r = c.win_rate.rate
        verdict: Verdict = "better" if r.low > 0.5 else "worse" if r.high < 0.5 else "same"
        judge = f"{c.judge}, which is the reward that it learned from" if judged_by_reward else c.judge
        if verdict == "better" and judged_by_reward:
            verdict = "changed"
        found.append(
            Finding(
                "win rate",
                verdict,
                f"The trained model's answers win {r.value:.1%} of comparisons with the starting model's "
                f"(95 % interval {r.low:.1%} to {r.high:.1%}, {r.n} prompts, judged by {judge}).",
                r.value,
                r.low,
                r.high,
                r.n,
            )
        )
    for name, change in c.others.items():
        found.append(
            _signed(f"{name} score", change, "The {name} of sampled answers changed by {v} logits", good=+1)
        )
    found.append(
        _signed("repetition", c.repetition, "The share of repeated 4-grams in an answer changed by {v}", good=-1)
    )
    relative = c.length.value / max(c.length_before, 1e-9)
    found.append(
        _signed(
            "answer length",
            c.length,
            f"Answers changed in length by {{v}} tokens ({relative:+.0%} of {c.length_before:.0f})",
            good=0,
        )
    )
    if c.kl is not None:
        found.append(
            Finding(
                "distance",
                "changed",
                f"The trained model is {c.kl.value:.2f} nats an answer (KL) away from the starting model "
                f"({_interval(c.kl, '.2f')}, on its own samples).",
                c.kl.value,
                c.kl.low,
                c.kl.high,
                c.kl.n,
            )
        )
    return found


def _of_held_out(h: HeldOut) -> list[Finding]:
    found = []
    if h.paired:
        accuracy = h.metrics["reward_accuracy"]
        found.append(
            Finding(
                "held-out preference accuracy",
                "better" if accuracy.low > 0.5 else "worse" if accuracy.high < 0.5 else "same",
                f"On held-out pairs the model moved towards the chosen answer in {accuracy.value:.1%} of cases "
                f"(95 % interval {accuracy.low:.1%} to {accuracy.high:.1%}, {accuracy.n} pairs; chance is 50 %).",
                accuracy.value,
                accuracy.low,
                accuracy.high,
                accuracy.n,
            )
        )
    control = h.metrics.get("control_accuracy")
    if control is not None:
        found.append(
            Finding(
                "control",
                "better" if control.low > 0.5 else "worse" if control.high < 0.5 else "same",
                f"Asked for good answers instead of bad ones, the model turns to the chosen answer more than to the "
                f"rejected one in {control.value:.1%} of held-out pairs (95 % interval {control.low:.1%} to "
                f"{control.high:.1%}, {control.n} pairs; codes that say nothing give 50 %).",
                control.value,
                control.low,
                control.high,
                control.n,
            )
        )
    if len(h.chosen):
        change, which, good = h.metrics["chosen_logp_change"], "chosen", +1
    else:  # data that says only what is unwanted
        change, which, good = h.metrics["rejected_logp_change"], "unwanted", -1
    sentence = f"The likelihood of held-out {which} answers changed by {{v}} nats a token"
    found.append(_signed(f"likelihood of {which} answers", change, sentence, good=good))
    return found


def _signed(name: str, e: Estimate, sentence: str, *, good: int) -> Finding:
    """A finding about a difference; ``good`` is the sign of an improvement, 0 where there is none."""
    if not e.excludes_zero:
        verdict: Verdict = "same"
    elif good == 0:
        verdict = "changed"
    else:
        verdict = "better" if (e.value > 0) == (good > 0) else "worse"
    text = sentence.format(name=name.removesuffix(" score"), v=f"{e.value:+.3g}")
    text += f" ({_interval(e, '+.3g')}, n = {e.n})."
    if verdict == "same":
        text += " That may be chance."
    return Finding(name, verdict, text, e.value, e.low, e.high, e.n)


def _interval(e: Estimate, form: str) -> str:
    """One value alone has none."""
    if not math.isfinite(e.low) or not math.isfinite(e.high):
        return "no interval"
    return f"95 % interval {e.low:{form}} to {e.high:{form}}"
