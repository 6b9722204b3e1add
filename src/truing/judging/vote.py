"""Rounds of one judge, or several judges, that each see a pair in an order of their own, and vote."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from truing.errors import TruingError
from truing.judging.comparer import Comparer
from truing.judging.merging import Merge, plurality
from truing.judging.method import judging
from truing.judging.presentation import ORDERS, Pair
from truing.judging.verdict import Verdict
from truing.registry import Paper
from truing.rewards.algebra.context import prompt_key


@judging(
    name="judge-vote",
    slug="pairwise-judge",
    paper=Paper(
        "Replacing Judges with Juries: Evaluating LLM Generations with a Panel of Diverse Models",
        2024,
        "2404.18796",
    ),
    summary="Lets several rounds of a judge, or several judges, vote on each pair, each in an order that is shuffled.",
    formula="winner = the most frequent of v₁, …, v_R;  a tie between A and B is a tie",
    legend=("v_r: verdict of round r, which sees the pair in one order", "R: rounds, half of them in each order"),
    use_when="A judge contradicts itself and questions are cheap, or several small judges are at hand: what they err "
    "in differently cancels.",
    avoid_when="All rounds ask one judge at temperature 0: two orders say all that there is. Judges of one family err "
    "alike, and a vote only makes that look certain.",
    requires=("pairs of answers", "judges, or seeds of one"),
    cost="one question for each round",
)
def judge_vote(
    comparers: Sequence[Comparer], pairs: Sequence[Pair], *, merge: Merge = plurality, seed: int = 0
) -> list[Verdict]:
    """A verdict on each pair.

    Args:
        comparers: who votes, one for each round. Rounds of one judge need seeds and a temperature of their own.
        pairs: of answers.
        merge: what the votes come to.
        seed: of the order in which the first round sees a pair; rounds then take turns.

    Raises:
        TruingError: without voters.
    """
    if not comparers:
        raise TruingError("nobody votes", where="comparers", allowed="one or more")
    rounds = [
        [ORDERS[(_start(pair, seed) + number) % len(ORDERS)] for pair in pairs] for number in range(len(comparers))
    ]
    votes = [
        comparer([presentation.show(pair) for presentation, pair in zip(shown, pairs, strict=True)])
        for comparer, shown in zip(comparers, rounds, strict=True)
    ]
    return [
        merge([shown[place] for shown in rounds], [said[place] for said in votes]) for place in range(len(pairs))
    ]


def _start(pair: Pair, seed: int) -> int:
    """0 or 1, by the texts alone: a pair is shown the same way in every file, whichever of its answers is called A."""
    low, high = sorted((pair.a, pair.b))
    drawn = hashlib.sha256("\x00".join((str(seed), prompt_key(pair.prompt), low, high)).encode()).digest()[0] % 2
    return drawn ^ int(pair.a != low)
