"""Judges by name, as commands give them."""

from __future__ import annotations

from collections.abc import Sequence

from truing.chat.named import chat_model
from truing.judging.bench import Bench
from truing.judging.comparer import Comparer
from truing.judging.comparers.letters import LetterOdds
from truing.judging.comparers.text import TextVerdicts
from truing.judging.wording import Wording


def bench_of(
    names: Sequence[str],
    wording: Wording,
    *,
    words: bool = False,
    temperature: float = 0.0,
    max_tokens: int = 256,
    key_from: str | None = None,
    seed: int = 0,
) -> Bench:
    """Judges that reply in words, or by the odds of letters where they run on this machine.

    Args:
        names: as :func:`truing.chat.chat_model` takes them.
        wording: of questions in words.
        words: whether judges on this machine reply in words as well.
        temperature, max_tokens, key_from, seed: of replies in words.

    Raises:
        RecipeError: if an endpoint comes without the name of its model.
        ModelError: if a model cannot be loaded.
    """
    if not words and not any(name.startswith(("http://", "https://")) for name in names):
        from truing.rewards.judges.local import load_policy

        odds: list[Comparer] = [LetterOdds(load_policy(name), name, wording.criteria) for name in names]
        return Bench(odds, wording=wording)
    chats = [
        chat_model(
            name, key_from=key_from, max_tokens=max_tokens, temperature=temperature, seed=seed, where="--judge"
        )
        for name in names
    ]
    return Bench([TextVerdicts(chat, wording) for chat in chats], chats, wording)
