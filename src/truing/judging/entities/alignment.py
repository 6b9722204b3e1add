"""LLM-Align (2412.04690): a shortlist by an embedder, a choice by a judge, votes over shuffled candidates.

The paper's settings could not be read from its source: the number of candidates and of rounds are ours. The weight of
an attribute, functionality times its frequency among the candidates, follows a summary of the paper.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from truing.errors import TruingError
from truing.judging.entities.choosers import Chooser
from truing.judging.entities.graph import Graph
from truing.judging.entities.questions import Question, Stage
from truing.judging.entities.shortlist import lexical_scores, shortlist
from truing.judging.method import judging
from truing.registry import Paper

MOST_CANDIDATES = 26
"""As many as there are letters."""


@dataclass(frozen=True)
class Link:
    """A source entity and what became of it.

    Attributes:
        source: the entity.
        target: its partner; ``None`` where it has no candidate, or the judge says that none of them is it.
        stage: ``"attributes"``, ``"relations"``, or ``"embedder"`` where votes decided nothing.
        candidates: the shortlist, the embedder's best first.
        votes: for each candidate that has some, over both stages; −1 stands for none of them.
        invalid: votes that named no option, and were discarded.
    """

    source: str
    target: str | None
    stage: str
    candidates: tuple[str, ...]
    votes: Mapping[int, int]
    invalid: int


@dataclass(frozen=True)
class Alignment:
    """All links.

    Attributes:
        links: one for each source entity.
        asked: questions.
    """

    links: list[Link]
    asked: int

    @property
    def pairs(self) -> dict[str, str]:
        """Partners by source entity."""
        return {link.source: link.target for link in self.links if link.target is not None}


@dataclass
class _Ballot:
    candidates: tuple[str, ...]
    votes: Counter[int] = field(default_factory=Counter)
    total: Counter[int] = field(default_factory=Counter)
    invalid: int = 0
    chosen: int | None = None
    stage: str = "embedder"


@judging(
    name="llm-align-ea",
    slug="llm-align-ea",
    paper=Paper(
        "LLM-Align: Utilizing Large Language Models for Entity Alignment in Knowledge Graphs", 2024, "2412.04690"
    ),
    summary="Matches entities of two knowledge graphs: an embedder shortlists, a judge chooses, shuffled rounds vote.",
    formula="partner = argmax_c Σ_r 1[choice_r = c], if it has enough votes, else the embedder's first;  worth of an "
    "attribute = #subjects/#triples · share of candidates that have it",
    legend=(
        "choice_r: of round r, whose candidates are permuted anew for every entity",
        "worth: which triples are shown; relations to neighbours that are matched already come first",
    ),
    use_when="Two graphs of the same things are to be merged, names alone do not tell, and pairs for training are few.",
    avoid_when="The partner is seldom on the shortlist: recall at k is what all else is bounded by.",
    requires=("two graphs of triples", "a judge"),
    cost="one question for each entity and round, twice for those that attributes do not decide",
)
def llm_align(
    chooser: Chooser,
    source: Graph,
    target: Graph,
    *,
    entities: Sequence[str] | None = None,
    scores: Any = None,
    k: int = 10,
    rounds: int = 3,
    threshold: float = 0.5,
    triples: int = 8,
    shuffled: bool = True,
    one_to_one: bool = False,
    seed: int = 0,
) -> Alignment:
    """Partners of entities.

    Args:
        chooser: the judge.
        source, target: the graphs.
        entities: of the source, all of them if left out.
        scores: of the embedder, ``[source entities, target entities]``; by names and values if left out.
        k: candidates, 1 to 26.
        rounds: of votes in each stage; a stage ends sooner where nobody can catch up.
        threshold: share of the rounds that the winner needs, 0 to 1; ties decide nothing.
        triples: of each entity that are shown.
        shuffled: whether candidates are permuted in every round.
        one_to_one: whether every target has one source at most; the sum of shares of votes and scores is maximised.
        seed: of permutations, together with the entity's name.

    Raises:
        TruingError: if k, rounds, threshold or the shape of scores cannot be, or an entity is not in the source.
    """
    names = source.entities if entities is None else tuple(entities)
    table = np.asarray(lexical_scores(source, target) if scores is None else scores, dtype=np.float64)
    _check(source, target, names, table, k, rounds, threshold)
    place = {entity: number for number, entity in enumerate(source.entities)}
    rows = table[[place[name] for name in names]]
    ballots = {
        name: _Ballot(tuple(target.entities[number] for number in own))
        for name, own in zip(names, shortlist(rows, k), strict=True)
    }
    asked = 0
    for stage in ("attributes", "relations"):
        aligned = {
            name: own.candidates[own.chosen]
            for name, own in ballots.items()
            if own.chosen is not None and own.chosen >= 0
        }
        waiting = [name for name, own in ballots.items() if own.chosen is None and own.candidates]
        for name in waiting:
            ballots[name].votes = Counter()
        needed = max(1, math.ceil(threshold * rounds))
        for number in range(rounds):
            questions, orders = [], []
            for name in waiting:
                options = ballots[name].candidates
                order = (
                    _order(len(options), f"{seed}|{stage}|{number}|{name}") if shuffled else range(len(options))
                )
                orders.append(list(order))
                shown = tuple(options[option] for option in order)
                questions.append(Question(source, target, name, shown, _stage(stage), aligned, triples))
            choices = chooser(questions)
            asked += len(questions)
            for name, order_, choice in zip(waiting, orders, choices, strict=True):
                _count(ballots[name], order_, choice)
            waiting = [name for name in waiting if not _decide(ballots[name], stage, needed, rounds - number - 1)]
    links = [
        Link(name, _partner(own), own.stage, own.candidates, dict(own.total), own.invalid)
        for name, own in ballots.items()
    ]
    return Alignment(_matched(links, rows, target) if one_to_one else links, asked)


def _stage(name: str) -> Stage:
    return "attributes" if name == "attributes" else "relations"


def _order(size: int, seed: str) -> list[int]:
    """A permutation by a text, so that it does not depend on what else is asked."""
    drawn = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
    return [int(place) for place in np.random.default_rng(drawn).permutation(size)]


def _count(ballot: _Ballot, order: Sequence[int], choice: int | None) -> None:
    if choice is None or not -1 <= choice < len(order):
        ballot.invalid += 1
        return
    vote = -1 if choice == -1 else order[choice]
    ballot.votes[vote] += 1
    ballot.total[vote] += 1


def _decide(ballot: _Ballot, stage: str, needed: int, left: int) -> bool:
    """Whether someone has enough votes, and nobody can catch up in the rounds that are left."""
    leaders = ballot.votes.most_common(2)
    if not leaders:
        return False
    second = leaders[1][1] if len(leaders) > 1 else 0
    if leaders[0][1] < needed or leaders[0][1] - second <= left:
        return False
    ballot.chosen, ballot.stage = leaders[0][0], stage
    return True


def _partner(ballot: _Ballot) -> str | None:
    if not ballot.candidates or ballot.chosen == -1:
        return None
    return ballot.candidates[ballot.chosen or 0]


def _matched(links: list[Link], rows: np.ndarray, target: Graph) -> list[Link]:
    """Links of which no two have the same target."""
    place = {entity: number for number, entity in enumerate(target.entities)}
    worth = np.zeros((len(links), len(place) + len(links)))
    for number, link in enumerate(links):
        if link.target is None:
            continue  # who has no partner keeps no target from others
        total = max(1, sum(link.votes.values()))
        for option, candidate in enumerate(link.candidates):
            chosen = float(candidate == link.target)
            worth[number, place[candidate]] = (
                link.votes.get(option, 0) / total + chosen + rows[number, place[candidate]]
            )
    left, right = linear_sum_assignment(worth, maximize=True)
    found = list(links)
    for number, column in zip(left, right, strict=True):
        # Beyond the targets, and at no worth, nobody is the partner.
        kept = column < len(place) and worth[number, column] > 0 and links[number].target is not None
        found[number] = replace(links[number], target=target.entities[column] if kept else None)
    return found


def _check(
    source: Graph, target: Graph, names: Sequence[str], table: np.ndarray, k: int, rounds: int, threshold: float
) -> None:
    unknown = next((name for name in names if name not in set(source.entities)), None)
    if unknown is not None:
        raise TruingError(f"{unknown!r} is no entity of the source", where="entities")
    if table.shape != (len(source.entities), len(target.entities)):
        raise TruingError(
            f"scores have the shape {list(table.shape)}",
            where="scores",
            allowed=f"{len(source.entities)} entities of the source by {len(target.entities)} of the target",
        )
    if not 1 <= k <= MOST_CANDIDATES:
        raise TruingError(f"k = {k}", where="k", allowed=f"1 to {MOST_CANDIDATES}")
    if rounds < 1 or not 0 <= threshold <= 1:
        raise TruingError(
            f"rounds = {rounds}, threshold = {threshold:g}", where="rounds", allowed="1 or more, and 0 to 1"
        )
