"""What the server's two halves say to each other: requests go from HTTP to the model's thread, pieces come back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from truing.decoding.answers import Cost
from truing.decoding.task import Decoder
from truing.errors import TruingError
from truing.policies.generation import Sampling
from truing.prompting.transform import Shown
from truing.rewards.pipeline import Pipeline


class OverloadedError(TruingError):
    """There is no room for another request; come again later.

    Args:
        what: see :class:`~truing.errors.TruingError`.
        retry_after: seconds after which it is worth trying again.
    """

    def __init__(self, what: str, *, retry_after: float, fix: str | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(what, fix=fix)


class StoppingError(TruingError):
    """The server is shutting down, and takes no more requests."""


class LateError(TruingError):
    """A request took longer than it may."""


@dataclass(frozen=True)
class Search:
    """Decoding that looks at more than one answer; answers come whole.

    Attributes:
        decoder: how.
        pipeline: rewards; ``None`` without.
    """

    decoder: Decoder
    pipeline: Pipeline | None


@dataclass(frozen=True)
class Asked:
    """One prompt that is to be answered.

    Attributes:
        prompt: as the model is to see it. Its ``stop`` are texts at which an answer ends that changes of prompts have
            set; with them, space around an answer goes too, and one that begins with a line break may stand at the
            very start. What the request itself names belongs into ``stop`` here.
        sampling: longest answer, temperature, truncation and seed; ``batch`` is not looked at.
        count: answers that are wanted.
        top_logprobs: of how many of the likeliest tokens log-probabilities are told beside the drawn one; ``None``
            tells none at all.
        search: how to decode; ``None`` draws token by token, and can be streamed.
        seconds: how long it may take, from when it came in.
        stop: texts of the request at which an answer ends; they and what follows are cut, all else stays as it is.
    """

    prompt: Shown
    sampling: Sampling
    count: int = 1
    top_logprobs: int | None = None
    search: Search | None = None
    seconds: float = 600.0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class TokenLogprob:
    """A token that was drawn.

    Attributes:
        token: as text; parts of a character are shown as the tokenizer shows them.
        data: its bytes.
        logprob: under the model at temperature 1, nats.
        top: the likeliest tokens in its place as (text, bytes, nats), most likely first.
    """

    token: str
    data: bytes
    logprob: float
    top: tuple[tuple[str, bytes, float], ...] = ()


@dataclass(frozen=True)
class Piece:
    """More of an answer. Texts of all pieces of an answer, joined, are the answer.

    Attributes:
        choice: number of the answer, from 0.
        text: what was added; never half a character, never what may yet turn out to be the beginning of a stop text.
        tokens: that were drawn, where log-probabilities were asked for.
        finish: why the answer ends here: ``"stop"`` or ``"length"``; ``None`` while it goes on.
        reward: of a whole answer, where there are rewards.
        notes: numbers on how it was found, with the last piece of an answer of a search.
    """

    choice: int
    text: str
    tokens: tuple[TokenLogprob, ...] = ()
    finish: str | None = None
    reward: float | None = None
    notes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """All answers are there.

    Attributes:
        prompt_tokens: of the prompt as the model read it.
        completion_tokens: of the answers that were given.
        cost: what was spent to find them.
    """

    prompt_tokens: int
    completion_tokens: int
    cost: Cost


Event = Piece | Ended | TruingError | Exception
"""What a request is told, in this order: pieces, then one of the others, and nothing more."""

Tell = Callable[[Event], None]
"""Called in the model's thread; must return at once and never raise."""


class Ticket(Protocol):
    """A request that was taken."""

    def cancel(self) -> None:
        """Nobody waits for it any more: it is forgotten at the next step, and told nothing more."""


@dataclass(frozen=True)
class Load:
    """How busy the server is.

    Attributes:
        running: answers that grow, and prompts that are searched.
        waiting: requests that have not begun.
        room: how many may wait.
    """

    running: int
    waiting: int
    room: int


class Service(Protocol):
    """The model's side of the server. All methods may be called from any thread, and none waits for the model."""

    def submit(self, asked: Asked, tell: Tell) -> Ticket:
        """Answer a prompt.

        Raises:
            OverloadedError: if there is no room.
            StoppingError: if the server shuts down.
            TruingError: if it cannot be answered, e.g. since the prompt is too long.
        """

    def call(self, work: Callable[[], Any], tell: Callable[[Any], None], seconds: float = 600.0) -> Ticket:
        """Do something else with models (rewards, judges) in turn with answers; ``tell`` gets its result or error.

        Raises:
            OverloadedError: if there is no room.
            StoppingError: if the server shuts down.
        """

    def load(self) -> Load:
        """How busy it is."""

    def close(self, seconds: float) -> None:
        """Take no more requests, finish what runs within this time, tell the rest that they are late, and return."""
