"""Chat models by name, as commands and recipes give them."""

from __future__ import annotations

from truing.chat.model import SeededChat
from truing.errors import RecipeError
from truing.policies.generation import Sampling


def chat_model(
    name: str,
    *,
    key_from: str | None = None,
    max_tokens: int = 256,
    temperature: float = 0.0,
    seed: int = 0,
    where: str = "model",
) -> SeededChat:
    """A chat model behind an endpoint, or on this machine.

    Args:
        name: ``http://HOST/v1#MODEL`` for the model of that name behind an OpenAI-compatible endpoint; anything else is
            a folder, a hub name, or ``truing/tiny``.
        key_from: environment variable that holds the endpoint's key.
        max_tokens: longest reply, tokens.
        temperature: 0 says the same every time.
        seed: of what is drawn.
        where: option or key that gave the name, for error messages.

    Raises:
        RecipeError: if an endpoint comes without the name of its model.
        ObjectiveError: if the endpoint's address or key cannot be used.
        ModelError: if a model cannot be loaded.
    """
    if not name.startswith(("http://", "https://")):
        from truing.chat.on_device import LocalChat
        from truing.rewards.judges.local import load_policy

        sampling = Sampling(max_new_tokens=max_tokens, temperature=temperature, seed=seed)
        return LocalChat(load_policy(name), sampling, name=name)
    from truing.rewards.judges.patience import Patience
    from truing.rewards.judges.remote import asking_of
    from truing.rewards.judges.usage import Usage

    url, _, model = name.partition("#")
    if not model:
        raise RecipeError(
            "an endpoint needs the name of its model", where=where, fix=f"write {url}#MODEL, e.g. {url}#my-model"
        )
    asking = asking_of(url, model, key_from, temperature, max_tokens, 8, Patience(), None, Usage())
    return asking.seeded(seed) if seed else asking
