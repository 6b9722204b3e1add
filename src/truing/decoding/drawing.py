"""Drawing text that continues a text: from a model, one piece at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from truing.errors import ModelError
from truing.rewards.algebra import Prompt

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy


class Draw(Protocol):
    """Continues an answer."""

    def __call__(self, prompt: Prompt, begun: str, stop: str | None = None) -> str:
        """What follows ``begun``, the beginning of an answer to ``prompt``, up to and with ``stop``; all of it where
        ``stop`` does not come.
        """
        ...


@dataclass(frozen=True)
class FromModel:
    """Draws from a model with the sampler of training.

    Attributes:
        policy: the model, with its tokenizer.
        max_new_tokens: longest piece.
        temperature: 0 takes the most likely token.
        seed: the same seed draws the same.
    """

    policy: CausalPolicy
    max_new_tokens: int = 512
    temperature: float = 0.0
    seed: int = 0

    def __call__(self, prompt: Prompt, begun: str, stop: str | None = None) -> str:
        from truing.data.tokenise import token_ids
        from truing.policies.generation import Sampling, generate

        tokenizer = self.policy.tokenizer
        if tokenizer is None:
            raise ModelError("drawing needs the model's tokenizer", fix="pass tokenizer= to CausalPolicy")
        ids = token_ids(tokenizer, [rendered(tokenizer, prompt) + begun])
        sampling = Sampling(self.max_new_tokens, self.temperature, seed=self.seed)
        (drawn,) = generate(self.policy, ids, sampling)
        text = str(tokenizer.decode(drawn, skip_special_tokens=True))
        # Tokens after the stop were drawn from what came before them, so that leaving them out changes nothing.
        before, found, _ = text.partition(stop) if stop else (text, "", "")
        return before + found


def continued(tokenizer: object, text: str) -> str:
    """A text that is to be gone on with, as the model reads it: without template, begun as all of its texts begin."""
    return f"{getattr(tokenizer, 'bos_token', None) or ''}{text}"


def rendered(tokenizer: object, prompt: Prompt) -> str:
    """A prompt as the model is to read it; a text is a user's message where the tokenizer has a chat template."""
    from truing.data.chat import ChatRenderer

    messages: Sequence[dict[str, str]]
    if isinstance(prompt, str):
        if not getattr(tokenizer, "chat_template", None):
            return continued(tokenizer, prompt)
        messages = [{"role": "user", "content": prompt}]
    else:
        messages = [dict(message) for message in prompt]
    return ChatRenderer(tokenizer, None, None).render(messages, generation=True)
