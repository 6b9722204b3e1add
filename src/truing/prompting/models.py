"""Models that answer shown prompts, by name."""

from __future__ import annotations

from truing.chat import LocalChat, chat_model
from truing.prompting.answering import Answering, FromChat, FromPolicy


def answering(
    name: str,
    *,
    key_from: str | None = None,
    max_new_tokens: int = 64,
    temperature: float = 0.0,
    seed: int = 0,
    where: str = "model",
) -> Answering:
    """A model that answers prompts as they are shown.

    Args:
        name: folder, hub name, ``truing/tiny``, or ``http://HOST/v1#MODEL``.
        key_from: environment variable that holds an endpoint's key.
        max_new_tokens: longest answer, tokens.
        temperature: 0 says the same every time.
        seed: of what is drawn.
        where: option or key that gave the name, for error messages.

    Raises:
        RecipeError, ObjectiveError, ModelError: as :func:`truing.chat.chat_model`.
    """
    model = chat_model(
        name, key_from=key_from, max_tokens=max_new_tokens, temperature=temperature, seed=seed, where=where
    )
    return FromPolicy(model.policy, model.sampling) if isinstance(model, LocalChat) else FromChat(model, seed)
