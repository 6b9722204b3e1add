"""Judges of two answers by name, as commands give them."""

from __future__ import annotations

from truing.chat.named import chat_model
from truing.judging.comparer import Comparer
from truing.judging.comparers import LetterOdds, TextVerdicts
from truing.judging.wording import RELATION, Wording
from truing.rewards.judges.local import load_policy
from truing.rewards.judges.wording import CRITERIA


def judge_named(
    name: str, *, criteria: str = CRITERIA, key_from: str | None = None, where: str = "--judge"
) -> Comparer:
    """A judge that answers, once for every order it is shown.

    Args:
        name: ``http://HOST/v1#MODEL``, whose verdicts are read from its replies; or a folder, a hub name or
            ``truing/tiny``, of which the odds of the letters A and B are taken.
        criteria: what it judges by, in words.
        key_from: environment variable that holds the endpoint's key.
        where: option or argument that gave the name, for error messages.

    Raises:
        TruingError: if there is no such model.
    """
    if name.startswith(("http://", "https://")):
        chat = chat_model(name, key_from=key_from, where=where)
        return TextVerdicts(chat, Wording(RELATION, criteria))
    return LetterOdds(load_policy(name), name, criteria)
