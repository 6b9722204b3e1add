"""Judges of two answers by name, as commands of audits give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from truing.chat.named import chat_model
from truing.judging.comparer import Comparer
from truing.judging.comparers import LetterOdds, TextVerdicts
from truing.judging.making import bench_of
from truing.judging.wording import RELATION, Wording
from truing.rewards.judges.local import load_policy


def judges_named(names: Sequence[str], key_from: str | None = None) -> list[Comparer]:
    """Judges by name: endpoints reply in words, models on this machine by the odds of the letters.

    Args:
        names: ``http://HOST/v1#MODEL``, folders, hub names or ``truing/tiny``.
        key_from: environment variable that holds the endpoints' key.

    Raises:
        TruingError: if there is no such model.
    """
    return [bench_of([name], Wording(RELATION), key_from=key_from).comparer for name in names]


def oracles_named(
    name: str, principles: Mapping[str, str], *, key_from: str | None = None, where: str = "--oracle"
) -> dict[str, Comparer]:
    """One model that judges by one principle at a time, loaded once.

    Args:
        name: as for :func:`judges_named`.
        principles: what to judge by, in words, by name.
        key_from: environment variable that holds the endpoint's key.
        where: option or argument that gave the name, for error messages.

    Raises:
        TruingError: if there is no such model.
    """
    if name.startswith(("http://", "https://")):
        chat = chat_model(name, key_from=key_from, where=where)
        return {own: TextVerdicts(chat, Wording(RELATION, words)) for own, words in principles.items()}
    policy = load_policy(name)
    return {own: LetterOdds(policy, name, words) for own, words in principles.items()}
