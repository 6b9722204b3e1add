"""How much room a list of principles leaves to annotators, and how they use it (2502.10441)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from truing.audit.judges.priorities import RIDGE, kendall_distance, strengths
from truing.diagnostics.audit import audit
from truing.errors import TruingError
from truing.json_values import plain
from truing.registry import Paper
from truing.statistics import UNKNOWN, Estimate, rate


@dataclass(frozen=True)
class Room:
    """What principles say of pairs, whoever annotates: the three shares add up to 1.

    Attributes:
        consensus: all principles that are not indifferent agree.
        conflict: two of them contradict each other.
        indifference: all are indifferent.
        required: discretion is required: conflict or indifference.
    """

    consensus: Estimate
    conflict: Estimate
    indifference: Estimate
    required: Estimate


@dataclass(frozen=True)
class Annotator:
    """How one annotator uses the room.

    Attributes:
        name: who.
        room: of the pairs that this annotator decided.
        arbitrariness: DA, share of consensus pairs that were decided against the consensus.
        wins: how often the annotator sided with principle i against j, shape ``[K, K]``.
        priorities: Bradley-Terry strength of each principle, nats, with bootstrap intervals; ``n`` counts its
            conflicts. Unknown where it has none.
    """

    name: str
    room: Room
    arbitrariness: Estimate
    wins: np.ndarray
    priorities: tuple[Estimate, ...]

    def supremacy(self, i: int, j: int) -> Estimate:
        """PS(i, j): share of the conflicts between two principles in which i prevails; PS(i, j) + PS(j, i) = 1."""
        return rate(float(self.wins[i, j]), int(self.wins[i, j] + self.wins[j, i]))

    @property
    def order(self) -> list[int]:
        """Principles that were in conflict, the strongest first."""
        known = [place for place, own in enumerate(self.priorities) if np.isfinite(own.value)]
        return sorted(known, key=lambda place: -self.priorities[place].value)


@dataclass(frozen=True)
class Discretion:
    """Discretion in a data set.

    Attributes:
        principles: names.
        annotators: in the order in which they come.
        discrepancy: DD of two annotators by name: normalised Kendall distance of their priorities, 0 to 1, with
            bootstrap interval. Chance keeps it above 0 even for equal priorities.
        undecided: rows without a vote, or without all principles' votes.
    """

    principles: tuple[str, ...]
    annotators: tuple[Annotator, ...]
    discrepancy: dict[tuple[str, str], Estimate]
    undecided: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        count = len(self.principles)
        tables = [
            {
                **asdict(own),
                "wins": own.wins.tolist(),
                "supremacy": [[asdict(own.supremacy(i, j)) for j in range(count)] for i in range(count)],
            }
            for own in self.annotators
        ]
        pairs = [{"of": list(pair), **asdict(own)} for pair, own in self.discrepancy.items()]
        found: dict[str, Any] = plain(
            {
                "principles": self.principles,
                "annotators": tables,
                "discrepancy": pairs,
                "undecided": self.undecided,
            }
        )
        return found

    def sentences(self) -> list[str]:
        """For people."""
        lines = []
        for own in self.annotators:
            room = own.room
            lines.append(
                f"{own.name}, {room.consensus.n:,} votes: principles agree on {_spread(room.consensus)}, conflict on "
                f"{_spread(room.conflict)}, and say nothing on {_spread(room.indifference)}; what they do not decide "
                "is left to the annotator."
            )
            lines.append(
                f"  against the consensus: {_share(own.arbitrariness)} 0 % follows the principles, 50 % ignores them."
            )
            if own.order:
                lines.append("  Who wins conflicts, nats, 95 % interval of each by itself; the strongest first:")
            for place in own.order:
                weight = own.priorities[place]
                span = f"{weight.value:+.2f} ({weight.low:+.2f} to {weight.high:+.2f})"
                lines.append(f"  {self.principles[place]}: priority {span}, {weight.n:,} conflicts")
        lines += [
            f"Pairs of principles that {a} and {b} order differently: {_share(own)}"
            for (a, b), own in self.discrepancy.items()
        ]
        return lines


def _spread(own: Estimate) -> str:
    return f"{own.value:.1%} ({own.low:.1%} to {own.high:.1%})"


def _share(own: Estimate) -> str:
    return f"{own.value:.1%} (95 % interval {own.low:.1%} to {own.high:.1%}, n = {own.n:,})."


@audit(
    name="discretion",
    slug="discretion",
    paper=Paper("AI Alignment at Your Discretion", 2025, "2502.10441"),
    summary="Measures how much room principles leave to annotators, how arbitrarily it is used, and which principles "
    "win.",
    formula="DA = P(a ≠ consensus | consensus);  PS(i, j) = P(a = c_i | c_i = −c_j ≠ 0);  DD = Kendall distance of "
    "priorities",
    legend=(
        "c_k: vote of principle k on a pair, 1, −1, or 0 where it is indifferent",
        "a: the annotator's choice, 1 or −1",
        "consensus: some c_k is not 0, and all that are not are equal",
        "priorities: Bradley-Terry strengths of principles, from all conflicts",
    ),
    use_when="People, reward models or judges annotate by a written list of principles: to see how often the list "
    "decides, who overrules it, and whether a model trained on the labels weighs principles as people did.",
    avoid_when="Principles are few or always agree: there are no conflicts to learn from. Votes of an oracle that "
    "knows other principles, too, measure the oracle.",
    requires=("pairs", "votes of principles"),
    cost="seconds; a model as oracle is asked twice for each pair and principle",
)
def discretion(
    votes: np.ndarray,
    choices: np.ndarray,
    principles: Sequence[str],
    *,
    annotators: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    ridge: float = RIDGE,
    draws: int = 200,
    seed: int = 0,
) -> Discretion:
    """Measure discretion of every annotator.

    What the paper's authors used to turn supremacies into priorities could not be looked up beyond its name; here it is
    Bradley-Terry on counts of conflicts, with a small ridge.

    Args:
        votes: 1 where a principle prefers the first answer, −1 where the second, 0 where it is indifferent; shape
            ``[N, K]``. Rows with a nan are left out.
        choices: above 0 where the annotator prefers the first answer, below where the second; 0 and nan are no choice;
            shape ``[N]``.
        principles: names, ``K`` of them.
        annotators: who chose; one if left out.
        groups: rows of a group, as those with one prompt, are drawn together by the bootstrap.
        ridge: of the priorities.
        draws: bootstrap samples; the same draw of groups for all annotators.
        seed: of the draws.

    Raises:
        TruingError: on shapes or values that cannot be, or if no row is left.
    """
    votes, choices = np.asarray(votes, dtype=np.float64), np.asarray(choices, dtype=np.float64)
    _check(votes, choices, principles, ridge, draws)
    count = len(choices)
    who = np.array(["annotator"] * count if annotators is None else list(annotators), dtype=object)
    group = np.array(list(map(str, range(count) if groups is None else groups)))
    if len(who) != count or len(group) != count:
        raise TruingError("there is not one annotator and one group for each choice", allowed=f"{count} of each")
    known = np.isfinite(votes).all(1) & np.isfinite(choices) & (choices != 0)
    if not known.any():
        raise TruingError("no row has a choice and the votes of all principles", where="choices")
    names, place = np.unique(group, return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    found, again = [], []
    for name in dict.fromkeys(who[known]):
        rows = known & (who == name)
        own, tables = _annotator(str(name), votes[rows], np.sign(choices[rows]), drawn[:, place[rows]], ridge)
        found.append(own)
        again.append(tables)
    discrepancy = {}
    for (i, one), (j, other) in combinations(enumerate(found), 2):
        centre = kendall_distance(_values(one), _values(other))
        spread = kendall_distance(again[i], again[j])
        both = int(np.isfinite(_values(one) + _values(other)).sum())
        discrepancy[one.name, other.name] = _quantiles(float(centre), spread, both * (both - 1) // 2)
    return Discretion(tuple(principles), tuple(found), discrepancy, int((~known).sum()))


def _annotator(
    name: str, votes: np.ndarray, choices: np.ndarray, drawn: np.ndarray, ridge: float
) -> tuple[Annotator, np.ndarray]:
    """Numbers of one annotator, and priorities in every bootstrap sample, ``[draws, K]``."""
    ahead, behind = (votes > 0).any(1), (votes < 0).any(1)
    counts = {"consensus": ahead ^ behind, "conflict": ahead & behind, "indifference": ~ahead & ~behind}
    shares = {key: rate(float(rows.sum()), len(votes)) for key, rows in counts.items()}
    room = Room(**shares, required=rate(float((~counts["consensus"]).sum()), len(votes)))
    agreed = counts["consensus"]
    against = agreed & (np.where(ahead, 1.0, -1.0) != choices)
    # A principle that sides with the annotator wins against each one that does not.
    with_it, against_it = (votes == choices[:, None]).astype(float), (votes == -choices[:, None]).astype(float)
    wins = with_it.T @ against_it
    played = wins.sum(0) + wins.sum(1)
    hidden = np.where(played > 0, 0.0, np.nan)
    centre = strengths(wins, ridge) + hidden
    again = strengths(np.stack([(with_it * own[:, None]).T @ against_it for own in drawn]), ridge) + hidden
    priorities = tuple(
        _quantiles(float(value), again[:, k], int(played[k])) if played[k] else UNKNOWN
        for k, value in enumerate(centre)
    )
    return Annotator(name, room, rate(float(against.sum()), int(agreed.sum())), wins, priorities), again


def _values(own: Annotator) -> np.ndarray:
    return np.array([priority.value for priority in own.priorities])


def _quantiles(centre: float, table: np.ndarray, n: int) -> Estimate:
    low, high = np.quantile(table, (0.025, 0.975))
    return Estimate(centre, float(low), float(high), n)


def _check(votes: np.ndarray, choices: np.ndarray, principles: Sequence[str], ridge: float, draws: int) -> None:
    if votes.ndim != 2 or votes.shape != (len(choices), len(principles)) or choices.ndim != 1:
        raise TruingError(
            f"votes have shape {list(votes.shape)}, choices {list(choices.shape)}, and there are {len(principles)} "
            "principles",
            where="votes",
            allowed="[N, K] votes, [N] choices and K names",
        )
    if not np.isin(votes[np.isfinite(votes)], (-1, 0, 1)).all():
        raise TruingError("a vote of a principle is not −1, 0 or 1", where="votes")
    if not ridge > 0 or draws < 1:
        raise TruingError(f"ridge = {ridge}, draws = {draws}", allowed="a ridge above 0, and 1 or more draws")
