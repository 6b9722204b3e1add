"""Which tokens a tokenizer puts around a text by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SpecialTokens:
    """Begin and end of sequence.

    Args:
        bos: token that the tokenizer puts in front of every text, or ``None`` if it puts none.
        known_bos: its beginning-of-sequence token, whether it puts it in front or not.
        eos: its end-of-sequence token.
    """

    bos: int | None
    known_bos: int | None
    eos: int | None

    @classmethod
    def of(cls, tokenizer: Any) -> SpecialTokens:
        """Found by tokenising a letter, since settings do not always tell."""
        known, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
        first = tokenizer("a")["input_ids"][:1]
        return cls(known if known is not None and first == [known] else None, known, eos)

    def begin(self, ids: list[int]) -> list[int]:
        """A prompt with BOS once in front, if the tokenizer uses one."""
        start = 0
        while self.known_bos is not None and ids[start : start + 2] == [self.known_bos] * 2:
            start += 1
        ids = ids[start:]
        return [self.bos, *ids] if self.bos is not None and ids[:1] != [self.bos] else ids

    def end(self, ids: list[int]) -> list[int]:
        """A completion with EOS once at its end."""
        stop = len(ids)
        while self.eos is not None and ids[stop - 2 : stop] == [self.eos] * 2 and stop >= 2:
            stop -= 1
        ids = ids[:stop]
        return ids if self.eos is None or ids[-1:] == [self.eos] else [*ids, self.eos]
