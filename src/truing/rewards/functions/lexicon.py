"""Rule: words with weights, from a file: sentiment, emotion, subjectivity or a vocabulary of one's own."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from truing.errors import DataError, ObjectiveError
from truing.parameters import Doc
from truing.rewards.functions.rules import OfText
from truing.rewards.plain import plain

Per = Literal["word", "match", "text"]

File = Annotated[
    str | None,
    Doc(
        "file with a word, a tab and a weight in each line; lines that begin with # are comments",
        "a text file, UTF-8",
    ),
]
PerOf = Annotated[
    Per,
    Doc(
        "what the sum of weights is divided by: all words of the answer, those in the lexicon, or nothing (text)",
        "word, match or text",
    ),
]

_WORD = re.compile(r"\w+(?:['’-]\w+)*")


@dataclass(frozen=True)
class Lexicon:
    """The sum of the weights of an answer's words, divided by a number of words; 0 where it has none of them."""

    weights: Mapping[str, float]
    per: Per

    def __call__(self, completion: str) -> float:
        words = [word.lower().replace("’", "'") for word in _WORD.findall(completion)]
        known = [self.weights[word] for word in words if word in self.weights]
        if not known:
            return 0.0
        return math.fsum(known) / {"word": len(words), "match": len(known), "text": 1}[self.per]


def read_lexicon(path: Path) -> dict[str, float]:
    """Words, in lower case, and their weights.

    Raises:
        DataError: if the file cannot be read, or a line is wrong; names the line.
    """
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the lexicon cannot be read: {error}", where=str(path), fix="check the path") from None
    found: dict[str, float] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{path}, line {number}"
        word, _, weight = line.rpartition("\t")
        word = word.strip().lower().replace("’", "'")
        try:
            value = float(weight)
        except ValueError:
            value = math.nan
        if not _WORD.fullmatch(word) or not math.isfinite(value):
            raise DataError(
                f"{line[:60]!r} is no word with a weight",
                where=where,
                allowed="one word, a tab, and a finite number",
            )
        if found.setdefault(word, value) != value:
            raise DataError(f"{word!r} has two weights: {found[word]:g} and {value:g}", where=where)
    if not found:
        raise DataError("the lexicon has no words", where=str(path))
    return found


@plain(
    kind="reward", name="lexicon", summary="Mean weight of an answer's words, from a list of words with weights."
)
def lexicon(file: File = None, per: PerOf = "word") -> OfText:
    """Σ weights of words / n.

    Raises:
        ObjectiveError: without a file.
        DataError: if the file is no lexicon.
    """
    if file is None:
        raise ObjectiveError("lexicon has no file", allowed="a word, a tab and a weight in each line")
    return OfText("lexicon", Lexicon(read_lexicon(Path(file)), per))
