"""Questions with answers out of files: own rows, TruthfulQA, GSM8K, model-written evaluations, QA-Feedback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from truing.data.files import find_files, no_such_file
from truing.data.questions.question import Question
from truing.data.readers import read_rows
from truing.data.rows import Row, is_list
from truing.errors import DataError


@dataclass(frozen=True)
class Form:
    """One way in which files say questions and answers.

    Attributes:
        needs: columns without which it is not this form.
        read: from a row and its id to a question.
        fits: whether a row that has the columns is of this form.
    """

    needs: tuple[str, ...]
    read: Callable[[str, Row], Question]
    fits: Callable[[Row], bool] = lambda _: True


def _several(value: Any, separator: str | None = None) -> tuple[str, ...]:
    if value is None:
        return ()
    if is_list(value):
        return tuple(str(one).strip() for one in value if str(one).strip())
    parts = str(value).split(separator) if separator else [str(value)]
    return tuple(part.strip() for part in parts if part.strip())


def _truthfulqa(key: str, row: Row) -> Question:
    best = _several(row["Best Answer"])
    other = tuple(one for one in _several(row.get("Correct Answers"), ";") if one not in best)
    return Question(key, str(row["Question"]).strip(), (*best, *other), _several(row["Incorrect Answers"], ";"))


def _gsm8k(key: str, row: Row) -> Question:
    return Question(key, str(row["question"]).strip(), (str(row["answer"]).rpartition("#### ")[2],), numeric=True)


def _model_written(key: str, row: Row) -> Question:
    names = ("answer_matching_behavior", "answer_not_matching_behavior")
    right, wrong = (_several(row[name]) for name in names)
    return Question(key, str(row["question"]).strip(), right, wrong)


def _qa_feedback(key: str, row: Row) -> Question:
    passages = tuple(
        " ".join(str(part) for part in one[1:]) if is_list(one) else str(one) for one in row["passages"]
    )
    return Question(key, str(row["question"]).strip(), _several(row["gold"]), passages=passages)


def _plain(key: str, row: Row) -> Question:
    answers = tuple(one for name in ("answers", "answer", "aliases") for one in _several(row.get(name)))
    return Question(
        key,
        str(row["question"]).strip(),
        tuple(dict.fromkeys(answers)),
        _several(row.get("wrong")),
        _several(row.get("passages")),
        bool(row.get("numeric", False)),
    )


FORMS = (
    Form(("Question", "Best Answer", "Incorrect Answers"), _truthfulqa),
    Form(("question", "answer_matching_behavior", "answer_not_matching_behavior"), _model_written),
    Form(("question", "passages", "gold"), _qa_feedback),
    Form(("question", "answer"), _gsm8k, lambda row: "\n#### " in str(row["answer"])),
    Form(("question", "answers"), _plain),
    Form(("question", "answer"), _plain),
)
ALLOWED = (
    "rows with question and answer or answers, and if known wrong, aliases, passages, numeric; TruthfulQA; GSM8K; "
    "model-written evaluations; QA-Feedback"
)


def read_questions(source: str, limit: int | None = None, where: str = "QUESTIONS") -> list[Question]:
    """Questions with answers, whatever the form of the file.

    Args:
        source: file, folder or glob.
        limit: read only the first.
        where: argument or option that named the source, for error messages.

    Raises:
        DataError: if there is no such file, a row is of no known form, or it has no answer.
    """
    files = find_files(source, None)
    if files is None:
        raise no_such_file(source)
    rows = ((path, number, row) for path in files for number, row in read_rows(path))
    found = [_question(f"{path.name}:{number}", row, where) for path, number, row in islice(rows, limit)]
    seen: set[str] = set()
    for one in found:
        if one.id in seen:
            raise DataError(f"two questions have the id {one.id!r}", where=f"{where} {source}")
        seen.add(one.id)
    return found


def _question(place: str, row: Mapping[str, Any], where: str) -> Question:
    own = dict(row)
    for form in FORMS:
        if all(own.get(name) is not None for name in form.needs) and form.fits(own):
            found = form.read(str(own.get("id", place)), own)
            if not found.text or not found.answers:
                raise DataError("a question or its answer is empty", where=f"{where}, {place}", allowed=ALLOWED)
            return found
    raise DataError(
        f"the row is no question with its answer: it has {', '.join(map(str, own)) or 'nothing'}",
        where=f"{where}, {place}",
        allowed=ALLOWED,
    )
