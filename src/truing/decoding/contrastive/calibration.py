"""Answers without the prior of a model: calibration by what it says when the evidence is left out (2403.05262).

The paper leaves out the image of a vision-language model; the sums are the same for a text without its context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import DataError

FormName = Literal["diagonal", "identity"]
FLOOR = 1e-4

Laws = Float[Tensor, "items labels"]


def grouped(law: Float[Tensor, "items vocabulary"], forms: Sequence[Sequence[int]]) -> Laws:
    """Probability of each label: of all its surface forms ("Yes", " yes", "YES") together, divided by their sum.

    Args:
        law: of the next token.
        forms: for each label the tokens that begin its surface forms.

    Raises:
        DataError: if a label has no form, or two labels share one.
    """
    tokens = [token for group in forms for token in group]
    if not all(forms) or len(set(tokens)) < len(tokens):
        raise DataError(
            "labels need surface forms of their own", allowed="one token or more for each label, in no other label"
        )
    sums = torch.stack([law[:, list(group)].sum(-1) for group in forms], -1)
    return sums / sums.sum(-1, keepdim=True)


def _diagonal(law: Laws, blind: Laws) -> Laws:
    found = law / blind
    return found / found.sum(-1, keepdim=True)


def _identity(law: Laws, blind: Laws) -> Laws:
    return law - blind


CALIBRATIONS: dict[FormName, Callable[[Laws, Laws], Laws]] = {"diagonal": _diagonal, "identity": _identity}


def calibrated(law: Laws, blind: Sequence[Laws], form: FormName = "diagonal", *, over_data: bool = False) -> Laws:
    """Scores of the labels with the model's prior taken out.

    Args:
        law: with the evidence.
        blind: without it, once for each way to leave it out; averaged, and held above 1e-4.
        form: ``diagonal`` divides, and gives probabilities, uniform ones where the evidence changes nothing;
            ``identity`` subtracts, and gives numbers for an argmax alone, which may be below 0.
        over_data: subtract one prior, the mean over all items, and not each item's own.

    Raises:
        DataError: if shapes differ, or there is no prior.
    """
    if not blind or any(one.shape != law.shape for one in blind):
        raise DataError(
            f"priors of shapes {[list(one.shape) for one in blind]} for {list(law.shape)}",
            allowed="one or more, each of the shape of the probabilities",
        )
    prior = torch.stack(list(blind)).mean(0)
    if over_data:
        prior = prior.mean(0, keepdim=True).expand_as(prior)
    prior = prior / prior.sum(-1, keepdim=True) + FLOOR
    return CALIBRATIONS[form](law, prior)
