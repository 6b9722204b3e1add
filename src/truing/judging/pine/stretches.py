"""A prompt with parts as a chat model is to read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from truing.decoding.drawing import rendered
from truing.errors import ModelError
from truing.policies.pine.segments import Segments

_HERE = "<<parts>>"


def arranged(tokenizer: Any, before: str, parts: Sequence[str], after: str, lead: str = "") -> Segments:
    """One message of a user with parts in it, and the beginning of the answer.

    Args:
        tokenizer: of the model; its chat template is used where it has one.
        before: the message up to the parts.
        parts: texts, each with what parts it from the next.
        after: the rest of the message.
        lead: how the answer begins.

    Raises:
        ModelError: if the chat template changes what stands in a message.
    """
    # Looked for from the left of what follows: a text may say anything itself.
    whole = rendered(tokenizer, f"{before}{_HERE}{after}")
    place = whole.find(f"{before}{_HERE}")
    if place < 0:
        raise ModelError("the model's chat template changes messages", fix="use another model")
    split = place + len(before)
    tail = whole[split + len(_HERE) :]
    gap = "" if getattr(tokenizer, "chat_template", None) else "\n"
    return Segments.of_texts(tokenizer, whole[:split], parts, f"{tail}{gap}{lead}")


def endings(tokenizer: Any, segments: Segments, after: str, texts: Sequence[str]) -> list[list[int]]:
    """Tokens of texts as they follow the end of a prompt.

    Args:
        tokenizer: of the model.
        segments: the prompt.
        after: the prompt's last words, with which the texts are tokenised together.
        texts: what may follow.

    Raises:
        ModelError: if a text merges with what stands before it.
    """
    from truing.data.tokenise import token_ids

    head, *found = token_ids(tokenizer, [after, *(f"{after}{text}" for text in texts)])
    tails = [ids[len(head) :] for ids in found]
    merged = [text for text, ids in zip(texts, found, strict=True) if ids[: len(head)] != head]
    if merged or not all(tails) or list(segments.suffix[-1:]) != head[-1:]:
        raise ModelError(
            "the model's tokenizer does not keep an answer apart from the text before it",
            where=repr((merged or list(texts))[0][:40]),
            fix="use another model",
        )
    return tails
