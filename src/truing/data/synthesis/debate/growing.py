"""Debates that branch: every turn is said in several ways, and the debate goes on after each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from truing.chat.model import ChatModel
from truing.data.questions.question import Question
from truing.data.synthesis.debate.turns import Extract, Turn, said, seen_by, stated_answer
from truing.decoding.tree import SearchTree
from truing.errors import DataError

Debate = SearchTree[Turn]

_END = " Use two or three sentences, and end with a line that says Answer: and your answer."
PERSONAS = (
    "Discuss the following question with a partner. Say how sure you are, and why." + _END,
    "Discuss the following question with a partner. Stand by your answer, whatever your partner says." + _END,
    "Discuss the following question with a partner, who is the expert: follow them where you can." + _END,
    "Discuss the following question with a partner. Where you differ, go through the reasons one by one." + _END,
)
"""Ways to behave; each branch of a turn has one. The wording is Truing's own."""


@dataclass(frozen=True)
class Growth:
    """How debates grow.

    Attributes:
        depth: turns of a debate.
        branching: ways in which each turn is said, one for each of the first personas.
        personas: what debaters are told, see :data:`PERSONAS`.
        extract: reads the answer out of a turn.
    """

    depth: int = 4
    branching: int = 2
    personas: tuple[str, ...] = PERSONAS
    extract: Extract = stated_answer

    def __post_init__(self) -> None:
        if self.depth < 3:
            # Whoever resists or accepts has spoken before, and so has the partner.
            raise DataError(f"depth is {self.depth}", where="--depth", allowed="3 or more turns")
        if not 2 <= self.branching <= len(self.personas):
            raise DataError(
                f"branching is {self.branching}",
                where="--branching",
                allowed=f"2 to {len(self.personas)}, the number of personas",
            )

    @property
    def calls(self) -> int:
        """Turns that one debate has in all."""
        return sum(self.branching**level for level in range(1, self.depth + 1))


def debates(
    questions: Sequence[Question],
    debaters: tuple[ChatModel, ChatModel],
    growth: Growth,
    progress: Callable[[int, int], None] | None = None,
) -> list[Debate]:
    """One tree for each question; all turns of a level are asked for together.

    A reply that is empty has no node. Branches go on after both agree. The authors' code ends them there, so that a
    turn that gives in has no children while its siblings do, or stands at the end, where it is worth 2 against 1;
    neither passes their filters of pairs.

    Args:
        questions: what is debated.
        debaters: who speaks first, and second; may be the same.
        growth: how far.
        progress: called with (turns done, turns in all).
    """
    trees = [SearchTree(Turn(question.text)) for question in questions]
    open_ = [(place, 0) for place in range(len(trees))]
    done = 0
    for level in range(growth.depth):
        speaker = level % 2
        asked = [
            (place, number, seen_by(speaker, _turns(trees[place], number), persona))
            for place, number in open_
            for persona in growth.personas[: growth.branching]
        ]
        replies = debaters[speaker]([messages for _, _, messages in asked], _text)
        open_ = []
        for (place, number, _), reply in zip(asked, replies, strict=True):
            if reply is None:
                continue
            tree = trees[place]
            turn = said(_turns(tree, number), speaker, reply, questions[place], growth.extract)
            open_.append((place, tree.add(number, turn, cost=1.0)))
        done += len(asked)
        if progress is not None:
            progress(done, len(questions) * growth.calls)
    return trees


def _turns(tree: Debate, number: int) -> list[Turn]:
    return [tree[one].payload for one in tree.path(number)]


def _text(reply: str) -> str | None:
    return reply.strip() or None
