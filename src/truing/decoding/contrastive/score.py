"""The one step that all contrastive decoding takes: an expert's log-probabilities against an amateur's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from truing.errors import ModelError

FormName = Literal["extrapolate", "difference"]
Logits = Float[Tensor, "*rows vocabulary"]

FORMS: dict[FormName, float] = {"extrapolate": 1.0, "difference": 0.0}
"""How many times alpha the expert counts more than once."""


@dataclass(frozen=True)
class Contrast:
    """Scores of the next token.

    Attributes:
        alpha: weight of the amateur.
        cut: least probability of a token, as a share of the likeliest one's; 0 keeps all.
        form: ``extrapolate`` is (1 + α) log p_e − α log p_a, ``difference`` is log p_e − α log p_a.
        amateur_temperature: of the amateur.
    """

    alpha: float = 1.0
    cut: float = 0.1
    form: FormName = "extrapolate"
    amateur_temperature: float = 1.0

    def __call__(self, expert: Logits, amateur: Logits) -> Logits:
        """Scores, −∞ for tokens that the expert finds implausible.

        Which these are is told by the expert alone, before anything is subtracted: else a token that both find all but
        impossible could win by how little the amateur thinks of it.

        Raises:
            ModelError: if the two have different vocabularies.
        """
        if expert.shape[-1] != amateur.shape[-1]:
            raise ModelError(
                f"the amateur has {amateur.shape[-1]:,} tokens, the expert {expert.shape[-1]:,}",
                fix="take an amateur with the same tokenizer",
            )
        wide = torch.promote_types(expert.dtype, torch.float32)
        own = expert.to(wide).log_softmax(-1)
        other = (amateur.to(own.device, wide) / self.amateur_temperature).log_softmax(-1)
        # A token that has probability 0 for either side would make 0 · ∞ at alpha = 0.
        scores = (1 + FORMS[self.form] * self.alpha) * own - self.alpha * other if self.alpha else own
        return scores.masked_fill(~plausible(own, self.cut), -torch.inf)


def plausible(expert: Logits, cut: float) -> Bool[Tensor, "*rows vocabulary"]:
    """V_head: tokens with p_e ≥ cut · max p_e."""
    if cut == 0:
        return ~expert.isneginf()
    return expert >= expert.amax(-1, keepdim=True) + math.log(cut)
