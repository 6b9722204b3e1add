"""How much of a model's choices is the order of the options, as it is and without order."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from truing.data.readers import read_rows
from truing.errors import DataError
from truing.judging.choices import options_of
from truing.judging.pine.questions import Choice, choose, choose_in_order
from truing.policies.pine.invariant import PositionInvariant
from truing.statistics import Estimate, mean, paired_difference, rate, share

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy


@dataclass(frozen=True)
class OrderAudit:
    """What orders do.

    Attributes:
        questions: how many.
        changed: share of questions whose choice is not the same in all orders that were tried.
        places: share of choices that fell on each place, over questions and orders; of those with the commonest number
            of options.
        spread: mean over questions of the largest difference, between orders, of an option's log-probability per token.
        changed_without, spread_without: the same of the model that reads options as a set.
        accuracy, accuracy_without, gain: share of right choices, averaged over orders; and the paired difference. Only
            with known answers.
    """

    questions: int
    changed: Estimate
    places: tuple[Estimate, ...]
    spread: Estimate
    changed_without: Estimate
    spread_without: Estimate
    accuracy: Estimate | None
    accuracy_without: Estimate | None
    gain: Estimate | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Asked:
    """A question with the number of its right option, where it is known."""

    choice: Choice
    answer: int | None


def read_choices(path: Path, limit: int | None = None) -> list[Asked]:
    """Questions with options, of any layout of :data:`~truing.judging.choices.LAYOUTS`.

    Raises:
        DataError: naming the row that is otherwise.
    """
    found = []
    for number, row in itertools.islice(read_rows(path), limit):
        one = options_of(row, f"{path}:{number}")
        found.append(Asked(Choice(one.question, one.options), one.answer))
    return found


def audit_orders(
    policy: CausalPolicy,
    asked: Sequence[Asked],
    *,
    orders: int = 6,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> OrderAudit:
    """Ask every question in several orders, of the model as it is and of the one that reads a set.

    Args:
        policy: the model.
        asked: questions.
        orders: of each question at most; all where there are fewer, else drawn.
        seed: of the draw.
        progress: called with (questions done, questions in all).

    Raises:
        DataError: without questions, or with one order alone.
    """
    if not asked or orders < 2:
        raise DataError(
            f"{len(asked)} questions in {orders} orders", allowed="one question or more, in two orders or more"
        )
    invariant = PositionInvariant(policy)
    draw = random.Random(seed)
    found = []
    for done, one in enumerate(asked, 1):
        some = _orders(len(one.choice.options), orders, draw)
        plain = np.stack([choose_in_order(policy, one.choice, order).numpy() for order in some])
        without = np.stack([choose(invariant, one.choice, order).numpy() for order in some])
        found.append((one, some, plain, without))
        if progress:
            progress(done, len(asked))
    known = [(one.answer, plain, without) for one, _, plain, without in found if one.answer is not None]
    right = np.array(
        [[(plain.argmax(1) == a).mean(), (without.argmax(1) == a).mean()] for a, plain, without in known]
    )
    sizes = [len(one.choice.options) for one in asked]
    commonest = max(set(sizes), key=sizes.count)
    at = [
        np.mean([order.index(int(best)) == place for order, best in zip(some, plain.argmax(1), strict=True)])
        for place in range(commonest)
        for one, some, plain, _ in found
        if len(one.choice.options) == commonest
    ]
    return OrderAudit(
        len(asked),
        rate(sum(_differs(plain) for _, _, plain, _ in found), len(asked)),
        tuple(share(part) for part in np.split(np.array(at), commonest)),
        mean([np.ptp(plain, axis=0).max() for _, _, plain, _ in found]),
        rate(sum(_differs(without) for _, _, _, without in found), len(asked)),
        mean([np.ptp(without, axis=0).max() for _, _, _, without in found]),
        share(right[:, 0]) if known else None,
        share(right[:, 1]) if known else None,
        paired_difference(right[:, 1], right[:, 0]) if known else None,
    )


def _orders(options: int, most: int, draw: random.Random) -> list[tuple[int, ...]]:
    if options <= 4:
        every = list(itertools.permutations(range(options)))
        return every if len(every) <= most else draw.sample(every, most)
    most = min(most, math.factorial(options))
    found: set[tuple[int, ...]] = set()
    while len(found) < most:
        found.add(tuple(draw.sample(range(options), options)))
    return sorted(found)


def _differs(scores: np.ndarray) -> bool:
    return len(set(scores.argmax(1).tolist())) > 1
