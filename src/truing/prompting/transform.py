"""Changes of prompts that compose: what a model is shown in place of what was asked, and how its answer is read.

The original prompt travels along, because answers are scored as answers to what was asked. A change that is scored by
its own words could win by asking something easier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from truing.rewards.algebra import Prompt
from truing.rewards.functions.prompt_text import transcript


@dataclass(frozen=True)
class Shown:
    """A prompt as a model is to see it.

    Attributes:
        original: what was asked; answers are scored against it.
        prompt: what the model sees.
        context: what is known beside the prompt (columns of its record), and what transforms found out.
        stop: texts at which an answer ends. They are cut, and so is what follows.
        verbatim: whether the prompt is a text that is to be continued, without any chat template.
    """

    original: Prompt
    prompt: Prompt
    context: Mapping[str, Any] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    verbatim: bool = False

    @classmethod
    def of(cls, prompt: Prompt, context: Mapping[str, Any] | None = None) -> Shown:
        """A prompt that is shown as it is."""
        return cls(prompt, prompt, dict(context or {}))

    def showing(self, prompt: Prompt, **changes: Any) -> Shown:
        """The same question in other words; ``changes`` are attributes, or else found out and put into the context."""
        attributes = {name: changes.pop(name) for name in ("stop", "verbatim") if name in changes}
        return replace(self, prompt=prompt, context={**self.context, **changes}, **attributes)

    def answer(self, completion: str) -> str:
        """An answer without what a model wrote after its end."""
        if not self.stop:
            return completion
        # An answer begins a line, so that a stop which begins with a line break may stand at its very start.
        line = f"\n{completion}"
        places = [place for text in self.stop if (place := line.find(text)) >= 0]
        return line[: min(places, default=len(line))].strip()


class PromptTransform(Protocol):
    """Changes what a model is shown. Many prompts at a time, since some ask a model about each."""

    @property
    def name(self) -> str:
        """For reports."""

    def __call__(self, shown: Sequence[Shown]) -> list[Shown]:
        """Each prompt changed; originals stay."""


class AsksModels:
    """A change that asks a model about each prompt, which takes time or money."""


def asks_models(transform: PromptTransform) -> bool:
    """Whether some part of a change does."""
    parts = transform.parts if isinstance(transform, Chain) else (transform,)
    return any(isinstance(part, AsksModels) for part in parts)


@dataclass(frozen=True)
class Identity:
    """Leaves prompts as they are."""

    name: str = "as it is"

    def __call__(self, shown: Sequence[Shown]) -> list[Shown]:
        return list(shown)


@dataclass(frozen=True)
class AsText:
    """Shows a prompt as a text to be continued, without any chat template."""

    name: str = "text"

    def __call__(self, shown: Sequence[Shown]) -> list[Shown]:
        return [one.showing(f"{transcript(one.prompt)}\n", verbatim=True) for one in shown]


@dataclass(frozen=True)
class Each:
    """Changes one prompt at a time, by its words alone.

    Args:
        name: for reports.
        change: from a prompt to a prompt.
    """

    name: str
    change: Callable[[Prompt], Prompt]

    def __call__(self, shown: Sequence[Shown]) -> list[Shown]:
        return [one.showing(self.change(one.prompt)) for one in shown]


@dataclass(frozen=True)
class Chain:
    """One change after the other.

    Args:
        parts: the first is applied first.
    """

    parts: tuple[PromptTransform, ...]

    @property
    def name(self) -> str:
        return " + ".join(part.name for part in self.parts)

    def __call__(self, shown: Sequence[Shown]) -> list[Shown]:
        found = list(shown)
        for part in self.parts:
            found = part(found)
        return found


def chained(*parts: PromptTransform) -> PromptTransform:
    """Changes one after the other; the identity is left out, and is what no changes make."""
    flat: list[PromptTransform] = []
    for part in parts:
        flat += part.parts if isinstance(part, Chain) else () if isinstance(part, Identity) else (part,)
    if not flat:
        return Identity()
    return flat[0] if len(flat) == 1 else Chain(tuple(flat))


def in_system(prompt: Prompt, text: str) -> Prompt:
    """A prompt with an instruction for the whole conversation: in front of the system message, or of the text."""
    if isinstance(prompt, str):
        return f"{text}\n\n{prompt}"
    messages = [dict(message) for message in prompt]
    if messages and messages[0]["role"] == "system":
        messages[0]["content"] = f"{text}\n\n{messages[0]['content']}"
        return messages
    return [{"role": "system", "content": text}, *messages]


def in_question(prompt: Prompt, change: Callable[[str], str]) -> Prompt:
    """A prompt whose question (the text, or the last message of the user) is changed; the rest stays."""
    if isinstance(prompt, str):
        return change(prompt)
    messages = [dict(message) for message in prompt]
    asked = [number for number, message in enumerate(messages) if message["role"] == "user"]
    if asked:
        messages[asked[-1]]["content"] = change(str(messages[asked[-1]]["content"]))
    return messages
