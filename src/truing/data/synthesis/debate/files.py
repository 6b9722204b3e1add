"""From questions to a file of pairs of turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truing.chat.model import ChatModel
from truing.data.questions.question import Question
from truing.data.synthesis.debate.growing import Growth, debates
from truing.data.synthesis.debate.pairs import TAGS, Rules, check_variant, demonstrations, evened, persuasion_rows
from truing.data.synthesis.files import write_rows
from truing.errors import DataError


@dataclass(frozen=True)
class Debated:
    """What was written.

    Attributes:
        path: file of pairs.
        questions: that were debated.
        turns: that were said.
        unread: turns whose answer could not be read.
        tags: pairs by tag.
    """

    path: Path
    questions: int
    turns: int
    unread: int
    tags: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "path": str(self.path)}

    def sentences(self) -> list[str]:
        """For people."""
        return [
            f"{self.path}: {sum(self.tags.values()):,} pairs of {self.questions:,} questions "
            f"({', '.join(f'{count:,} {tag}' for tag, count in self.tags.items())})",
            f"{self.turns:,} turns, {self.unread:,} without an answer that could be read",
        ]


def write_debates(
    questions: Sequence[Question],
    output: Path,
    debaters: tuple[ChatModel, ChatModel],
    growth: Growth,
    *,
    variant: str = "balanced",
    rules: Rules | None = None,
    even: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Debated:
    """Write ``pairs.jsonl``, and ``sft.jsonl`` with the chosen turns alone.

    Args:
        questions: with answers.
        output: folder.
        debaters: who speaks first, and second.
        growth: how debates grow.
        variant, rules: see :func:`~truing.data.synthesis.debate.pairs.persuasion_rows`.
        even: as many pairs that resist as that accept, where there are both.
        progress: called with (turns done, turns in all).

    Raises:
        DataError: if no pair is found, or, before anybody is asked, if there is no such variant, or one tag alone is to
            be evened.
    """
    check_variant(variant, even)
    trees = debates(questions, debaters, growth, progress)
    rows = [
        row
        for tree, question in zip(trees, questions, strict=True)
        for row in persuasion_rows(tree, question, variant, rules)
    ]
    rows = evened(rows) if even else rows
    turns = [node.payload for tree in trees for node in tree if node.payload.speaker is not None]
    unread = sum(turn.answers[turn.speaker] is None for turn in turns if turn.speaker is not None)
    if not rows:
        raise DataError(
            f"no pair differs enough in {len(turns):,} turns, of which {unread:,} have no answer that can be read",
            where="QUESTIONS",
            fix="take stronger debaters, or more questions; answers are read after `Answer:`",
        )
    counts = Counter(row["source"] for row in rows)
    write_rows(output / "pairs.jsonl", rows)
    write_rows(output / "sft.jsonl", demonstrations(rows))
    return Debated(output / "pairs.jsonl", len(questions), len(turns), unread, {tag: counts[tag] for tag in TAGS})
