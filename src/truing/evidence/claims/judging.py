"""Protocols of judges: order swap, votes, scores one by one, references, reflection (2306.05685)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
from scipy.special import expit

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.judging.comparers.text import TextVerdicts
from truing.judging.measures import comparison, consistency, leans, position_bias
from truing.judging.merging import soft
from truing.judging.presentation import ORDERS, ORDERS_AND_LABELS, Pair, Presentation, Shown
from truing.judging.verdict import Opinion, Verdict
from truing.judging.wording import RELATION, Wording
from truing.worlds.judges import BETTER, GOOD, WORSE, LogitJudge, Said, outcomes

Judge = Callable[..., list[Verdict]]

_GRID = [(skill, place) for skill in np.linspace(0.1, 3.0, 6) for place in np.linspace(-3.0, 3.0, 7)]
_SOURCE = "catalogue, pairwise-judge: evidence"


def _decided(judge: Judge, of: LogitJudge) -> float:
    """Of verdicts that name an answer, on pairs of which A or B is better: the share that is right. Exact."""
    right = wrong = 0.0
    for pair, better, worse in ((BETTER, "A", "B"), (WORSE, "B", "A")):
        for saying, chance in outcomes(of, ORDERS, pair):
            (verdict,) = judge(saying, [pair])
            right += chance * (verdict.winner == better)
            wrong += chance * (verdict.winner == worse)
    return right / (right + wrong)


@claim(
    method="pairwise-judge",
    statement="Swapped and merged conservatively, a judge with skill s and any bias for a place is right on σ(2s) of "
    "the pairs that it decides, which is σ(2) = 0.881 for s = 1 (largest distance on a grid of 6 × 7 below 1e-9).",
    source=f"{_SOURCE}; the bias cancels in the odds p₁p₂/((1 − p₁)(1 − p₂)) = e^(2s)",
)
def the_bias_cancels(judge: Judge, seed: int) -> Measurement:
    off = [abs(_decided(judge, LogitJudge(skill, place)) - expit(2 * skill)) for skill, place in _GRID]
    at_one = _decided(judge, LogitJudge(1.0, 1.5))
    return equals(float(expit(2.0)), at_one, 1e-9 if max(off) < 1e-9 else -1.0, "accuracy", largest=max(off))


@claim(
    method="pairwise-judge",
    statement="On the same grid of skills and biases, accuracy on decided pairs is above that of a single order, drawn "
    "at random, by more than 0 everywhere.",
    source=_SOURCE,
)
def better_than_one_order(judge: Judge, seed: int) -> Measurement:
    gains = [
        _decided(judge, LogitJudge(skill, place)) - (expit(skill + place) + expit(skill - place)) / 2
        for skill, place in _GRID
    ]
    return above(0.0, float(min(gains)), "accuracy")


@claim(
    method="pairwise-judge",
    statement="A judge that always prefers the first answer is consistent on 0 of 40 pairs, ties on all of them, and "
    "its position bias is 1.",
    source=_SOURCE,
)
def a_judge_of_places_says_nothing(judge: Judge, seed: int) -> Measurement:
    pairs = [Pair(f"q{number}", f"a{number}", f"b{number}") for number in range(40)]
    verdicts = judge(LogitJudge(0.0, 50.0), pairs)
    found = comparison(verdicts, [str(pair.prompt) for pair in pairs])
    kept = consistency(verdicts).value
    whole = found.ties == len(pairs) and position_bias(verdicts).value == 1.0
    return equals(0.0, kept if whole else math.nan, 0.0, "consistency", ties=found.ties)


@claim(
    method="pairwise-judge",
    statement="Shown under both letters in both places, a judge that cares for the letter A alone, by 1 nat, leans to "
    "the letter by 2σ(1) − 1 = 0.462 and to the first place by 0 (within 1e-12).",
    source=f"{_SOURCE}; pitfalls: letters are themselves biased, so labels are permuted as well as positions",
)
def letters_are_told_from_places(judge: Judge, seed: int) -> Measurement:
    pairs = [BETTER, Pair("q", "one", "two")]
    verdicts = judge(LogitJudge(0.8, 0.0, 1.0), pairs[1:], presentations=ORDERS_AND_LABELS, merge=soft)
    place, letter = leans(verdicts)
    skilled = leans(judge(LogitJudge(0.8, 2.0, 0.0), pairs[:1], presentations=ORDERS_AND_LABELS, merge=soft))
    apart = abs(place.value) < 1e-12 and abs(skilled[1].value) < 1e-12 < skilled[0].value
    return equals(2 * float(expit(1.0)) - 1, letter.value if apart else math.nan, 1e-12, "lean")


def _vote_accuracy(judge: Judge, of: LogitJudge, rounds: int) -> float:
    """Exact: every round says what it says with its probability, in the order in which it is shown."""
    right = 0.0
    noting = _Noting()
    judge([noting] * rounds, [BETTER])
    for saying, chance in outcomes(of, noting.orders):
        (verdict,) = judge([Said([side]) for side in saying.sides], [BETTER])
        right += chance * {"A": 1.0, "tie": 0.5}.get(verdict.winner, 0.0)
    return right


class _Noting:
    """Notes in which order it is shown a pair."""

    name = "noting"

    def __init__(self) -> None:
        self.orders: list[Presentation] = []

    def __call__(self, shown: Sequence[Shown]) -> list[Opinion]:
        self.orders += [Presentation(swapped=item.first != GOOD) for item in shown]
        return [Opinion(0.5) for _ in shown]


@claim(
    method="judge-vote",
    statement="Votes in turned orders of a judge with skill 1 and bias 2 for a place are right more often with 8 "
    "rounds than with 2: by more than 0.1 (ties count half, exact).",
    source="catalogue, Shared algebra: shuffle voting; llm-align-ea: evidence",
)
def more_rounds_are_right_more_often(judge: Judge, seed: int) -> Measurement:
    of = LogitJudge(1.0, 2.0)
    return above(0.1, _vote_accuracy(judge, of, 8) - _vote_accuracy(judge, of, 2), "accuracy")


@claim(
    method="judge-vote",
    statement="Two rounds are shown both orders, so that a vote of a judge with bias 4 alone comes to one half = 0.5.",
    source="catalogue, Shared algebra: invariance under the group",
)
def both_orders_have_their_turn(judge: Judge, seed: int) -> Measurement:
    return equals(0.5, _vote_accuracy(judge, LogitJudge(0.0, 4.0), 2), 1e-12, "share")


class _Chat:
    """Replies as a function of the conversation."""

    name = "chat"

    def __init__(self, reply: Callable[[Any], str]) -> None:
        self.reply = reply

    def __call__(self, questions: Any, read: Any) -> Any:
        return [read(self.reply(question)) for question in questions]


@claim(
    method="pointwise-judge",
    statement="A judge that grades k answers one by one ranks them without a cycle: of all 35 triples of 7 answers 0 "
    "are intransitive, and exchanging the answers of a pair exchanges its verdict.",
    source="2306.05685, section 3.1: single answer grading",
)
def grades_have_no_cycles(judge: Judge, seed: int) -> Measurement:
    grades = np.random.default_rng(seed).integers(1, 6, 7)
    chat = _Chat(lambda question: f'{{"score": {grades[int(_quoted(question, "answer"))]}}}')
    order = range(len(grades))
    wins = {
        (a, b): verdict.winner
        for (a, b), verdict in zip(
            product(order, order),
            judge(chat, [Pair("q", str(a), str(b)) for a, b in product(order, order)]),
            strict=True,
        )
    }
    flipped = {"A": "B", "B": "A", "tie": "tie"}
    cycles = sum(wins[a, b] == wins[b, c] == wins[c, a] == "A" for a, b, c in product(order, repeat=3))
    broken = sum(wins[b, a] != flipped[wins[a, b]] for a, b in wins)
    wrong = sum((wins[a, b] == "A") != bool(grades[a] > grades[b]) for a, b in wins)
    return equals(0.0, float(cycles + broken + wrong), 0.0, "triples and pairs", cycles=cycles, broken=broken)


@claim(
    method="reference-guided-judge",
    statement="A judge that takes the longer answer unless it is shown a reference, and the one equal to it then, is "
    "right on 20 of 20 pairs with wrong answers that are longer.",
    source="2306.05685, section 3.4: reference-guided judge; the reference reaches the judge, and with its own pair",
)
def the_reference_is_shown(judge: Judge, seed: int) -> Measurement:
    def reply(question: Any) -> str:
        answers = {label: _quoted(question, f"answer {label}") for label in "AB"}
        reference = _quoted(question, "reference answer")
        best = [label for label, text in answers.items() if text == reference]
        return f'{{"verdict": "{best[0] if best else max(answers, key=lambda label: len(answers[label]))}"}}'

    pairs = [Pair("q", str(number), f"{number} and more", reference=str(number)) for number in range(20)]
    verdicts = judge(TextVerdicts(_Chat(reply)), pairs)
    return equals(20.0, float(sum(verdict.winner == "A" for verdict in verdicts)), 0.0, "pairs")


@claim(
    method="self-reflection-judge",
    statement="A judge that gives up its liking for the first place when it reflects has a consistency of 1, and "
    "of 0 if it is just asked again: reflection is worth 1 − 0 = 1 here.",
    source="2504.09946: self-reflection; catalogue, judge-bias-bench: compare with plain re-ask",
)
def reflection_is_told_apart_from_asking_again(judge: Any, seed: int) -> Measurement:
    def reply(question: Any) -> str:
        thought = "order of the answers" in question[-1]["content"]
        good = [label for label in "AB" if _quoted(question, f"answer {label}") == GOOD]
        return f'{{"verdict": "{good[0] if thought else "A"}"}}'

    found = judge(_Chat(reply), [BETTER] * 5, wording=Wording(RELATION))
    worth = consistency(found.reflected).value - consistency(found.again).value
    return equals(1.0, worth if consistency(found.first).value == 0.0 else math.nan, 0.0, "consistency")


def _quoted(question: Any, name: str) -> str:
    """What stands between the marks of that name."""
    text = question[1]["content"]
    _, _, rest = text.partition(f"<<< {name} >>>\n")
    return str(rest.partition("\n<<< end")[0])
