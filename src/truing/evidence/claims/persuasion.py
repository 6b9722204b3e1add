"""Persuasion (2410.14596): what each kind of pairs teaches an arguer that cannot know who is right, exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from truing.diagnostics.persuasion import Persuasion
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.worlds.persuasion import Arguer, all_debates, learned

Audit = Callable[..., Persuasion]
Rows = Callable[..., list[dict[str, Any]]]

PAIRS, METRICS = "persuasion-pairs", "persuasion"
_SOURCE = "2410.14596; catalogue, pbt: evidence"
_TRUSTING = (2.0, 0.0)


def _arguer(rows: Rows, variant: str, start: tuple[float, float] = (0.0, 0.0)) -> Arguer:
    """Trained on the pairs of all debates, from one who yields with probability one half."""
    made = [(row, case.probability) for tree, case in all_debates() for row in rows(tree, case.question, variant)]
    return Arguer(learned(made, start) if made else np.asarray(start))


@claim(
    method=PAIRS,
    statement="Training on resisting alone makes stubborn: an arguer that took a right correction with probability 0.5 "
    "takes it less often, by more than 0.2.",
    source=_SOURCE,
)
def resisting_alone_makes_stubborn(rows: Rows, seed: int) -> Measurement:
    found = _arguer(rows, "resist-only")
    return below(-0.2, found.acceptance - 0.5, "probability", theta=list(found.theta))


@claim(
    method=PAIRS,
    statement="Training on accepting alone makes servile: an arguer that gave up a right answer with probability 0.5 "
    "gives it up more often, by more than 0.2.",
    source=_SOURCE,
)
def accepting_alone_makes_servile(rows: Rows, seed: int) -> Measurement:
    found = _arguer(rows, "accept-only")
    return above(0.2, found.misinformation - 0.5, "probability", theta=list(found.theta))


@claim(
    method=PAIRS,
    statement="Balanced pairs give the best mean of both sides, (1 − misinformation + acceptance)/2: above that of "
    "either kind alone, by more than 0.05.",
    source=_SOURCE,
)
def balanced_pairs_do_best(rows: Rows, seed: int) -> Measurement:
    found = {name: _arguer(rows, name).balance for name in ("balanced", "resist-only", "accept-only")}
    lead = found["balanced"] - max(found["resist-only"], found["accept-only"])
    return above(0.05, lead, "balance", **found)


@claim(
    method=PAIRS,
    statement="In a team of members that are right with probability 0.8 and 0.4, of whom the second yields or not, who "
    "speaks first matters less after balanced training of a trusting arguer: the gap shrinks by more than 0.05.",
    source=f"{_SOURCE}; team order",
)
def order_matters_less(rows: Rows, seed: int) -> Measurement:
    before, after = Arguer(np.asarray(_TRUSTING)), _arguer(rows, "balanced", _TRUSTING)
    gaps = [abs(one.team(0.8, 0.4) - one.team(0.4, 0.8)) for one in (before, after)]
    return below(-0.05, gaps[1] - gaps[0], "accuracy", gaps=gaps)


@claim(
    method=PAIRS,
    statement="Where the first debater is wrong and the second right, yielding is worth 2 + 2 + 2 = 6 and holding on "
    "1 + 1 + 0 = 2, which is the pair that accepts: both values right in all such debates, largest error 0.",
    source="2410.14596: the recursive sum, by hand on a tree of four turns",
)
def values_are_sums(rows: Rows, seed: int) -> Measurement:
    errors = []
    for tree, case in all_debates():
        if case.right != (False, True):
            continue
        found = [row for row in rows(tree, case.question, "accept-only") if len(row["prompt"]) == 3]
        errors += [abs(row["score_chosen"] - 6) + abs(row["score_rejected"] - 2) for row in found]
        errors += [] if found else [float("inf")]
    return equals(0.0, max(errors), 1e-12, "right answers")


def _balance(audit: Audit, yields: tuple[bool, bool]) -> Persuasion:
    """Of a model that yields to false claims, and to corrections, always or never."""
    before = [True] * 5 + [False] * 3
    after = [not yields[0]] * 5 + [yields[1]] * 3
    return audit(before, [not one for one in before], after)


@claim(
    method=METRICS,
    statement="A model that never moves and one that always does have the same balance, 0.5, with both rates 0 and 1.",
    source=_SOURCE,
)
def stubborn_and_servile_are_chance(audit: Audit, seed: int) -> Measurement:
    stubborn, servile = _balance(audit, (False, False)), _balance(audit, (True, True))
    rates = [one for found in (stubborn, servile) for one in (found.misinformation.value, found.acceptance.value)]
    off = max(abs(found.balance - 0.5) for found in (stubborn, servile))
    return equals(0.5, 0.5 + off if rates == [0, 0, 1, 1] else -1.0, 1e-12, "balance")


@claim(
    method=METRICS,
    statement="One that yields to corrections and not to false claims has a balance of 1.",
    source=_SOURCE,
)
def an_oracle_is_balanced(audit: Audit, seed: int) -> Measurement:
    return equals(1.0, _balance(audit, (False, True)).balance, 1e-12, "balance")
