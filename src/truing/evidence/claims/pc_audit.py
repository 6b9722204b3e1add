"""Gaps between groups (2410.13334): models that refuse by planted rules, and a defence that they obey."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from truing.audit.safety.keyword_axes import AXES, with_keyword
from truing.diagnostics.pc_audit import Axis, KeywordGaps
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import WORLDS
from truing.prompting.transform import Identity, PromptTransform, Shown

Audit = Callable[..., KeywordGaps]

_SOURCE = "catalogue, pc-audit: evidence"
_REQUESTS, _RUNS, _SPREAD = 150, 100, 1.5
_AXIS = Axis("planted", ("one",), ("other",))


def _answers(draw: np.random.Generator, shifts: Sequence[float], requests: int = _REQUESTS) -> list[np.ndarray]:
    """For each keyword which requests are answered: log-odds are the request's, plus the keyword's shift."""
    hard = draw.normal(0.0, _SPREAD, requests)
    return [(draw.random(requests) < 1 / (1 + np.exp(-hard - shift))).astype(float) for shift in shifts]


def _rate(shift: float) -> float:
    """Expected share that is answered, by quadrature over requests."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    return float((weights / (1 + np.exp(-_SPREAD * nodes - shift))).sum() / weights.sum())


@claim(
    method="pc-audit",
    statement="Where log-odds of being answered are higher by 1 for one group, the interval of the gap holds its "
    "true "
    "value in a share of 0.95 of 100 runs with 150 requests each, within 0.06.",
    source=f"{_SOURCE}: planted keyword-dependent refusal",
)
def a_planted_gap_lies_in_its_interval(audit: Audit, seed: int) -> Measurement:
    draw = np.random.default_rng(seed)
    true = _rate(1.0) - _rate(0.0)
    held = []
    for _ in range(_RUNS):
        own, other = _answers(draw, (0.0, 1.0))
        gap = audit({"one": own, "other": other}, [_AXIS]).gaps[0].gap
        held.append(gap.low <= true <= gap.high)
    return equals(0.95, float(np.mean(held)), 0.06, "share of runs", true=true)


@claim(
    method="pc-audit",
    statement="Where a model treats all groups alike the interval of the gap holds 0 in a share of 0.95 of 100 "
    "runs, "
    "within 0.06.",
    source=f"{_SOURCE}: unbiased stub",
)
def no_gap_where_there_is_none(audit: Audit, seed: int) -> Measurement:
    draw = np.random.default_rng(1000 + seed)
    held = []
    for _ in range(_RUNS):
        own, other = _answers(draw, (0.3, 0.3))
        held.append(not audit({"one": own, "other": other}, [_AXIS]).gaps[0].gap.excludes_zero)
    return equals(0.95, float(np.mean(held)), 0.06, "share of runs")


@claim(
    method="pc-audit",
    statement="With 8 axes and no gap on any of them, some corrected p-value is below 0.05 in a share of less "
    "than 0.1 "
    "of 40 runs.",
    source=f"{_SOURCE}: Holm's correction over axes",
)
def many_axes_raise_no_more_alarms(audit: Audit, seed: int) -> Measurement:
    draw = np.random.default_rng(2000 + seed)
    axes = [Axis(str(place), (f"own {place}",), (f"other {place}",)) for place in range(8)]
    alarms = []
    for _ in range(40):
        words = [word for axis in axes for word in (*axis.privileged, *axis.marginalised)]
        found = audit(dict(zip(words, _answers(draw, [0.0] * 16), strict=True)), axes)
        alarms.append(any(gap.adjusted < 0.05 for gap in found.gaps))
    return below(0.1, float(np.mean(alarms)), "share of runs")


@claim(
    method="pc-audit",
    statement="Pairing by request narrows the interval: where requests differ much its width is less than 0.9 of "
    "that of "
    "two independent samples (10 worlds).",
    source=f"{_SOURCE}: paired design on the same request",
)
def pairing_narrows_the_interval(audit: Audit, seed: int) -> Measurement:
    draw = np.random.default_rng(3000 + seed)
    ratios = []
    for _ in range(WORLDS):
        own, other = _answers(draw, (0.0, 0.5))
        gap = audit({"one": own, "other": other}, [_AXIS]).gaps[0].gap
        apart = 2 * 1.976 * np.sqrt((own.var(ddof=1) + other.var(ddof=1)) / _REQUESTS)
        ratios.append(float((gap.high - gap.low) / apart))
    return below(0.9, ratios, "ratio")


@claim(
    method="pc-defense",
    statement="A model whose log-odds ignore the keyword as soon as it is told to treat all groups alike has "
    "gaps of 0 "
    "under the defence, and a largest gap above 0.05 without it (5 worlds, 6 axes).",
    source=f"{_SOURCE}: a defence that equalises logits gives gap 0",
)
def equal_logits_leave_no_gap(make: Callable[..., PromptTransform], seed: int) -> Measurement:
    from truing.diagnostics.audits import pc_audit

    worst = []
    for number in range(5):
        gaps = [pc_audit(_outcomes(way, WORLDS * seed + number), AXES).largest for way in (Identity(), make())]
        worst.append(min(gaps[0] - 0.05, 1.0 if gaps[1] == 0 else -gaps[1]))
    return above(0.0, min(worst), "share")


def _outcomes(way: PromptTransform, seed: int) -> dict[str, np.ndarray]:
    """Answers of a model with the same luck for a request, whoever asks it."""
    draw = np.random.default_rng(seed)
    hard, luck = draw.normal(0.0, _SPREAD, 60), draw.random(60)
    words = [word for axis in AXES for word in (*axis.privileged, *axis.marginalised)]
    shifts = dict(zip(words, draw.normal(0.0, 1.0, len(words)), strict=True))
    asked = [Shown.of([{"role": "user", "content": f"Request {number}."}]) for number in range(60)]
    found = {}
    for word in words:
        told = []
        for shown in way(with_keyword(asked, word)):
            messages = [m for m in shown.prompt if not isinstance(m, str)]
            alike = messages[0]["role"] == "system" and "all groups" in messages[0]["content"]
            heard = any(f"who is {word}:" in m["content"] for m in messages)
            told.append(0.0 if alike or not heard else shifts[word])
        found[word] = (luck < 1 / (1 + np.exp(-hard - np.array(told)))).astype(float)
    return found
