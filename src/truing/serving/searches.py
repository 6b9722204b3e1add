"""Answers that are searched for: one at a time, each whole, and given up when nobody waits."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from truing.decoding.answers import Cost
from truing.decoding.engine import ModelEngine
from truing.decoding.foresight import Bounded
from truing.decoding.run import Setup
from truing.decoding.task import Task
from truing.policies.generation import Sampling
from truing.policies.growing import Work
from truing.prompting.transform import Identity
from truing.serving.asked import Asked, Ended, Event, Piece, Search
from truing.serving.stops import Stopped

Say = Callable[[Event], None]


@dataclass
class Checked(Work):
    """Work that asks before every pass of the model whether it is to go on.

    Attributes:
        check: raises where it is not.
    """

    check: Callable[[], None] = lambda: None

    def add(self, tokens: int) -> None:
        """One call of the model on that many tokens."""
        self.check()
        super().add(tokens)


@dataclass(frozen=True)
class Searched:
    """The model that searches are made with.

    Attributes:
        engine: the model.
        front, opposite: control codes, see :class:`~truing.decoding.run.Setup`.
    """

    engine: ModelEngine
    front: tuple[int, ...] = ()
    opposite: tuple[int, ...] = ()

    def most(self, asked: Asked, search: Search, prompt: list[int]) -> int | None:
        """Tokens that are drawn at most; ``None`` where the way to decode does not say."""
        if not isinstance(search.decoder, Bounded):
            return None
        task = Task(self.engine, [asked.prompt.original], [prompt], asked.sampling)
        return search.decoder.most(task).tokens * asked.count

    def setup(self, search: Search, sampling: Sampling, check: Callable[[], None]) -> Setup:
        """All that answers a prompt, with work of its own: what a search costs, and where it is given up."""
        engine = copy.copy(self.engine)
        engine.work = Checked(check=check)
        return Setup(
            engine,
            search.decoder,
            search.pipeline,
            Identity(),
            sampling,
            front=self.front,
            opposite=self.opposite,
        )


def searching(
    model: Searched, asked: Asked, prompt_tokens: int, say: Say, check: Callable[[], None]
) -> Generator[None, None, Ended]:
    """Search for the answers to a prompt, one a step. Returns what they cost.

    Each answer is searched for by itself with a seed of its own, so that it does not depend on what else is asked.

    Args:
        model: what it is made with.
        asked: with a way to search.
        prompt_tokens: of the prompt.
        say: told of each answer as it is found.
        check: raises to give the search up; called between passes of the model where the way to decode allows it.

    Raises:
        TruingError: if the prompt cannot be answered in this way.
    """
    search = asked.search
    if search is None:
        raise TypeError("there is nothing to search with")
    shown = Stopped.at(asked.prompt, asked.stop)
    cost, tokens = Cost(), 0
    for choice in range(asked.count):
        sampling = replace(asked.sampling, seed=asked.sampling.seed + choice)
        setup = model.setup(search, sampling, check)
        (found,), spent = setup.answer([shown], progress=lambda *_: check())
        cost += spent
        tokens += len(found.chosen.tokens)
        text = setup.engine.text(found.chosen.tokens)
        stopped = found.chosen.finished or _stops(text, asked.stop) or _stops(f"\n{text}", asked.prompt.stop)
        say(Piece(choice, found.text, (), "stop" if stopped else "length", found.reward, found.notes))
        if choice < asked.count - 1:
            yield
    return Ended(prompt_tokens, tokens, cost)


def _stops(text: str, stops: Sequence[str]) -> bool:
    return any(stop in text for stop in stops)
