"""Questions with known answers, and what an answer to one is worth."""

from truing.data.questions.grading import Outcome, outcome
from truing.data.questions.question import Question
from truing.data.questions.reading import read_questions

__all__ = ["Outcome", "Question", "outcome", "read_questions"]
