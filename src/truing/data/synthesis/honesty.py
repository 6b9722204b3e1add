"""Demonstrations that teach to answer what is known and to decline what is not (2312.07000).

What a model knows is asked of the model: of every question some samples at temperature 1, and the greedy answer. The
wording of declining and of confidence is Truing's own. Where the greedy answer alone is right, the authors' code
answers; their text, and this code, goes by the share of right samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from truing.data.questions.confidence import DECLINE, HEDGES, in_percent
from truing.data.questions.grading import Grade, Outcome, outcome
from truing.data.questions.question import Question
from truing.data.rows import Row, assistant, user
from truing.data.synthesis.method import synthesis
from truing.errors import DataError, check_name
from truing.registry import Paper

PERMISSION = f'Answer the question. If you do not know the answer, say "{DECLINE}"'


def honest_prompt(question: str) -> str:
    """The question with the permission to decline; by itself the variant without training."""
    return f"{PERMISSION}\n\n{question}"


@dataclass(frozen=True)
class Sampled:
    """What a model says to a question.

    Attributes:
        question: with its answers.
        greedy: its likeliest answer.
        samples: drawn at temperature 1; at least one.
        grade: tells right from wrong.
    """

    question: Question
    greedy: str
    samples: tuple[str, ...]
    grade: Grade = field(default=outcome, compare=False)

    def __post_init__(self) -> None:
        if not self.samples:
            raise DataError("there are no samples", where=f"question {self.question.id}", allowed="1 or more")

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Of the samples."""
        return tuple(self.grade(self.question, sample) for sample in self.samples)

    @property
    def correct(self) -> int:
        """How many samples are right."""
        return self.outcomes.count("correct")

    @property
    def accuracy(self) -> float:
        """Expected accuracy: the share of samples that are right."""
        return self.correct / len(self.samples)

    @cached_property
    def right_answer(self) -> str | None:
        """The greedy answer if it is right, else the first sample that is; none where all are wrong."""
        said = (self.greedy, *self.samples)
        return next((one for one in said if self.grade(self.question, one) == "correct"), None)


Targets = Callable[[Sampled, float], list[str]]


def _absolute(sampled: Sampled, tau: float) -> list[str]:
    known = sampled.right_answer if sampled.accuracy >= tau else None
    return [DECLINE if known is None else known]


def _confident(prefix: Callable[[Sampled, str], str]) -> Targets:
    """Right answers with a confidence in front; declined where no sample is right."""

    def targets(sampled: Sampled, tau: float) -> list[str]:
        known = sampled.right_answer if sampled.correct else None
        return [DECLINE if known is None else prefix(sampled, known)]

    return targets


def _in_number(sampled: Sampled, answer: str) -> str:
    return in_percent(sampled.accuracy) + answer


def _in_words(sampled: Sampled, answer: str) -> str:
    # Of (0, 1/5] the first; in whole numbers, so that 1/5 is not the second.
    fifth = -(-len(HEDGES) * sampled.correct // len(sampled.samples)) - 1
    return HEDGES[fifth] + _continued(answer)


def _continued(answer: str) -> str:
    """An answer after the beginning of a sentence; names and abbreviations keep their capital."""
    first, _, _ = answer.partition(" ")
    common = first.lower() in (
        "the",
        "a",
        "an",
        "it",
        "there",
        "yes",
        "no",
        "this",
        "that",
        "in",
        "they",
        "he",
        "she",
    )
    return answer[:1].lower() + answer[1:] if common else answer


def _multisample(sampled: Sampled, tau: float) -> list[str]:
    graded = zip(sampled.samples, sampled.outcomes, strict=True)
    return [answer if found == "correct" else DECLINE for answer, found in graded]


def _answered(sampled: Sampled, tau: float) -> list[str]:
    return [sampled.right_answer or sampled.question.answers[0]]


VARIANTS: dict[str, Targets] = {
    "absolute": _absolute,
    "confidence-num": _confident(_in_number),
    "confidence-verb": _confident(_in_words),
    "multisample": _multisample,
    "baseline": _answered,
}
"""What is learned in place of what was sampled, by name."""


@synthesis(
    name="honesty-tuning",
    slug="honesty",
    paper=Paper("Alignment for Honesty", 2023, "2312.07000"),
    summary="Writes demonstrations in which a model answers what it knows, and says where it does not know.",
    formula="a = #correct/m;  absolute: y = right answer if a ≥ τ else decline;  multisample: y_i = s_i if correct "
    "else decline, i = 1…m",
    legend=(
        "s_1…s_m: samples of the model that is to be trained, at temperature 1",
        "a: expected accuracy, the share of samples that are right",
        "τ: what counts as known; 0.1 with ten samples is a single right one",
        "confidence-num and confidence-verb: the right answer behind a number, or one of five hedges for a in "
        "(0, 0.2] … (0.8, 1]; declined at a = 0",
        "baseline: a right answer always, the given one where no sample is right",
    ),
    use_when="A model answers what it does not know, and questions with answers are at hand; multisample or "
    "confidence-verb where it also should say how sure it is.",
    avoid_when="Answers are long or open, so that containment does not tell right from wrong, or the model that is "
    "trained is not the one that was sampled.",
    requires=("questions with answers", "samples"),
    cost="m + 1 short answers for each question; with multisample m rows",
)
def honest_rows(
    sampled: Sampled, variant: str = "absolute", tau: float = 0.1, *, permission: bool = True
) -> list[Row]:
    """Demonstrations made of one question.

    Args:
        sampled: what the model said.
        variant: a name of :data:`VARIANTS`.
        tau: least expected accuracy of what counts as known; for ``absolute``.
        permission: whether the prompt permits to decline; it has to be the prompt that was sampled from.

    Returns:
        Rows with ``id``, ``prompt``, ``completion`` and ``source`` (the variant).

    Raises:
        DataError: if there is no such variant, or tau is not above 0 and at most 1.
    """
    check_name("variant", variant, VARIANTS, "--variant")
    if not 0 < tau <= 1:
        raise DataError(f"tau is {tau:g}", where="--tau", allowed="above 0, at most 1")
    asked = sampled.question.text
    prompt = user(honest_prompt(asked) if permission else asked)
    return [
        {
            "id": f"{sampled.question.id}/{number}",
            "prompt": prompt,
            "completion": assistant(target),
            "source": variant,
        }
        for number, target in enumerate(VARIANTS[variant](sampled, tau))
    ]
