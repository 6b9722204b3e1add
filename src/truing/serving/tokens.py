"""What single tokens are, as text and bytes, and how likely they were."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor

from truing.serving.asked import TokenLogprob
from truing.serving.text import Decode

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def decoding(tokenizer: Any) -> Decode:
    """From tokens to text without special tokens, and without any beautification, which would look ahead."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        return lambda tokens: str(backend.decode(list(tokens), skip_special_tokens=True))
    return lambda tokens: str(
        tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    )


class Vocabulary:
    """Tokens as text and as bytes.

    Args:
        tokenizer: of transformers.
    """

    def __init__(self, tokenizer: Any) -> None:
        from transformers.convert_slow_tokenizer import bytes_to_unicode

        self._tokenizer = tokenizer
        backend = getattr(tokenizer, "backend_tokenizer", None)
        by_bytes = backend is not None and "ByteLevel" in repr(backend.decoder)
        self._bytes = {letter: byte for byte, letter in bytes_to_unicode().items()} if by_bytes else {}
        self._known: dict[int, tuple[str, bytes]] = {}

    def __call__(self, token: int) -> tuple[str, bytes]:
        """A token as text and as bytes."""
        if token not in self._known:
            self._known[token] = self._read(token)
        return self._known[token]

    def _read(self, token: int) -> tuple[str, bytes]:
        name = self._tokenizer.convert_ids_to_tokens(token)
        if name is None:  # models may have more logits than the tokenizer has tokens
            return "", b""
        if self._bytes and all(letter in self._bytes for letter in name):
            data = bytes(self._bytes[letter] for letter in name)
        elif found := _BYTE.fullmatch(name):
            data = bytes([int(found[1], 16)])
        else:
            data = name.replace("▁", " ").encode("utf-8", "replace")
        return data.decode("utf-8", "replace"), data

    def told(
        self,
        logits: Float[Tensor, "rows vocabulary"],
        tokens: Int[Tensor, " rows"],
        most: Sequence[int],
    ) -> list[TokenLogprob]:
        """Log-probabilities of tokens that were drawn, at temperature 1 and without any truncation.

        Args:
            logits: of the model.
            tokens: that were drawn.
            most: how many of the likeliest are told beside each.
        """
        logps = logits.log_softmax(-1)
        drawn = logps.gather(1, tokens[:, None])[:, 0].tolist()
        values, places = logps.topk(min(max(most, default=0), logps.shape[1]), dim=-1)
        found = []
        for row, (token, logp, count) in enumerate(zip(tokens.tolist(), drawn, most, strict=True)):
            likeliest = zip(places[row, :count].tolist(), values[row, :count].tolist(), strict=True)
            top = tuple((*self(one), value) for one, value in likeliest)
            found.append(TokenLogprob(*self(token), logp, top))
        return found
