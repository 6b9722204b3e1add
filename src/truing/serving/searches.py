"""Answers that are searched for: one at a time, each whole, and given up when nobody waits."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from truing.decoding.answers import Cost
from truing.decoding.engine import ModelEngine
from truing.decoding.run import Setup
from truing.policies.growing import Work
from truing.prompting.transform import Identity
from truing.serving.asked import Asked, Ended, Event, Piece
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


def searching(
    engine: ModelEngine, asked: Asked, prompt_tokens: int, say: Say, check: Callable[[], None]
) -> Generator[None, None, Ended]:
    """Search for the answers to a prompt, one a step. Returns what they cost.

    Each answer is searched for by itself with a seed of its own, so that it does not depend on what else is asked.

    Args:
        engine: the model.
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
        # The same model with work of its own: what this search costs, and where it is given up.
        own = copy.copy(engine)
        own.work = Checked(check=check)
        sampling = replace(asked.sampling, seed=asked.sampling.seed + choice)
        setup = Setup(own, search.decoder, search.pipeline, Identity(), sampling)
        (found,), spent = setup.answer([shown], progress=lambda *_: check())
        cost += spent
        tokens += len(found.chosen.tokens)
        text = own.text(found.chosen.tokens)
        stopped = found.chosen.finished or _stops(text, asked.stop) or _stops(f"\n{text}", asked.prompt.stop)
        say(Piece(choice, found.text, (), "stop" if stopped else "length", found.reward, found.notes))
        if choice < asked.count - 1:
            yield
    return Ended(prompt_tokens, tokens, cost)


def _stops(text: str, stops: Sequence[str]) -> bool:
    return any(stop in text for stop in stops)
