"""The model that is served, as pages of the server see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from truing.judging.bench import Bench
from truing.policies.generation import Sampling
from truing.prompting.transform import PromptTransform
from truing.rewards.pipeline import Pipeline
from truing.serving.asked import Search, Service


class Served(Protocol):
    """A model with what requests may ask of it. What a request names is checked: it opens no file, no address."""

    @property
    def name(self) -> str:
        """By which clients know it."""

    @property
    def service(self) -> Service:
        """Answers."""

    @property
    def sampling(self) -> Sampling:
        """How answers are drawn where a request does not say."""

    def search_of(self, wanted: Mapping[str, Any]) -> Search | None:
        """How a request is to be decoded; ``None`` is token by token.

        Args:
            wanted: ``decode``, ``rewards``, ``transform``, ``combine``, ``weights``, ``missing``; what the request has.

        Raises:
            TruingError: if that cannot be, or is not for a request to say.
        """

    def pipeline_of(self, wanted: Mapping[str, Any]) -> Pipeline:
        """Rewards of a request.

        Raises:
            TruingError: if that cannot be, is not for a request to say, or there are none.
        """

    def transform_of(self, wanted: Sequence[Any] | None) -> PromptTransform:
        """Changes of a request's prompt; those of the server where it names none.

        Raises:
            TruingError: if that cannot be, or is not for a request to say.
        """

    def text_of(self, tokens: Sequence[int]) -> str:
        """A text that the model reads as these tokens.

        Raises:
            TruingError: if there is none.
        """

    def check_room(self, text: str, besides: int) -> None:
        """Refuse a text that is more than the model reads, with so many tokens besides.

        Raises:
            TruingError: if it is.
        """

    def bench(self, criteria: str | None) -> Bench:
        """The model as a judge."""
