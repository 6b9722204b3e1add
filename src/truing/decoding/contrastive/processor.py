"""The contrast as a logits processor for plain ``model.generate``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import LogitsProcessor

from truing.decoding.contrastive.score import Contrast
from truing.errors import ModelError


class ContrastProcessor(LogitsProcessor):
    """Scores each next token against an amateur, which keeps keys and values of its own.

    Processors run before warpers, so that temperature and top-p act on what is left. One processor serves one call of
    ``generate`` after the other. Where rows are exchanged between steps, as beams are, the amateur reads them anew.

    Args:
        contrast: the score.
        amateur: a model of transformers with the same vocabulary; it may be the expert itself.
        prompts: for each row what the amateur reads in place of the expert's prompt, as token ids; needed where both
            models read the same only if rows are padded.
        prompt_length: length of the expert's prompts with their padding, where ``prompts`` is given.

    Raises:
        ModelError: if one of the two last arguments comes without the other.
    """

    def __init__(
        self,
        contrast: Contrast,
        amateur: nn.Module,
        prompts: Sequence[Sequence[int]] | None = None,
        prompt_length: int = 0,
    ) -> None:
        if (prompts is None) != (prompt_length == 0):
            raise ModelError("prompts of the amateur and the length of the expert's go together")
        self.contrast, self.amateur, self.prompts, self.length = contrast, amateur, prompts, prompt_length
        self._seen: Tensor | None = None
        self._cache: Any = None
        self._mask: Tensor | None = None

    @torch.no_grad()
    def __call__(
        self, input_ids: Int[Tensor, "rows tokens"], scores: Float[Tensor, "rows vocabulary"]
    ) -> Float[Tensor, "rows vocabulary"]:
        """Scores of the next token.

        Raises:
            ModelError: if there are more rows than prompts, or another vocabulary.
        """
        goes_on = (
            self._seen is not None
            and self._seen.shape == input_ids[:, :-1].shape
            and bool((self._seen == input_ids[:, :-1]).all())
        )
        logits = self._step(input_ids[:, -1:]) if goes_on else self._begin(input_ids)
        self._seen = input_ids
        return self.contrast(scores, logits).to(scores.dtype)

    def _begin(self, input_ids: Tensor) -> Tensor:
        ids, mask = input_ids, torch.ones_like(input_ids)
        if self.prompts is not None:
            if len(self.prompts) != len(input_ids):
                raise ModelError(f"{len(input_ids)} rows and {len(self.prompts)} prompts of the amateur")
            answers = input_ids[:, self.length :].tolist()
            texts = [[*prompt, *answer] for prompt, answer in zip(self.prompts, answers, strict=True)]
            width = max(map(len, texts))
            ids = torch.tensor([[0] * (width - len(text)) + text for text in texts], device=input_ids.device)
            mask = torch.tensor(
                [[0] * (width - len(text)) + [1] * len(text) for text in texts], device=input_ids.device
            )
        self._cache, self._mask = None, mask
        return self._run(ids, (mask.cumsum(-1) - 1).clamp(min=0))

    def _step(self, ids: Tensor) -> Tensor:
        assert self._mask is not None
        self._mask = torch.cat([self._mask, torch.ones_like(ids)], -1)
        return self._run(ids, self._mask.sum(-1, keepdim=True) - 1)

    def _run(self, ids: Tensor, positions: Tensor) -> Tensor:
        out = self.amateur(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
        )
        self._cache = out.past_key_values
        logits: Tensor = out.logits[:, -1]
        return logits
