"""Where pairs stand among a policy's own answers, and what that says about which data to collect (2404.14367).

Three cases decide: the better answers are among those that the policy writes anyway; they are not, but the worse ones
are; or neither are, so that the pairs are somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from truing.statistics import Estimate, rate

Case = Literal["covered", "unlikely", "skewed"]

LOW = 0.05
"""An answer is unlikely where fewer than this share of the policy's own answers are less likely."""
LEAST_OWN = 20
"""Own answers below which the lowest twentieth holds less than one."""
MOST = 0.5
"""Share of unlikely answers from which a side counts as unlikely."""


@dataclass(frozen=True)
class Advice:
    """A row of the decision table.

    Attributes:
        case: which one.
        means: in words.
        collect: which data help.
        use: families of algorithms, by registered names where there are some.
        why: what was measured, as names of claims.
    """

    case: Case
    means: str
    collect: str
    use: str
    why: tuple[str, ...]


DECISIONS: tuple[Advice, ...] = (
    Advice(
        "covered",
        "Better answers are among those that the policy writes anyway.",
        "These pairs will do; more of the policy's own answers add little.",
        "Offline pairwise objectives such as dpo or ipo. sft on the best answers gets part of the way.",
        ("on-policy-negative-gradient/little-to-gain-where-the-optimum-is-near",),
    ),
    Advice(
        "unlikely",
        "Better answers are where the policy hardly writes, worse ones are its usual ones.",
        "The policy's own answers, judged, and again after some steps: mass has to travel.",
        "Objectives that push worse answers down, on fresh samples if they can be judged; offline dpo or ipo before "
        "sft on the best if they cannot. Samples that are reused many times want a clip.",
        (
            "on-policy-negative-gradient/order-where-the-optimum-is-far",
            "on-policy-negative-gradient/reuse-wears-out-on-policy-pairs",
            "on-policy-negative-gradient/clipping-saves-reuse",
        ),
    ),
    Advice(
        "skewed",
        "Neither side is what the policy writes: the pairs are somebody else's.",
        "New pairs of the policy's own answers; or first make such answers usual, by sft on the chosen ones where they "
        "are known to be good.",
        "On these pairs as they are, watch chosen answers: offline objectives can lower both sides at once.",
        (
            "on-policy-negative-gradient/skewed-pairs-mislead",
            "on-policy-negative-gradient/displacement-needs-shared-features",
        ),
    ),
)
"""What to collect and which family to use, by case."""


@dataclass(frozen=True)
class Standing:
    """Pairs among the policy's own answers.

    Attributes:
        chosen, rejected: share of the own answers that are less likely than each answer, ``[N]``; 0.5 is usual.
    """

    chosen: np.ndarray
    rejected: np.ndarray

    @property
    def chosen_low(self) -> Estimate:
        """Share of chosen answers that are unlikely."""
        return _low(self.chosen)

    @property
    def rejected_low(self) -> Estimate:
        """Share of rejected answers that are unlikely."""
        return _low(self.rejected)

    @property
    def case(self) -> Case:
        """Which of the three it is."""
        if self.chosen_low.value < MOST:
            return "covered"
        return "unlikely" if self.rejected_low.value < MOST else "skewed"

    @property
    def advice(self) -> Advice:
        """The row of the decision table that applies."""
        return next(row for row in DECISIONS if row.case == self.case)

    @property
    def sure(self) -> bool:
        """Whether the intervals of the deciding shares lie on one side of one half."""
        deciding = [self.chosen_low] if self.case == "covered" else [self.chosen_low, self.rejected_low]
        return all(share.high < MOST or share.low > MOST for share in deciding)


def standing(own: np.ndarray, chosen: np.ndarray, rejected: np.ndarray) -> Standing:
    """Where pairs stand.

    Args:
        own: log-probability of the policy's own answers under it, nats a token, ``[M]``, M at least 20.
        chosen, rejected: the same of the pairs' answers, ``[N]``.
    """
    order = np.sort(np.asarray(own, dtype=np.float64))
    sides = (_places(order, side) for side in (chosen, rejected))
    return Standing(*sides)


def _places(order: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Share of ``order`` below each value; ties count half."""
    below, upto = (np.searchsorted(order, values, side=side) for side in ("left", "right"))
    places: np.ndarray = (below + upto) / (2 * len(order))
    return places


def _low(places: np.ndarray) -> Estimate:
    return rate(int((places < LOW).sum()), len(places))
