"""From questions to files of demonstrations: asking the model, keeping what it says, writing rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from truing.data.questions.confidence import DECLINE
from truing.data.questions.grading import Grade, outcome
from truing.data.questions.question import Question
from truing.data.synthesis.honesty import Sampled, honest_prompt, honest_rows
from truing.data.synthesis.sampling import Answers, Progress, recorded_answers, sampled_answers
from truing.errors import DataError
from truing.policies.generation import Sampling
from truing.statistics import Estimate, rate
from truing.writing import write_text

TRAIN, KEPT = "train.jsonl", "answers.jsonl"


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write JSONL in one step; returns how many rows.

    Raises:
        DataError: if there are none.
    """
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    if not lines:
        raise DataError(
            "there is no row to write", where=str(path), fix="give more questions, or draw more answers"
        )
    write_text(path, "".join(lines))
    return len(lines)


@dataclass(frozen=True)
class Drawing:
    """Where answers come from.

    Attributes:
        model: folder or name; ``None`` where they are recorded.
        answers: file of recorded answers.
        samples: of each question.
        temperature, max_new_tokens, seed: of the samples.
    """

    model: str | None
    answers: Path | None = None
    samples: int = 10
    temperature: float = 1.0
    max_new_tokens: int = 64
    seed: int = 0

    def __call__(
        self,
        questions: Sequence[Question],
        ask: Callable[[str], Any],
        kept: Path | None = None,
        progress: Progress | None = None,
    ) -> list[Answers]:
        """Greedy and sampled answers, in the order of the questions.

        Raises:
            ModelError: if the model cannot be loaded.
            DataError: if recorded answers are malformed, or missing.
        """
        if self.answers is not None:
            return recorded_answers(self.answers, questions, "--answers")
        from truing.policies.fingerprint import of_parameters
        from truing.rewards.judges.local import load_policy

        policy = load_policy(self.model or "")
        sampling = Sampling(self.max_new_tokens, self.temperature, seed=self.seed)
        # Other weights under the same name are another model.
        key = of_parameters(policy.inner)
        return sampled_answers(
            policy, questions, ask, self.samples, sampling, kept=kept, key=key, progress=progress
        )


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        path: file of rows.
        rows: how many.
        questions: they were made of.
        accuracy: expected accuracy of the model, over questions.
        known: questions that the greedy answer gets right.
        declined: rows that decline.
    """

    path: Path
    rows: int
    questions: int
    accuracy: Estimate
    known: Estimate
    declined: Estimate

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "path": str(self.path)}

    def sentences(self) -> list[str]:
        """For people."""
        shares = {
            "samples that are right": self.accuracy,
            "questions that the greedy answer gets right": self.known,
            "rows that decline": self.declined,
        }
        return [
            f"{self.path}: {self.rows:,} demonstrations of {self.questions:,} questions",
            *(
                f"  {name}: {100 * one.value:.1f} % (95 % interval {100 * one.low:.1f} to {100 * one.high:.1f})"
                for name, one in shares.items()
            ),
        ]


def write_honesty(
    questions: Sequence[Question],
    output: Path,
    drawing: Drawing,
    *,
    variant: str = "absolute",
    tau: float = 0.1,
    permission: bool = True,
    grade: Grade = outcome,
    progress: Progress | None = None,
) -> Written:
    """Write ``train.jsonl``, demonstrations that ``truing align`` learns with the objective ``nll``.

    Args:
        questions: with answers.
        output: folder; answers that were drawn are kept in it.
        drawing: where answers come from.
        variant, tau, permission: see :func:`~truing.data.synthesis.honesty.honest_rows`.
        grade: tells right from wrong answers.
        progress: called with (questions done, questions in all).

    Raises:
        DataError: if there are no questions, an option cannot be, or answers are missing.
    """
    if not questions:
        raise DataError("there are no questions", where="QUESTIONS")
    # Before a model is asked for an hour.
    honest_rows(Sampled(questions[0], "", ("",)), variant, tau)

    def ask(text: str) -> str:
        return honest_prompt(text) if permission else text

    answers = drawing(questions, ask, output / KEPT, progress)
    sampled = [
        Sampled(one, said.greedy, said.samples, grade) for one, said in zip(questions, answers, strict=True)
    ]
    rows = [row for one in sampled for row in honest_rows(one, variant, tau, permission=permission)]
    declined = sum(row["completion"][0]["content"] == DECLINE for row in rows)
    right = sum(one.grade(one.question, one.greedy) == "correct" for one in sampled)
    return Written(
        output / TRAIN,
        write_rows(output / TRAIN, rows),
        len(questions),
        # Shares vary less than yes and no do, so that the interval is not too narrow.
        rate(sum(one.accuracy for one in sampled), len(sampled)),
        rate(right, len(sampled)),
        rate(declined, len(rows)),
    )
