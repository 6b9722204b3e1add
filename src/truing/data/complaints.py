"""Answers that users complained about, found in dialogues (after DRIFT, 2510.02341).

A user's turn counts as a complaint where it begins as one. That finds some and misses many; a user may also complain
because the assistant rightly refused. Read a sample before you train on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from truing.data.rows import Message

_COMPLAINT = re.compile(
    r"""
      no,?\ (?:i\ (?:mean|meant|asked|said|want|wanted|just|did|do)|not|that|you|it)\b
    | no,?\ that'?s\b
    | that(?:'?s|\ is|\ was)\ (?:not|wrong|incorrect|false|bad|terrible|awful|stupid|rude|horrible|useless)\b
    | that\ (?:did|does)(?:n'?t|\ not)\ (?:answer|help|make|work)\b
    | (?:this|it)\ is(?:n'?t|\ not)\b
    | you(?:'re|\ are)\ (?:wrong|useless|mistaken|not\ (?:help|answer|listen|under|making))
    | you\ (?:did|do|have)(?:n'?t|\ not)\b
    | you\ misunderst
    | i\ (?:did|do)(?:n'?t|\ not)\ (?:ask|mean)\b
    | (?:i\ said|i\ asked|not\ what\ i|wrong\b|try\ again)
    """,
    re.IGNORECASE | re.VERBOSE,
)


def is_complaint(said: str) -> bool:
    """Whether a user's turn begins like a complaint about the answer before it."""
    return _COMPLAINT.match(said.strip()) is not None


def complaints(dialogues: Iterable[list[Message]]) -> Iterator[dict[str, Any]]:
    """Rows of the layout ``complaints``: the dialogue up to an answer, the answer, and what the user said of it.

    Args:
        dialogues: messages of users and assistants, in order; a complaint that several dialogues begin
            with is given once.
    """
    seen: set[str] = set()
    for dialogue in dialogues:
        for place in range(1, len(dialogue) - 1):
            answer, reply = dialogue[place], dialogue[place + 1]
            turns = (dialogue[place - 1]["role"], answer["role"], reply["role"])
            if turns != ("user", "assistant", "user") or not is_complaint(reply["content"]):
                continue
            key = repr(dialogue[: place + 2])
            if key not in seen and answer["content"].strip():
                seen.add(key)
                yield {"prompt": dialogue[:place], "rejected": [answer], "complaint": reply["content"]}
