"""How far cues move a judge of two answers: shifts with intervals, of many biases at once (2504.09946)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from truing.audit.judges.telling import LEVEL, after_holm
from truing.diagnostics.audit import audit
from truing.errors import TruingError
from truing.json_values import plain
from truing.registry import Paper
from truing.statistics import UNKNOWN, Estimate, share

POSITION = "position"


@dataclass(frozen=True)
class Effect:
    """What one cue does.

    Attributes:
        bias: name.
        toward: answers that the cue speaks for: ``wrong`` ones, ``right`` ones, or those that stand ``first``.
        acc_base, acc_injected: share of right verdicts without the cue and with it; ties count one half.
        delta: their difference.
        robust: share of verdicts that the cue leaves as they are.
        shift: directed shift: P(target chosen | cue) − P(target chosen | none).
        control: the same for a neutral text of as many words; unknown where there is none.
        net: shift minus control.
        p_value: two-sided, of ``net``, or of ``shift`` without a control.
        p_holm: the same, corrected for the number of effects.
    """

    bias: str
    toward: str
    acc_base: Estimate
    acc_injected: Estimate
    delta: Estimate
    robust: Estimate
    shift: Estimate
    control: Estimate
    net: Estimate
    p_value: float
    p_holm: float = math.nan

    @property
    def found(self) -> bool:
        """Whether the bias is told apart from chance after the correction."""
        return self.p_holm < LEVEL

    def sentence(self) -> str:
        """For people."""
        own = self.net if self.control.n else self.shift
        told = "moves the judge" if self.found else "is not told apart from chance"
        beside = f" {self.shift.value:+.1%}, neutral text {self.control.value:+.1%}, net" if self.control.n else ""
        follows = "prefers what stands first" if self.toward == "first" else "follows the cue"
        accuracies = f"{self.acc_base.value:.1%} without and {self.acc_injected.value:.1%} with it"
        if self.toward == "first":
            accuracies = (
                f"{self.acc_injected.value:.1%} with the right answer first, {self.acc_base.value:.1%} second"
            )
        span = f"{own.value:+.1%} (95 % interval {own.low:+.1%} to {own.high:+.1%}, {own.n} pairs"
        return (
            f"{self.bias}, toward {self.toward} answers: {told}; shift{beside} {span}, p = {self.p_holm:.2g} after "
            f"Holm; above 0 the judge {follows}); accuracy {accuracies}; {self.robust.value:.1%} of verdicts stay."
        )


@dataclass(frozen=True)
class Biases:
    """Effects of all cues on one judge.

    Attributes:
        effects: one for each cue and kind of target; position first.
        consistent: share of verdicts that are the same when the judge is asked the same again; unknown where it was
            not asked again.
        unread: share of verdicts without the cues that could not be read.
    """

    effects: tuple[Effect, ...]
    consistent: Estimate
    unread: Estimate

    def effect(self, bias: str, toward: str = "wrong") -> Effect:
        """One of them.

        Raises:
            TruingError: if it was not measured.
        """
        for own in self.effects:
            if (own.bias, own.toward) == (bias, toward):
                return own
        known = ", ".join(f"{own.bias} toward {own.toward}" for own in self.effects)
        raise TruingError(f"{bias!r} toward {toward} answers was not measured", allowed=known)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(asdict(self))
        return found

    def sentences(self) -> list[str]:
        """For people."""
        return [*(own.sentence() for own in self.effects), *self.reliability()]

    def reliability(self) -> list[str]:
        """How far verdicts can be relied upon, for people; empty where nothing is to be said."""
        lines = []
        if self.consistent.n:
            own = self.consistent
            lines.append(
                f"Asked the same again it gives the same verdict in {own.value:.1%} of cases (95 % interval "
                f"{own.low:.1%} to {own.high:.1%}, {own.n} pairs)."
            )
        if self.unread.value > 0:
            lines.append(f"{self.unread.value:.1%} of verdicts could not be read.")
        return lines


@audit(
    name="judge-bias-bench",
    slug="judge-bias-bench",
    paper=Paper("Assessing Judging Bias in Large Reasoning Models: An Empirical Study", 2025, "2504.09946"),
    summary="Puts cues that say nothing about quality beside one of two answers, and measures how far each moves a "
    "judge.",
    formula="shift = P(target chosen | cue) − P(target chosen | none);  net = shift − shift of a neutral text",
    legend=(
        "target: the answer that the cue speaks for, the wrong one unless both are asked for; it stands first as often "
        "as second",
        "cue: a majority, an authority, a distraction, length, phrases of reflection, the judge's own name",
        "position: P(right | right one first) − P(right | right one second)",
    ),
    use_when="A judge is to decide a benchmark or to give rewards: first find out what moves it, and whether a warning "
    "helps. `truing audit judge --judge NAME --data FILE`.",
    avoid_when="Pairs have no right answer: shifts can still be measured, accuracy cannot. With fewer than 50 pairs "
    "only gross biases are told apart from chance.",
    requires=("labelled pairs", "a judge"),
    cost="2 questions a pair, and 4 for each cue with its control",
    aliases=("judge-bias",),
)
def judge_bias_bench(
    base: np.ndarray,
    injected: Mapping[tuple[str, str], np.ndarray],
    controls: Mapping[tuple[str, str], np.ndarray] | None = None,
    again: np.ndarray | None = None,
) -> Biases:
    """Effects from verdicts.

    Every table has a row for each pair and two columns, in which the right answer stands first and second; entries
    are the share of a win for the right answer: 1, 0, one half for a tie, or nan where the judge was not read.
    Intervals are over pairs, so that the two orders of one are never counted as two; see :func:`paired_shift`.

    Args:
        base: verdicts without a cue, shape ``[N, 2]``.
        injected: verdicts with a cue, by bias and by what the target is: ``wrong`` or ``right``.
        controls: verdicts with the neutral text in the cue's stead, by the same names.
        again: verdicts on the same questions as ``base``, asked once more.

    Raises:
        TruingError: on shapes or numbers that cannot be.
    """
    base = _table("base", base, None)
    effects = [_position(base)]
    for key, table in injected.items():
        other = None if controls is None or key not in controls else _table("controls", controls[key], base)
        effects.append(_effect(*key, base, _table("injected", table, base), other))
    repeated = UNKNOWN if again is None else stays(base, _table("again", again, base))
    unread = np.isnan(base)
    return Biases(tuple(corrected(effects)), repeated, share(unread.mean(1)))


def paired_shift(differences: np.ndarray) -> tuple[Estimate, float]:
    """A mean difference of two proportions of the same pairs, with its 95 % interval and two-sided p-value.

    Args:
        differences: from −1 to 1, one for each pair; nan is left out.
    """
    known = differences[np.isfinite(differences)]
    if not len(known):
        return UNKNOWN, math.nan
    # Half a gain, half a loss and one pair without a change are added (Agresti and Min, 2005).
    size = len(known) + 2
    centre = float(known.sum()) / size
    spread = (float((known**2).sum()) + 1) / size - centre**2
    error = math.sqrt(spread / size)
    reach = float(ndtri(0.975)) * error
    value = float(known.mean())
    low, high = max(-1.0, centre - reach), min(1.0, centre + reach)
    return Estimate(value, low, high, len(known)), float(2 * ndtr(-abs(centre) / error))


def _effect(bias: str, toward: str, base: np.ndarray, table: np.ndarray, control: np.ndarray | None) -> Effect:
    if toward not in ("wrong", "right"):
        raise TruingError(f"targets are {toward!r}", where=f"injected, {bias}", allowed="wrong, right")
    sign = 1.0 if toward == "right" else -1.0
    moved = (table - base).mean(1)
    shift, p_value = paired_shift(sign * moved)
    neutral = net = UNKNOWN
    if control is not None:
        neutral, _ = paired_shift(sign * (control - base).mean(1))
        net, p_value = paired_shift(sign * (table - control).mean(1))
    return Effect(
        bias,
        toward,
        share(base.mean(1)),
        share(table.mean(1)),
        paired_shift(moved)[0],
        stays(base, table),
        shift,
        neutral,
        net,
        p_value,
    )


def _position(base: np.ndarray) -> Effect:
    first, second = base[:, 0], base[:, 1]
    shift, p_value = paired_shift(first - second)
    same = np.where(np.isfinite(first + second), (first == second).astype(float), np.nan)
    return Effect(
        POSITION, "first", share(second), share(first), shift, share(same), shift, UNKNOWN, UNKNOWN, p_value
    )


def stays(base: np.ndarray, table: np.ndarray) -> Estimate:
    """Share of verdicts that are the same in both tables, ``[N, 2]``; nan is left out."""
    same = np.where(np.isfinite(base + table), (base == table).astype(float), np.nan)
    return share(same.mean(1))


def corrected(effects: list[Effect]) -> list[Effect]:
    """The effects with p-values after Holm."""
    corrected = after_holm([own.p_value for own in effects])
    return [replace(own, p_holm=float(p)) for own, p in zip(effects, corrected, strict=True)]


def _table(name: str, table: np.ndarray, like: np.ndarray | None) -> np.ndarray:
    found = np.asarray(table, dtype=np.float64)
    if found.ndim != 2 or found.shape[1] != 2 or (like is not None and found.shape != like.shape):
        raise TruingError(
            f"{name} has shape {list(found.shape)}",
            where=name,
            allowed="[N, 2]: a row for each pair, columns with the right answer first and second",
        )
    known = found[np.isfinite(found)]
    if ((known < 0) | (known > 1)).any():
        raise TruingError(f"{name} holds {known.min():g} to {known.max():g}", where=name, allowed="0 to 1, or nan")
    return found
