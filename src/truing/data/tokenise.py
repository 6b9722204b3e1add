"""Plain tokenisation of many texts, as fast as the tokenizer can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def token_ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each text, without special tokens.

    Args:
        tokenizer: of transformers. A fast one is asked without the offsets that its own call works out.
        texts: any number.
    """
    if not texts:
        return []
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]  # type: ignore[no-any-return]
    # Padding and truncation are switched by every call of the tokenizer, and stay switched.
    backend.no_padding()
    backend.no_truncation()
    return [found.ids for found in backend.encode_batch_fast(list(texts), add_special_tokens=False)]
