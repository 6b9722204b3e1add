"""What decoding draws from: a model that answers prompts, and answers that grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from truing.errors import ModelError
from truing.policies.attention import UnsupportedAttentionError
from truing.policies.generation import Sampling, end_tokens
from truing.policies.group_sampling import GroupSampler
from truing.policies.growing import PlainRows, Rows, SharedRows, Work
from truing.rewards.algebra import Prompt

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy

Tokens = list[int]


class Engine(Protocol):
    """A model, or an exact world in its place.

    Attributes:
        ends: tokens that end an answer.
        work: what it has cost so far.
    """

    work: Work

    @property
    def ends(self) -> frozenset[int]:
        """Tokens that end an answer."""

    def encode(self, prompt: Prompt) -> Tokens:
        """The prompt as the model reads it."""

    def text(self, tokens: Sequence[int]) -> str:
        """An answer as text; without the token that ends it."""

    def rows(self, prompts: Sequence[Sequence[int]], count: int) -> Rows:
        """``count`` empty answers to each prompt, which may grow."""

    def sample(self, prompts: Sequence[Sequence[int]], count: int, sampling: Sampling) -> list[list[Tokens]]:
        """``count`` whole answers to each prompt, ended by the end token where one was drawn."""


@dataclass
class ModelEngine:
    """An engine of a language model.

    Args:
        policy: the model, with its tokenizer.
        work: what is added to.

    Raises:
        ModelError: if it has no tokenizer.
    """

    policy: CausalPolicy
    work: Work = field(default_factory=Work)

    def __post_init__(self) -> None:
        self._ends = frozenset(end_tokens(self.policy))
        self._sampler = GroupSampler(self.policy)

    @property
    def ends(self) -> frozenset[int]:
        return self._ends

    def encode(self, prompt: Prompt) -> Tokens:
        from truing.data.tokenise import token_ids
        from truing.decoding.drawing import rendered

        tokenizer = self.policy.tokenizer
        if tokenizer is None:
            raise ModelError("decoding needs the model's tokenizer", fix="pass tokenizer= to CausalPolicy")
        (ids,) = token_ids(tokenizer, [rendered(tokenizer, prompt)])
        return ids

    def text(self, tokens: Sequence[int]) -> str:
        kept = [token for token in tokens if token not in self._ends]
        return str(self.policy.tokenizer.decode(kept, skip_special_tokens=True))  # type: ignore[union-attr]

    def rows(self, prompts: Sequence[Sequence[int]], count: int) -> Rows:
        if not self._sampler.shares:
            return PlainRows(self.policy, prompts, count, self.work)
        try:
            return SharedRows(self.policy, prompts, count, self.work)
        except UnsupportedAttentionError:
            return PlainRows(self.policy, prompts, count, self.work)

    def sample(self, prompts: Sequence[Sequence[int]], count: int, sampling: Sampling) -> list[list[Tokens]]:
        before = self._sampler.prompt_tokens
        found = self._sampler(prompts, count, sampling)
        drawn = sum(len(answer) for answers in found for answer in answers)
        read = self._sampler.prompt_tokens - before if self._sampler.shares else count * sum(map(len, prompts))
        self.work.add(read + drawn)
        return found
