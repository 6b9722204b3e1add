"""What verdicts say about two sets of answers, and about the judge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from truing.errors import TruingError
from truing.judging.presentation import LABELS
from truing.judging.verdict import Opinion, Verdict, Winner
from truing.statistics import UNKNOWN, Estimate, kappa, mean, rate

_RESAMPLES = 2000


@dataclass(frozen=True)
class Comparison:
    """Two sets of answers by the verdicts on them.

    Attributes:
        wins, ties, losses: verdicts, as seen from A.
        none: pairs without a verdict, because the judge abstained or a reply could not be read.
        unread: replies that could not be read.
        abstained: replies that say that the judge cannot tell.
        asked: opinions that were asked for.
        win_rate: mean share of a win for A; 95 % interval by bootstrap over prompts.
        p_value: exact two-sided sign test on prompts that lean one way; ``nan`` where none does.
        consistency: share of pairs on which all presentations agree.
        position_bias: of pairs on which they do not, how much more often the answer that stands first was chosen than
            the one that stands second, −1 to 1.
    """

    wins: int
    ties: int
    losses: int
    none: int
    unread: int
    abstained: int
    asked: int
    win_rate: Estimate
    p_value: float
    consistency: Estimate
    position_bias: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            name: value.as_dict() if isinstance(value, Estimate) else value for name, value in vars(self).items()
        }


def comparison(verdicts: Sequence[Verdict], prompts: Sequence[str], seed: int = 0) -> Comparison:
    """What verdicts come to.

    Args:
        verdicts: on pairs.
        prompts: key of each pair's prompt; pairs of one prompt are not independent, and are resampled together.
        seed: of the bootstrap.

    Raises:
        TruingError: if there is not one prompt for each verdict.
    """
    if len(prompts) != len(verdicts):
        raise TruingError(f"{len(verdicts)} verdicts on pairs of {len(prompts)} prompts", where="prompts")
    counts = {name: sum(verdict.winner == name for verdict in verdicts) for name in ("A", "tie", "B", "abstain")}
    shares = by_prompt([verdict.share for verdict in verdicts], prompts)
    above, below = int((shares > 0.5).sum()), int((shares < 0.5).sum())
    return Comparison(
        wins=counts["A"],
        ties=counts["tie"],
        losses=counts["B"],
        none=counts["abstain"],
        unread=sum(verdict.unread for verdict in verdicts),
        abstained=sum(verdict.abstained for verdict in verdicts),
        asked=sum(len(verdict.opinions) for verdict in verdicts),
        win_rate=bootstrapped(shares, seed),
        p_value=float(stats.binomtest(above, above + below).pvalue) if above + below else math.nan,
        consistency=consistency(verdicts),
        position_bias=position_bias(verdicts),
    )


def by_prompt(values: Sequence[float] | np.ndarray, prompts: Sequence[str] | np.ndarray) -> np.ndarray:
    """Means of the known values of each prompt, in the order in which prompts come."""
    groups: dict[str, list[float]] = {}
    for value, prompt in zip(values, prompts, strict=True):
        if math.isfinite(value):
            groups.setdefault(prompt, []).append(value)
    return np.array([math.fsum(group) / len(group) for group in groups.values()])


def bootstrapped(shares: np.ndarray, seed: int = 0) -> Estimate:
    """A mean of shares with its percentile bootstrap interval; Wilson's where they are all equal or one is alone.

    Equal shares are equal in every resample, and the interval would say that nothing else is possible.
    """
    if len(shares) == 0:
        return UNKNOWN
    if len(shares) < 2 or np.ptp(shares) == 0:
        return rate(float(shares.sum()), len(shares))
    found = stats.bootstrap(
        (shares,), np.mean, n_resamples=_RESAMPLES, method="percentile", rng=np.random.default_rng(seed)
    ).confidence_interval
    return Estimate(float(shares.mean()), float(found.low), float(found.high), len(shares))


def consistency(verdicts: Sequence[Verdict]) -> Estimate:
    """Share of pairs, shown more than once and read each time, on which all presentations name the same answer."""
    known = [verdict.consistent for verdict in verdicts if verdict.consistent is not None]
    return rate(sum(known), len(known))


def position_bias(verdicts: Sequence[Verdict]) -> Estimate:
    """Of inconsistent pairs, the share of opinions for the answer that stands first, less that for the second.

    The interval is Student's, or Wilson's where all lean alike or one is alone.
    """
    leaning = [_lean(verdict.opinions) for verdict in verdicts if verdict.consistent is False]
    if leaning and np.ptp(leaning) == 0:
        alike = rate(math.fsum((1 + lean) / 2 for lean in leaning), len(leaning))
        return Estimate(leaning[0], 2 * alike.low - 1, 2 * alike.high - 1, len(leaning))
    found = mean(leaning)
    return Estimate(found.value, max(-1.0, found.low), min(1.0, found.high), found.n)


def leans(verdicts: Sequence[Verdict]) -> tuple[Estimate, Estimate]:
    """How far a judge leans to the answer that stands first, and to the one that is called A; −1 to 1 each.

    Means of 2 P(first) − 1, and of the same with the sign of the letter. Pairs have to be shown in
    :data:`~truing.judging.presentation.ORDERS_AND_LABELS`, so that quality cancels and place and letter are apart.
    """
    place, letter = [], []
    for verdict in verdicts:
        known = [
            (2 * said.first - 1, 1.0 if shown.labels == LABELS else -1.0)
            for shown, said in zip(verdict.presentations, verdict.opinions, strict=True)
            if said.first is not None
        ]
        if len(known) == len(verdict.opinions):
            place.append(math.fsum(lean for lean, _ in known) / len(known))
            letter.append(math.fsum(lean * sign for lean, sign in known) / len(known))
    return mean(place), mean(letter)


def first_place(opinions: Sequence[Opinion], prompts: Sequence[str]) -> Estimate:
    """Share of opinions, of pairs whose order was drawn at random, for the answer that stands first; ties half.

    One half is expected of a judge without a bias for a place.

    Args:
        opinions: of the answers as they stood.
        prompts: key of each pair's prompt, over which the interval is bootstrapped.
    """
    shares = {"first": 1.0, "second": 0.0, "tie": 0.5}
    found = [shares[opinion.side] if opinion.side else math.nan for opinion in opinions]
    return bootstrapped(by_prompt(found, prompts))


def _lean(opinions: Sequence[Opinion]) -> float:
    leans = {"first": 1.0, "second": -1.0, "tie": 0.0}
    return math.fsum(leans[opinion.side] for opinion in opinions if opinion.side) / len(opinions)


@dataclass(frozen=True)
class Agreement:
    """Verdicts beside labels that people gave, or that are known.

    Attributes:
        accuracy: share of verdicts that are the label, of pairs with both; a tie is right where the label is one.
        decided: the same where neither is a tie.
        kappa: Cohen's, of A, B and tie; unknown where all verdicts, or all labels, are one and the same.
        none: pairs without a verdict or without a label.
    """

    accuracy: Estimate
    decided: Estimate
    kappa: Estimate
    none: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "accuracy": self.accuracy.as_dict(),
            "decided": self.decided.as_dict(),
            "kappa": self.kappa.as_dict(),
            "none": self.none,
        }


def agreement_by_order(verdicts: Sequence[Verdict], labels: Sequence[Winner | None]) -> dict[str, Agreement]:
    """What a judge that is asked in one order alone would have agreed with; empty unless all pairs have several.

    Args:
        verdicts: on pairs that were all shown alike.
        labels: as :func:`agreement` takes them.
    """
    ways = {verdict.presentations for verdict in verdicts}
    if len(ways) != 1 or len(next(iter(ways))) < 2:
        return {}
    names: dict[str | None, Winner] = {"first": "A", "second": "B", "tie": "tie", None: "abstain"}
    found: dict[str, Agreement] = {}
    for place, shown in enumerate(ways.pop()):
        name = f"{'B' if shown.swapped else 'A'} first" + ("" if shown.labels == LABELS else ", letters exchanged")
        found.setdefault(name, agreement([names[verdict.of_a[place].side] for verdict in verdicts], labels))
    return found


def agreement(winners: Sequence[Winner], labels: Sequence[Winner | None]) -> Agreement:
    """How far verdicts agree with labels.

    Args:
        winners: of the judge.
        labels: ``None`` or ``"abstain"`` where there is none.

    Raises:
        TruingError: if there is not one label for each.
    """
    if len(winners) != len(labels):
        raise TruingError(f"{len(winners)} verdicts beside {len(labels)} labels", where="labels")
    both = [
        (said, label)
        for said, label in zip(winners, labels, strict=True)
        if said != "abstain" and label not in (None, "abstain")
    ]
    decided = [(said, label) for said, label in both if "tie" not in (said, label)]
    return Agreement(
        accuracy=rate(sum(said == label for said, label in both), len(both)),
        decided=rate(sum(said == label for said, label in decided), len(decided)),
        kappa=kappa([said for said, _ in both], [label for _, label in both]),
        none=len(winners) - len(both),
    )
