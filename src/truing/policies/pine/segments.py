"""A prompt whose middle is a set of parts: options, documents, answers that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from truing.errors import DataError


@dataclass(frozen=True)
class Segments:
    """Token ids of a prompt in three stretches.

    Attributes:
        prefix: what comes before the parts.
        parts: the parts, none of them empty; their order is to have no effect.
        suffix: what comes after them; one token or more, the last of which predicts the answer.

    Raises:
        DataError: if a part or the suffix has no tokens.
    """

    prefix: tuple[int, ...]
    parts: tuple[tuple[int, ...], ...]
    suffix: tuple[int, ...]

    def __post_init__(self) -> None:
        empty = [number for number, part in enumerate(self.parts) if not part]
        if empty:
            raise DataError("a part has no tokens", where=f"part {empty[0]}", fix="leave it out")
        if not self.suffix:
            raise DataError(
                "nothing follows the parts",
                where="suffix",
                fix="let a question or the beginning of an answer follow, which reads them all",
            )

    @classmethod
    def of_texts(cls, tokenizer: Any, prefix: str, parts: Sequence[str], suffix: str) -> Segments:
        """Tokenise every stretch by itself, so that no token lies across two of them.

        Args:
            tokenizer: of the model.
            prefix, suffix: as the model is to read them, special tokens of a chat template included.
            parts: texts; whatever parts them (line breaks, headings) belongs to each.
        """
        from truing.data.tokenise import token_ids

        head, *middle, tail = (tuple(ids) for ids in token_ids(tokenizer, [prefix, *parts, suffix]))
        return cls(head, tuple(middle), tail)

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """The whole prompt, parts in their given order."""
        return (*self.prefix, *(token for part in self.parts for token in part), *self.suffix)

    @cached_property
    def start(self) -> int:
        """Place of the first token of the first part."""
        return len(self.prefix)

    @cached_property
    def end(self) -> int:
        """Place after the last token of the last part."""
        return self.start + sum(map(len, self.parts))

    @cached_property
    def lengths(self) -> Int[Tensor, " parts"]:
        """Tokens of every part."""
        return torch.tensor([len(part) for part in self.parts], dtype=torch.int64)

    @cached_property
    def owner(self) -> Int[Tensor, " region"]:
        """The part that every token between prefix and suffix belongs to."""
        return torch.repeat_interleave(torch.arange(len(self.parts)), self.lengths)

    @cached_property
    def base(self) -> Int[Tensor, " region"]:
        """Where each of these tokens stands if its part comes last: all parts end where the suffix begins."""
        offsets = [torch.arange(len(part)) + self.end - len(part) for part in self.parts]
        return torch.cat(offsets) if offsets else torch.zeros(0, dtype=torch.int64)

    def followed_by(self, tokens: Sequence[int]) -> Segments:
        """The same with a longer suffix."""
        return replace(self, suffix=(*self.suffix, *tokens))

    def ordered(self, order: Sequence[int]) -> Segments:
        """The same parts in another order."""
        return replace(self, parts=tuple(self.parts[number] for number in order))
