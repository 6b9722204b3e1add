"""What the policy is told before it draws: the direction that will weigh its rewards (DPA, 2402.18571, section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from truing.data.chat import ChatRenderer, TemplateRefusalError, resolve
from truing.data.special_tokens import SpecialTokens
from truing.data.tokenise import token_ids
from truing.data.truncation import SMALLEST_PROMPT_SHARE
from truing.errors import DataError
from truing.rewards.algebra import Prompt, prompt_key
from truing.rewards.weighters.direction import Directions


class Condition(Protocol):
    """Puts something in front of prompts that depends on prompt and round alone, so that a replay sees the same."""

    def __call__(self, prompts: Sequence[Prompt], round: int) -> list[list[int]]:
        """Token ids of the prompts as the policy sees them."""
        ...


def direction_text(direction: Float[Tensor, " objectives"], names: Sequence[str]) -> str:
    """A direction in words: hundredths of each objective, as users of the trained model write them."""
    parts = [f"{name} × {round(100 * float(value))}" for name, value in zip(names, direction, strict=True)]
    return f"Answer so that the sum of these ratings is as large as possible: {', '.join(parts)}."


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
class DirectionCondition:
    """Tells each prompt's direction, the one that its rewards are weighed with in the same round.

    Where prompt and direction are too long, the prompt's own text is shortened from the left, never the direction.

    Args:
        directions: of the rewards.
        names: of the objectives.
        tokenizer: of the policy.
        max_length: of a prompt, tokens.
        chat_template: of conversations; the tokenizer's own where it is ``None``.
        system: what stands before conversations that have no system message.
    """

    directions: Directions
    names: tuple[str, ...]
    tokenizer: PreTrainedTokenizerBase
    max_length: int | None
    chat_template: str | None = None
    system: str | None = None

    def __call__(self, prompts: Sequence[Prompt], round: int) -> list[list[int]]:
        found = []
        for prompt in prompts:
            direction = self.directions.of(prompt_key(prompt), round, len(self.names))
            front, rest = self._parts(prompt, direction_text(direction, self.names))
            whole = self._special.begin(self._ids(front + rest))
            found.append(whole if self._fits(len(whole)) else self._shortened(front, rest))
        return found

    def check(self, prompts: Sequence[Prompt], where: str) -> None:
        """Refuse prompts in which a direction, and what stands before it, leaves no room for a question.

        Args:
            prompts: all of a run.
            where: the data's name.

        Raises:
            DataError: with how many there are, and the length that is enough for all.
        """
        if self.max_length is None:
            return
        longest = direction_text(torch.full((len(self.names),), -1.0), self.names)
        heads = {
            key: len(self._head(self._parts(prompt, longest)[0])) for key, prompt in _by_system(prompts).items()
        }
        least = max(1, self.max_length // SMALLEST_PROMPT_SHARE)
        short = {key for key, tokens in heads.items() if tokens + least > self.max_length}
        if short:
            raise DataError(
                f"{sum(_system(own) in short for own in prompts):,} of {len(prompts):,} prompts have no room left "
                f"behind the direction that the model is told: it ends after up to {max(heads.values())} tokens, and "
                f"data.max_length is {self.max_length}",
                where=f"{where}, online.condition",
                fix=f"set data.max_length to {max(heads.values()) * 2} or more, or shorten system messages",
            )

    def _parts(self, prompt: Prompt, text: str) -> tuple[str, str]:
        """The prompt as the policy reads it, up to the end of the direction, and what follows."""
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
                    f"the chat template refuses a prompt with a direction before it: {refusal}",
                    where="online.condition",
                    fix="set data.chat_template to one that has system messages",
                ) from None
        end = whole.index(text) + len(text)
        return whole[:end], whole[end:]

    def _shortened(self, front: str, rest: str) -> list[int]:
        assert self.max_length is not None
        head, tail = self._head(front), self._ids(rest)
        return [*head, *tail[max(0, len(tail) - max(1, self.max_length - len(head))) :]]

    def _head(self, front: str) -> list[int]:
        return self._special.begin(self._ids(front))

    def _fits(self, tokens: int) -> bool:
        return self.max_length is None or tokens <= self.max_length

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
    """What stands before a direction."""
    return str(prompt[0]["content"]) if not isinstance(prompt, str) and _has_system(prompt) else ""


def _by_system(prompts: Sequence[Prompt]) -> dict[str, Prompt]:
    """One prompt for each text that stands before directions."""
    return {_system(prompt): prompt for prompt in prompts}
