"""How alike texts are, each with each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

_WORD = re.compile(r"\w+")


def words_shared(texts: Sequence[str]) -> Float[Tensor, "texts texts"]:
    """ROUGE-1 F: words in common, each as often as both texts have it, over the mean of both lengths.

    Two texts without words are alike, and one without words is unlike all others.
    """
    counts = [Counter(_WORD.findall(text.lower())) for text in texts]
    sizes = [sum(count.values()) for count in counts]
    table = torch.eye(len(texts), dtype=torch.float64)
    for i, left in enumerate(counts):
        for j in range(i):
            both = sizes[i] + sizes[j]
            value = 2 * (left & counts[j]).total() / both if both else 1.0
            table[i, j] = table[j, i] = value
    return table
