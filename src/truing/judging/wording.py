"""What a judge of two answers is asked, and how its reply is read: a verdict, two scores, or a place on a scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from truing.judging.presentation import Shown
from truing.judging.verdict import ABSTAINED, Opinion
from truing.rewards.functions.prompt_text import transcript
from truing.rewards.judges.reading import last_said
from truing.rewards.judges.wording import CRITERIA, RULES, marked

_SCALE = 5
"""Places of the Likert form, the middle one of which is a tie."""


@dataclass(frozen=True)
class Form:
    """A form of verdict.

    Args:
        name: of the form.
        asks: what the reply is to hold, given the labels of the answers, and what else may be said.
        read: from a reply and the labels to an opinion; ``None`` where it says nothing of use.
    """

    name: str
    asks: Callable[[tuple[str, str], bool], str]
    read: Callable[[str, tuple[str, str]], Opinion | None]


@dataclass(frozen=True)
class Wording:
    """How a judge is asked.

    Args:
        form: of the verdict.
        criteria: in words.
        ties: whether a tie may be said.
        abstention: whether the judge may say that it cannot tell.
    """

    form: Form
    criteria: str = CRITERIA
    ties: bool = True
    abstention: bool = False

    def question(self, shown: Shown) -> list[dict[str, str]]:
        """The conversation that asks which answer is better."""
        first, second = shown.labels
        guided = " A reference answer is given, which is right: compare both with it." if shown.reference else ""
        cut = (
            " Both answers are cut into parts that stand side by side, part by part; judge the whole answers."
            if shown.parts
            else ""
        )
        cannot = ' If you cannot tell, reply {"verdict": "abstain"}.' if self.abstention else ""
        return [
            {
                "role": "system",
                "content": f"You compare two answers, {first} and {second}. {RULES}{guided}{cut} Judge them by "
                f"{self.criteria}. The order in which they stand and the letters that name them say nothing. "
                f"{self.form.asks(shown.labels, self.ties)}{cannot}",
            },
            {"role": "user", "content": "\n\n".join(_blocks(shown))},
        ]

    def read(self, reply: str, labels: tuple[str, str]) -> Opinion | None:
        """What a reply says of the answers as they stood; ``None`` where it says nothing of use, or what may not be."""
        if self.abstention and last_said(reply, "verdict") == "abstain":
            return ABSTAINED
        found = self.form.read(reply, labels)
        return None if found is not None and found.side == "tie" and not self.ties else found


def _blocks(shown: Shown) -> list[str]:
    labels = shown.labels
    blocks = [marked("question", transcript(shown.prompt))]
    if shown.reference:
        blocks.append(marked("reference answer", shown.reference))
    if not shown.parts:
        return [*blocks, marked(f"answer {labels[0]}", shown.first), marked(f"answer {labels[1]}", shown.second)]
    for number, sides in enumerate(shown.parts, 1):
        blocks += [
            marked(f"answer {label}, part {number}", text) for label, text in zip(labels, sides, strict=True)
        ]
    return blocks


def _asks_relation(labels: tuple[str, str], ties: bool) -> str:
    names = [f'"{label}"' for label in sorted(labels)] + (['"tie"'] if ties else [])
    return (
        f'Reply with one JSON object: {{"reason": "one sentence", "verdict": {" or ".join(names)}}}. You may add '
        '"confidence": the probability that your verdict is right, from 0.5 to 1.'
    )


def _read_relation(reply: str, labels: tuple[str, str]) -> Opinion | None:
    said = last_said(reply, "verdict")
    name = said.strip().lower() if isinstance(said, str) else None
    if name == "tie":
        return Opinion(0.5)
    if name not in (labels[0].lower(), labels[1].lower()):
        return None
    sure = _number(reply, "confidence", 0.5, 1.0)
    probability = 1.0 if sure is None else sure
    return Opinion(probability if name == labels[0].lower() else 1 - probability)


def _asks_scores(labels: tuple[str, str], ties: bool) -> str:
    first, second = labels
    equal = "" if ties else " The scores may not be equal."
    return (
        "Give each a score from 1 (worst) to 10 (best). Reply with one JSON object: "
        f'{{"reason": "one sentence", "score {first}": number, "score {second}": number}}.{equal}'
    )


def _read_scores(reply: str, labels: tuple[str, str]) -> Opinion | None:
    first, second = (_number(reply, f"score {label}", 1.0, 10.0) for label in labels)
    if first is None or second is None:
        return None
    return Opinion(0.5 if first == second else float(first > second))


def _asks_likert(labels: tuple[str, str], ties: bool) -> str:
    first, second = labels
    middle = "3: they are equal; " if ties else ""
    return (
        f"Say on a scale where they stand. 1: {first} is much better; 2: {first} is better; {middle}4: {second} is "
        f'better; 5: {second} is much better. Reply with one JSON object: {{"reason": "one sentence", '
        '"place": number}.'
    )


def _read_likert(reply: str, labels: tuple[str, str]) -> Opinion | None:
    place = _number(reply, "place", 1.0, float(_SCALE))
    if place is None or place != round(place):
        return None
    return Opinion((_SCALE - place) / (_SCALE - 1))


def _number(reply: str, key: str, low: float, high: float) -> float | None:
    value = last_said(reply, key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if low <= value <= high else None


RELATION = Form("relation", _asks_relation, _read_relation)
SCORES = Form("score", _asks_scores, _read_scores)
LIKERT = Form("likert", _asks_likert, _read_likert)
FORMS = {form.name: form for form in (RELATION, SCORES, LIKERT)}
"""Forms of verdicts by name."""
