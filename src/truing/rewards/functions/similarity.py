"""How alike two texts are: TF-IDF, which needs nothing, or an encoder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

_FEATURES = 2**18


class Similarity(Protocol):
    """Cosine of two texts, at least 0."""

    def __call__(self, left: Sequence[str], right: Sequence[str]) -> Float[Tensor, " texts"]:
        """Of ``left[i]`` and ``right[i]``."""


@dataclass(frozen=True)
class TfIdf:
    """Cosine of TF-IDF vectors of words; how rare a word is was counted in the packaged sample of HH-RLHF.

    Words that are not there count as the rarest. What two texts get does not depend on other texts.
    """

    def __call__(self, left: Sequence[str], right: Sequence[str]) -> Float[Tensor, " texts"]:
        if not left:
            return torch.zeros(0, dtype=torch.float64)
        counts, weights = _fitted()
        first, second = (weights.transform(counts.transform(texts)) for texts in (left, right))
        return torch.from_numpy(first.multiply(second).sum(1).A1).double().clamp(0.0, 1.0)


@cache
def _fitted() -> tuple[HashingVectorizer, TfidfTransformer]:
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    from truing.assets import folder

    counts = HashingVectorizer(n_features=_FEATURES, alternate_sign=False, norm=None)
    lines = (folder() / "hh-sample.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [str(json.loads(line)["chosen"]) for line in lines]
    return counts, TfidfTransformer(sublinear_tf=True).fit(counts.transform(texts))


@dataclass(frozen=True)
class Encoder:
    """Cosine of mean states of a transformers encoder, as the Contriever family is used; negative ones count as 0.

    Args:
        model: an encoder.
        tokenizer: its tokenizer.
        batch: texts in one pass.
    """

    model: Any
    tokenizer: Any
    batch: int = 32

    @classmethod
    def load(cls, name: str) -> Encoder:
        """Load an encoder from a folder or the hub.

        Raises:
            ModelError: if there is none.
        """
        from transformers import AutoModel

        from truing.errors import ModelError
        from truing.policies.loading import load_tokenizer, resolve

        folder = resolve(name)
        tokenizer = load_tokenizer(folder)
        try:
            model = AutoModel.from_pretrained(folder, trust_remote_code=False, use_safetensors=True)
        except (OSError, ValueError) as error:
            raise ModelError(f"{name!r} is no encoder: {str(error).splitlines()[0]}", where=folder) from None
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(model.to(device).eval(), tokenizer)

    def __call__(self, left: Sequence[str], right: Sequence[str]) -> Float[Tensor, " texts"]:
        first, second = (self._embed(texts) for texts in (left, right))
        return torch.nn.functional.cosine_similarity(first, second).double().clamp(min=0.0).cpu()

    @torch.no_grad()
    def _embed(self, texts: Sequence[str]) -> Float[Tensor, "texts width"]:
        parts = [torch.zeros(0, self.model.config.hidden_size)]
        for start in range(0, len(texts), self.batch):
            tokens = self.tokenizer(
                list(texts[start : start + self.batch]), padding=True, truncation=True, return_tensors="pt"
            ).to(self.model.device)
            states = self.model(**tokens).last_hidden_state
            mask = tokens["attention_mask"][..., None].to(states.dtype)
            parts.append(((states * mask).sum(1) / mask.sum(1).clamp(min=1)).float().cpu())
        return torch.cat(parts)
