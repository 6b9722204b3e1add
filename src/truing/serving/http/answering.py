"""The answers to all prompts of a request, as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial

from truing.decoding.answers import Cost
from truing.serving.asked import Asked, Ended, Piece, Service
from truing.serving.http.bridge import submitted


@dataclass
class Used:
    """What a request used.

    Attributes:
        prompt_tokens: of all prompts.
        completion_tokens: of all answers that were given.
        cost: what was spent to find them.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Cost = field(default_factory=Cost)

    def add(self, ended: Ended) -> None:
        """What one prompt used."""
        self.prompt_tokens += ended.prompt_tokens
        self.completion_tokens += ended.completion_tokens
        self.cost += ended.cost


@dataclass
class Answering:
    """Prompts of one request that are to be answered.

    Args:
        service: the model's side.
        pool: threads that hand it the prompts.
        asked: the prompts.

    Attributes:
        used: so far.
    """

    service: Service
    pool: Executor
    asked: Sequence[Asked]
    used: Used = field(default_factory=Used)

    @property
    def searched(self) -> bool:
        """Whether more than one answer is looked at."""
        return any(one.search is not None for one in self.asked)

    @property
    def choices(self) -> int:
        """Answers that there will be."""
        return sum(one.count for one in self.asked)

    async def pieces(self) -> AsyncGenerator[Piece]:
        """All pieces as they come. Answers to the first prompt are numbered from 0, those to others go on from there.

        Raises:
            OverloadedError, StoppingError, LateError, TruingError: of the service.
        """
        works = [partial(self.service.submit, one) for one in self.asked]
        before = [sum(one.count for one in self.asked[:number]) for number in range(len(works))]
        left = len(works)
        async with submitted(works, self.pool) as told:
            while left:
                number, event = await told.get()
                if isinstance(event, Exception):
                    raise event
                if isinstance(event, Ended):
                    self.used.add(event)
                    left -= 1
                else:
                    yield replace(event, choice=event.choice + before[number])
