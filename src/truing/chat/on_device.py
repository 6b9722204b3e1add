"""A model on this machine that answers conversations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from truing.errors import ModelError
from truing.policies.generation import Sampling, generate
from truing.rewards.judges.endpoint import Messages

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy

Read = TypeVar("Read")


@dataclass(frozen=True)
class LocalChat:
    """See :class:`~truing.chat.model.ChatModel`.

    Args:
        policy: the model, with its tokenizer.
        sampling: how replies are drawn.
        readings: how often a question is asked whose reply cannot be read; once at temperature 0, where the reply
            would be the same.
        name: of the model.
    """

    policy: CausalPolicy
    sampling: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=256, temperature=0.0))
    readings: int = 3
    name: str = "local model"

    def __call__(self, questions: Sequence[Messages], read: Callable[[str], Read | None]) -> list[Read | None]:
        """What the model says to each conversation; ``None`` where no reply could be read.

        Raises:
            ModelError: if the model has no tokenizer.
        """
        found: list[Read | None] = [None] * len(questions)
        open_ = list(range(len(questions)))
        for attempt in range(self.readings if self.sampling.temperature > 0 else 1):
            if not open_:
                break
            sampling = replace(self.sampling, seed=self.sampling.seed + attempt)
            for place, reply in zip(open_, self._replies([questions[i] for i in open_], sampling), strict=True):
                found[place] = read(reply)
            open_ = [place for place in open_ if found[place] is None]
        return found

    def seeded(self, seed: int) -> LocalChat:
        """The same model with another seed."""
        return replace(self, sampling=replace(self.sampling, seed=seed))

    def _replies(self, questions: Sequence[Messages], sampling: Sampling) -> list[str]:
        from truing.data.tokenise import token_ids
        from truing.decoding.drawing import rendered

        tokenizer = self.policy.tokenizer
        if tokenizer is None:
            raise ModelError("a chat model needs its tokenizer", fix="pass tokenizer= to CausalPolicy")
        prompts = token_ids(tokenizer, [rendered(tokenizer, question) for question in questions])
        drawn = generate(self.policy, prompts, sampling)
        return [str(tokenizer.decode(ids, skip_special_tokens=True)) for ids in drawn]
