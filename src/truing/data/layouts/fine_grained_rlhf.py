"""QA-Feedback of Fine-Grained RLHF (2306.01693): four predictions and a verdict on each pair of them.

A prediction's score is the number of comparisons it wins, a tie counting half (Copeland's count). The verdicts
of a few questions are no ranking (A ties B, B ties C, but A beats C); those are remarked on. Passages are part
of the prompt, because the predictions answer from them; they stand first, so that a prompt that is too long
loses passages and not the question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from truing.data.layouts.base import LAYOUTS, Layout
from truing.data.rows import (
    Converted,
    Remark,
    Row,
    RowError,
    as_number,
    assistant,
    is_list,
    joined,
    listed,
    text,
    user,
)

RATED = ("relevance", "factuality", "completeness")
_IRRELEVANT = frozenset({"Irrelevant", "Redundant", "Incoherent", "Repetitive"})
_WRONG = frozenset({"Wrong-Grounding", "Unverifiable"})
_MOST = 5.0
PREDICTIONS = tuple(f"prediction {number}" for number in range(1, 5))


def _convert(row: Row) -> Iterator[Converted]:
    given = [as_number(value, f"preference[{i}]") for i, value in enumerate(listed(row, "preference"))]
    pairs = list(combinations(range(len(PREDICTIONS)), 2))
    if len(given) != len(pairs) or any(verdict not in (0, 1, 2) for verdict in given):
        raise RowError(
            f"`preference` is {given}; allowed: six verdicts, each 1 or 2 (the better prediction) or 0 (tie)"
        )
    verdicts = [int(verdict) for verdict in given]
    scores = [0.0] * len(PREDICTIONS)
    for (first, second), verdict in zip(pairs, verdicts, strict=True):
        scores[first] += {0: 0.5, 1: 1.0, 2: 0.0}[verdict]
        scores[second] += {0: 0.5, 1: 0.0, 2: 1.0}[verdict]
    if any(
        (verdict == 1) != (scores[first] > scores[second]) or (verdict == 2) != (scores[second] > scores[first])
        for (first, second), verdict in zip(pairs, verdicts, strict=True)
    ):
        yield Remark("verdicts that are no ranking: the number of wins contradicts one of them")
    yield {
        "prompt": user(joined([*_passages(row), text(row, "question")])),
        "completions": [assistant(text(row, name)) for name in PREDICTIONS],
        "scores": scores,
        **_ratings(row),
    }


def _ratings(row: Row) -> Row:
    """Relevance, factuality and completeness of the first prediction, the only one whose errors are marked."""
    feedback = row.get("feedback")
    if not isinstance(feedback, Mapping):
        return {}
    errors = [error.get("error type") for error in feedback.get("errors") or () if isinstance(error, Mapping)]
    counts = [sum(error in kinds for error in errors) for kinds in (_IRRELEVANT, _WRONG)]
    counts.append(len(feedback.get("missing-info") or ()))
    known = [max(0.0, _MOST - count) for count in counts]
    return {"rated": list(RATED), "ratings": [known, *[[None] * len(RATED)] * (len(PREDICTIONS) - 1)]}


def _passages(row: Row) -> Iterator[str]:
    """Each passage as one paragraph: its title and its sentences."""
    for passage in listed(row, "passages") if row.get("passages") is not None else ():
        if not (is_list(passage) and all(isinstance(sentence, str) for sentence in passage)):
            raise RowError("`passages` is not a list of lists of sentences")
        yield " ".join(passage)


LAYOUTS.add(
    Layout(
        name="fine-grained-rlhf",
        aliases=("qa-feedback",),
        summary="a question, four predictions and six pairwise verdicts (Fine-Grained RLHF, QA-Feedback)",
        kind="ranked",
        needs=("question", *PREDICTIONS, "preference"),
        uses=("passages", "feedback"),
        note="a score is the number of comparisons won, a tie counting half; passages are part of the prompt; "
        "the first prediction's ratings are 5 less one for each marked error, at least 0",
        convert=_convert,
        example={
            "question": "2 + 2?",
            **{name: str(value) for name, value in zip(PREDICTIONS, (4, 5, 6, 7), strict=True)},
            "preference": [1, 1, 1, 0, 0, 0],
        },
    )
)
