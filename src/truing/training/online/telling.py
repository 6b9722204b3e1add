"""Something that a model is told in front of a prompt, which stays whole where the prompt is too long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from transformers import PreTrainedTokenizerBase

from truing.data.chat import ChatRenderer, TemplateRefusalError, resolve
from truing.data.special_tokens import SpecialTokens
from truing.data.tokenise import token_ids
from truing.data.truncation import SMALLEST_PROMPT_SHARE
from truing.errors import DataError
from truing.rewards.algebra import Prompt


def told(prompt: Prompt, text: str) -> Prompt:
    """The prompt with a text before it: as a system message, behind one that is there, or as plain text."""
    if isinstance(prompt, str):
        return f"{text}\n\n{prompt}"
    if _has_system(prompt):
        return [{"role": "system", "content": f"{prompt[0]['content']}\n\n{text}"}, *prompt[1:]]
    return [{"role": "system", "content": text}, *prompt]


def _has_system(prompt: Sequence[Mapping[str, Any]]) -> bool:
    return bool(prompt) and prompt[0]["role"] == "system"


@dataclass(frozen=True)
class Telling:
    """Tokens of prompts with something told before them.

    Where both are too long, the prompt's own text is shortened from the left, never what is told.

    Args:
        tokenizer: of the policy.
        max_length: of a prompt, tokens.
        chat_template: of conversations; the tokenizer's own where it is ``None``.
        system: what stands before conversations that have no system message.
    """

    tokenizer: PreTrainedTokenizerBase
    max_length: int | None
    chat_template: str | None = None
    system: str | None = None

    def __call__(self, prompt: Prompt, text: str) -> list[int]:
        """The prompt with ``text`` before it."""
        front, rest = self._parts(prompt, text)
        whole = self._begun(front + rest)
        if self.max_length is None or len(whole) <= self.max_length:
            return whole
        head, tail = self._begun(front), self._ids(rest)
        return [*head, *tail[max(0, len(tail) - max(1, self.max_length - len(head))) :]]

    def cut(self, text: str, tokens: int) -> str:
        """The beginning of a text, of at most so many tokens."""
        ids = token_ids(self.tokenizer, [text])[0]
        return text if len(ids) <= tokens else str(self.tokenizer.decode(ids[:tokens], skip_special_tokens=True))

    def check(self, prompts: Sequence[Prompt], text: str, where: str) -> None:
        """Refuse prompts in which what is told, and what stands before it, leaves no room for a question.

        Args:
            prompts: all of a run.
            text: the longest that is told.
            where: the data's name.

        Raises:
            DataError: with how many there are, and a length that is enough for all.
        """
        if self.max_length is None:
            return
        before = {_system(prompt): prompt for prompt in prompts}
        ends = {key: len(self._begun(self._parts(prompt, text)[0])) for key, prompt in before.items()}
        least = max(1, self.max_length // SMALLEST_PROMPT_SHARE)
        short = {key for key, tokens in ends.items() if tokens + least > self.max_length}
        if short:
            raise DataError(
                f"{sum(_system(own) in short for own in prompts):,} of {len(prompts):,} prompts have no room left "
                f"behind what the model is told first: it ends after up to {max(ends.values())} tokens, and "
                f"data.max_length is {self.max_length}",
                where=f"{where}, online.condition",
                fix=f"set data.max_length to {max(ends.values()) * 2} or more, or shorten system messages",
            )

    def _parts(self, prompt: Prompt, text: str) -> tuple[str, str]:
        """The prompt as the policy reads it, up to the end of what is told, and what follows."""
        if isinstance(prompt, str):
            whole = str(told(prompt, text))
        else:
            if self.system is not None and not _has_system(prompt):
                prompt = [{"role": "system", "content": self.system}, *prompt]
            messages = [dict(message) for message in told(prompt, text) if not isinstance(message, str)]
            try:
                whole = self._renderer(messages, [[{"role": "assistant", "content": "-"}]]).prompt
            except TemplateRefusalError as refusal:
                raise DataError(
                    f"the chat template refuses a prompt with something told before it: {refusal}",
                    where="online.condition",
                    fix="set data.chat_template to one that has system messages",
                ) from None
        end = whole.index(text) + len(text)
        return whole[:end], whole[end:]

    def _begun(self, text: str) -> list[int]:
        return self._special.begin(self._ids(text))

    def _ids(self, text: str) -> list[int]:
        return token_ids(self.tokenizer, [text])[0]

    @cached_property
    def _special(self) -> SpecialTokens:
        return SpecialTokens.of(self.tokenizer)

    @cached_property
    def _renderer(self) -> ChatRenderer:
        template = None if self.chat_template is None else resolve(self.chat_template)
        return ChatRenderer(self.tokenizer, template, None)


def _system(prompt: Prompt) -> str:
    """What stands before what is told."""
    return str(prompt[0]["content"]) if not isinstance(prompt, str) and _has_system(prompt) else ""
