"""Chat templates: where they come from, and what they make of a prompt and its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from truing.data.rows import Message, shorten
from truing.errors import DataError, did_you_mean

_PROBE = "Qx7Zprobe"
"""An answer that no template rewrites and no prompt contains."""


def built_in() -> dict[str, str]:
    """Names and texts of the templates in the package."""
    folder = files("truing.data") / "templates"
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".jinja")]
    return {entry.name.removesuffix(".jinja"): entry.read_text(encoding="utf-8") for entry in found}


def resolve(template: str) -> str:
    """The text of a template that is given by name, as a file, or as text.

    Raises:
        DataError: if it is none of these, or not Jinja.
    """
    named = built_in()
    if "{{" in template or "{%" in template:
        text = template
    elif template in named:
        text = named[template]
    else:
        text = _read(template, named)
    return _checked(text, template)


def _read(template: str, named: Mapping[str, str]) -> str:
    try:
        return Path(template).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError, RuntimeError):
        raise DataError(
            f"there is no chat template {shorten(template)}",
            where="data.chat_template",
            allowed=f"{', '.join(sorted(named))}, a file, or the template itself",
            fix=did_you_mean(template, named),
        ) from None


def _checked(text: str, name: str) -> str:
    import jinja2

    try:
        # The block that marks generated tokens is an extension of transformers.
        jinja2.Environment(autoescape=True).parse(
            text.replace("{% generation %}", "").replace("{% endgeneration %}", "")
        )
    except jinja2.TemplateSyntaxError as error:
        raise DataError(
            f"the chat template is not Jinja: {error.message}",
            where=f"data.chat_template, {shorten(name)}, line {error.lineno}",
        ) from None
    return text


class TemplateRefusalError(Exception):
    """A template that raises on a conversation; the message is its own."""


@dataclass(frozen=True)
class Rendered:
    """A conversation as text.

    Args:
        prompt: up to where the answers begin.
        answers: what follows, up to and including the end of the turn.
        closed: for each answer, whether the template ended the turn with a token of the tokenizer's own.
        rewritten: whether the prompt with its generation header is not what the whole begins with.
    """

    prompt: str
    answers: list[str]
    closed: list[bool]
    rewritten: bool


class ChatRenderer:
    """Renders prompts and answers with one template.

    Args:
        tokenizer: of transformers.
        template: text of a template, or ``None`` for the tokenizer's own.
        system: a system message for conversations that have none.

    Raises:
        DataError: if there is no template.
    """

    def __init__(self, tokenizer: Any, template: str | None, system: str | None) -> None:
        self.tokenizer = tokenizer
        self.template = template if template is not None else own_template(tokenizer)
        self.system = system
        added = {str(token.content) for token in tokenizer.added_tokens_decoder.values()}
        # Some vocabularies have runs of spaces or line breaks as tokens of their own; those end no turn.
        self.tokens = [token for token in added | set(tokenizer.all_special_tokens) if token.strip()]
        self.suffix = self._probe_suffix()
        self.closing, self.is_closed = self._closing(self.suffix)

    def render(self, messages: Sequence[Message], *, generation: bool = False) -> str:
        """A conversation as text.

        Raises:
            TemplateRefusalError: if the template raises.
        """
        import jinja2

        try:
            return str(
                self.tokenizer.apply_chat_template(
                    list(messages), tokenize=False, add_generation_prompt=generation, chat_template=self.template
                )
            )
        except (jinja2.TemplateError, TypeError, ValueError, KeyError) as error:
            raise TemplateRefusalError(
                str(error).splitlines()[0] if str(error) else type(error).__name__
            ) from None

    def __call__(self, prompt: Sequence[Message], answers: Sequence[Sequence[Message]]) -> Rendered:
        """Prompt and answers as text, split where the answers begin.

        Raises:
            TemplateRefusalError: if the template raises, or writes the prompt anew for each answer.
        """
        if self.system is not None and (not prompt or prompt[0]["role"] != "system"):
            prompt = [{"role": "system", "content": self.system}, *prompt]
        head = self.render(prompt, generation=True)
        wholes = [self.render([*prompt, *answer]) for answer in answers]
        rewritten = not all(whole.startswith(head) for whole in wholes)
        if rewritten:
            head = self._common_head(prompt, wholes)
        texts, closed = zip(*(self._ended(whole[len(head) :]) for whole in wholes), strict=True)
        return Rendered(head, list(texts), list(closed), rewritten)

    def _common_head(self, prompt: Sequence[Message], wholes: list[str]) -> str:
        """What all of the whole conversations begin with, up to where an answer stands."""
        probe = self.render([*prompt, {"role": "assistant", "content": _PROBE}])
        before = probe[: probe.rindex(_PROBE)] if _PROBE in probe else probe
        head = common_prefix([before, *wholes])
        if not head.startswith(self.render(prompt)):
            raise TemplateRefusalError("the template changes earlier messages when an answer follows")
        return head

    def _probe_suffix(self) -> str:
        """What the template writes after an answer."""
        try:
            whole = self.render([{"role": "user", "content": "a"}, {"role": "assistant", "content": _PROBE}])
        except TemplateRefusalError:
            return ""
        return whole[whole.rindex(_PROBE) + len(_PROBE) :] if _PROBE in whole else ""

    def _closing(self, suffix: str) -> tuple[str, bool]:
        """The part of a suffix that ends the turn, and whether a token of the tokenizer's own does it."""
        ends = [(suffix.index(token) + len(token)) for token in self.tokens if token in suffix]
        return (suffix[: min(ends)], True) if ends else (suffix.rstrip(), False)

    def _ended(self, answer: str) -> tuple[str, bool]:
        if answer.endswith(self.suffix):
            return answer[: len(answer) - len(self.suffix)] + self.closing, self.is_closed
        stripped = answer.rstrip()
        closed = any(stripped.endswith(token) for token in self.tokens)
        return (stripped, True) if closed else (answer, False)


def common_prefix(texts: Sequence[str]) -> str:
    """The longest text that all begin with."""
    first, last = min(texts), max(texts)  # all others lie between them
    length = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[:length]


def own_template(tokenizer: Any) -> str:
    """The chat template that a tokenizer comes with.

    Raises:
        DataError: if it has none, or several and none is the default.
    """
    template = getattr(tokenizer, "chat_template", None)
    if isinstance(template, Mapping):
        template = template.get("default")
    if not template:
        raise DataError(
            "the data holds conversations, but the tokenizer has no chat template",
            where=f"tokenizer {tokenizer.name_or_path or type(tokenizer).__name__}",
            allowed=f"data.chat_template: {', '.join(sorted(built_in()))}, a file, or the template itself",
            fix="data.chat_template: chatml, or the template that the model was trained with, if it was",
        )
    return str(template)
