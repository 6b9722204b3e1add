"""What decoding gives: the answer, what it was chosen from, and what that cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from truing.rewards.algebra import Prompt


@dataclass(frozen=True)
class Cost:
    """What was spent on one prompt or on several.

    Attributes:
        model_tokens: tokens that the model was run on, prompts included.
        answer_tokens: tokens of all answers that were drawn, whole or in part.
        reward_calls: texts that the rewards looked at; the same answer is looked at once.
    """

    model_tokens: int = 0
    answer_tokens: int = 0
    reward_calls: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.model_tokens + other.model_tokens,
            self.answer_tokens + other.answer_tokens,
            self.reward_calls + other.reward_calls,
        )


@dataclass(frozen=True)
class Candidate:
    """An answer that might have been given.

    Attributes:
        text: as text.
        tokens: as token ids, with the end token where one was drawn.
        reward: what the rewards say of it; ``None`` where there are none or they know nothing of it.
        finished: whether it ended by itself.
        weight: what it counted in the choice; of chains the share of steps that they spent on it.
    """

    text: str
    tokens: tuple[int, ...]
    reward: float | None = None
    finished: bool = True
    weight: float | None = None


@dataclass(frozen=True)
class Decoded:
    """The answer to a prompt.

    Attributes:
        prompt: as it was given.
        chosen: the answer.
        candidates: what it was chosen from; of a search what was left at its end.
        notes: numbers on how it was found, by name, e.g. the bound on the KL or the acceptance rate.
        trace: what happened step by step, where a trace was asked for.
    """

    prompt: Prompt
    chosen: Candidate
    candidates: tuple[Candidate, ...] = ()
    notes: Mapping[str, float] = field(default_factory=dict)
    trace: tuple[Mapping[str, Any], ...] = ()

    @property
    def text(self) -> str:
        """The answer."""
        return self.chosen.text

    @property
    def reward(self) -> float | None:
        """Of the answer."""
        return self.chosen.reward

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without token ids."""
        return {
            "prompt": self.prompt,
            "completion": self.text,
            "reward": self.reward,
            "finished": self.chosen.finished,
            "notes": {name: value if math.isfinite(value) else None for name, value in self.notes.items()},
            "candidates": [
                {key: value for key, value in asdict(candidate).items() if key != "tokens"}
                for candidate in self.candidates
            ],
            "trace": [dict(step) for step in self.trace],
        }
