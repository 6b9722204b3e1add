"""What a transform or a weighter may look at beside the numbers: the prompts, and a fixed reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jaxtyping import Float
from torch import Tensor

from truing.errors import DataError
from truing.policies.fingerprint import of_values

if TYPE_CHECKING:
    from truing.rewards.algebra.reference import ReferenceStats

Prompt = str | Sequence[Mapping[str, Any]]
"""A text, or a list of messages."""


def prompt_key(prompt: Prompt) -> str:
    """A short name that is the same for the same prompt, in every process."""
    return of_values(prompt)


@dataclass(frozen=True)
class Context:
    """Of N answers, one row each.

    Attributes:
        keys: of the prompt that each answers, see :func:`prompt_key`.
        reference: statistics of the reference policy, where a piece needs them.
        embeddings: of the prompts, shape ``[N, D]``, where a weighter needs them.
        round: how many rounds of sampling went before; weights that are drawn are drawn anew in each.
    """

    keys: tuple[str, ...]
    reference: ReferenceStats | None = None
    embeddings: Float[Tensor, "answers width"] | None = None
    round: int = 0

    @classmethod
    def of(
        cls,
        prompts: Sequence[Prompt],
        reference: ReferenceStats | None = None,
        embeddings: Tensor | None = None,
        round: int = 0,
    ) -> Context:
        """From prompts, one for each answer."""
        return cls(tuple(prompt_key(prompt) for prompt in prompts), reference, embeddings, round)

    def under(self, reference: ReferenceStats | None) -> Context:
        """The same answers, with other statistics."""
        return replace(self, reference=reference)

    def statistics(self, needed_by: str) -> ReferenceStats:
        """The reference's statistics.

        Raises:
            DataError: if there are none.
        """
        if self.reference is None:
            raise DataError(
                f"{needed_by} compares with samples of a reference policy, and there are none",
                fix="build ReferenceStats from samples of the model before training, and pass it on",
            )
        return self.reference
