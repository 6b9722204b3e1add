"""Many questions to a judge: at once, each once, from the cache where it has been answered before."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from truing.errors import RunError
from truing.rewards.judges.endpoint import Endpoint, Messages
from truing.rewards.judges.posting import at_once
from truing.rewards.judges.reply_cache import ReplyCache

logger = logging.getLogger(__name__)

Read = TypeVar("Read")


@dataclass(frozen=True)
class Asking:
    """How questions are asked.

    Args:
        endpoint: of the judge.
        cache: keeps replies that could be read.
        concurrency: questions that are open at a time.
        readings: how often a question is asked whose reply cannot be read.
    """

    endpoint: Endpoint
    cache: ReplyCache
    concurrency: int = 8
    readings: int = 3

    @property
    def name(self) -> str:
        """Of the judge's model."""
        return self.endpoint.model

    def seeded(self, seed: int) -> Asking:
        """The same judge with another seed, which goes to the server and into the names of kept replies.

        At temperature 0 nothing is drawn, and replies that are kept are used whatever the seed.
        """
        sampling = self.endpoint.sampling
        if not sampling.get("temperature"):
            return self
        return replace(self, endpoint=replace(self.endpoint, sampling={**sampling, "seed": seed}))

    def __call__(self, questions: Sequence[Messages], read: Callable[[str], Read | None]) -> list[Read | None]:
        """What the judge says of each question; ``None`` where no reply could be read.

        Args:
            questions: any number; equal ones are asked once.
            read: from a reply to what it says, ``None`` if it says nothing of use.

        Raises:
            RunError: if the judge does not answer, refuses, or none of its replies can be read. What it had judged
                by then is in the cache.
        """
        keys = [self.cache.key(self.endpoint.model, question, self.endpoint.sampling) for question in questions]
        found: dict[str, Read | None] = {}
        for key in dict.fromkeys(keys):
            kept = self.cache.get(key)
            value = None if kept is None else read(kept)
            if value is not None:
                found[key] = value
                self.endpoint.usage.add(cached=1)
        unknown = {key: question for key, question in zip(keys, questions, strict=True) if key not in found}
        if unknown:
            found |= self._ask(unknown, read)
        return [found[key] for key in keys]

    def _ask(self, questions: dict[str, Messages], read: Callable[[str], Read | None]) -> dict[str, Read | None]:
        stop = threading.Event()
        calls = [partial(self._one, key, question, read, stop) for key, question in questions.items()]
        replies = dict(zip(questions, at_once(calls, self.concurrency, stop), strict=True))
        self._check(replies)
        return {key: value for key, (value, _) in replies.items()}

    def _one(
        self, key: str, question: Messages, read: Callable[[str], Read | None], stop: threading.Event
    ) -> tuple[Read | None, str]:
        reply = ""
        for _ in range(self.readings):
            reply = self.endpoint.ask(question, stop)
            value = read(reply)
            if value is not None:
                self.cache.put(key, reply)
                return value, reply
            self.endpoint.usage.add(unreadable=1)
        return None, reply

    def _check(self, replies: dict[str, tuple[Read | None, str]]) -> None:
        """Tell of replies that could not be read.

        Raises:
            RunError: if that is all of several.
        """
        lost = [reply for value, reply in replies.values() if value is None]
        if not lost:
            return
        sample = " ".join(lost[0].split())[:100]
        if len(lost) == len(replies) > 1:
            raise RunError(
                f"none of {len(replies)} replies of the judge could be read, e.g. {sample!r}",
                where=f"{self.endpoint.url}, model {self.endpoint.model!r}",
                allowed="one JSON object with the key that is asked for",
                fix="use a model that follows instructions, or raise max_tokens if replies break off",
            )
        logger.warning(
            "%d of %d answers are not judged, because the judge's replies could not be read, e.g. %r",
            len(lost),
            len(replies),
            sample,
        )
