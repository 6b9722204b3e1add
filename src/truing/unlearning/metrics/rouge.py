"""ROUGE-L recall (Lin 2004): how much of the true answer's words a generated answer has, in order."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """Runs of letters and digits, in lower case. Endings are kept: there is no stemmer."""
    return _WORD.findall(text.lower())


def rouge_l_recall(answer: str, truth: str) -> float:
    """Length of the longest common subsequence of words, over the words of ``truth``; 0 if that has no words.

    Args:
        answer: what the model wrote.
        truth: what it should know, or forget.
    """
    said, wanted = words_of(answer), words_of(truth)
    return common_subsequence(said, wanted) / len(wanted) if wanted else 0.0


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest sequence of words that both contain in this order, gaps allowed."""
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for place, other in enumerate(second, start=1):
            above = row[place]
            row[place] = diagonal + 1 if word == other else max(above, row[place - 1])
            diagonal = above
    return row[-1]
