"""Drawing answers with a server of vLLM, through its completions endpoint."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from truing.errors import RunError
from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling, end_tokens
from truing.recipe.online import SamplerSection
from truing.rewards.judges.endpoint import key_from_environment
from truing.rewards.judges.patience import Patience
from truing.rewards.judges.posting import Server, UnreadableError, at_once
from truing.training.online.served_adapter import ServedAdapter

_WHO = "the sampler"


@dataclass(frozen=True)
class ReadAnswers:
    """What a reply must hold.

    Attributes:
        server: that replied.
        count: answers.
        longest: tokens of an answer.
        vocabulary: token ids are below it.
        ends: tokens that end an answer; the first is the tokenizer's own.
    """

    server: Server
    count: int
    longest: int
    vocabulary: int
    ends: Sequence[int]

    def __call__(self, body: bytes) -> list[list[int]]:
        """Token ids of the answers, in the order of their index.

        Raises:
            UnreadableError: if the reply is no JSON, e.g. a page of a proxy.
            RunError: if it is, and not what was asked for.
        """
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise UnreadableError(f"the reply is no JSON: {self.server.shown(body)}") from None
        choices = found.get("choices") if isinstance(found, dict) else None
        if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
            raise self._wrong(f"it has no choices: {self.server.shown(body)}")
        if len(choices) != self.count:
            raise self._wrong(f"it has {len(choices)} answers, and {self.count} were asked for")
        places = [choice.get("index") for choice in choices]
        if set(map(repr, places)) != {repr(place) for place in range(self.count)}:
            raise self._wrong(f"its answers have the indices {places}")
        return [self._answer(choice) for choice in sorted(choices, key=lambda choice: int(choice["index"]))]

    def _answer(self, choice: dict[str, Any]) -> list[int]:
        tokens, reason = choice.get("token_ids"), choice.get("finish_reason")
        if not isinstance(tokens, list):
            raise self._wrong(
                "it has no token_ids",
                fix="use a version of vLLM that knows return_token_ids, 0.10.2 or later",
            )
        wrong = [token for token in tokens if type(token) is not int or not 0 <= token < self.vocabulary]
        if wrong:
            raise self._wrong(
                f"it has the token {wrong[0]!r}, and the model has {self.vocabulary:,} tokens",
                fix="serve the model that is trained",
            )
        if reason not in ("stop", "length"):
            raise self._wrong(f"an answer ended for the reason {reason!r}")
        ended = next((place for place, token in enumerate(tokens) if token in self.ends), None)
        if ended is not None:
            tokens = tokens[: ended + 1]
        elif reason == "stop":
            stopped = choice.get("stop_reason")
            tokens = [*tokens, stopped if type(stopped) is int and stopped in self.ends else self.ends[0]]
        if not 0 < len(tokens) <= self.longest:
            raise self._wrong(f"an answer has {len(tokens)} tokens, and 1 to {self.longest} were asked for")
        return tokens

    def _wrong(self, what: str, fix: str = "see that the url is that of a server of vLLM") -> RunError:
        return RunError(f"the reply of {_WHO} cannot be used: {what}", where=self.server.where, fix=fix)


class VllmSampler:
    """Draws with a server of vLLM that has the trained adapter; one request a prompt.

    Args:
        server: up to ``/v1``.
        policy: what is trained, with an adapter.
        output: the run's folder, which the server must see at the same path.
        sampling: how to draw.
        concurrency: prompts that are answered at a time.
    """

    is_policy = False

    def __init__(
        self, server: Server, policy: CausalPolicy, output: Path, sampling: Sampling, concurrency: int
    ) -> None:
        assert policy.tokenizer is not None
        own = int(policy.tokenizer.eos_token_id)
        self.server = server
        self.adapter = ServedAdapter(server, policy.model, output)
        self.sampling = sampling
        self.concurrency = concurrency
        self.ends = [own, *sorted(end_tokens(policy) - {own})]
        self.vocabulary = int(policy.inner.config.get_text_config().vocab_size)
        self.model = ""

    def follow(self, *, main: bool) -> None:
        """Draw with the weights as they are now; the main process sees to it that the server has them."""
        self.model = self.adapter.load() if main else self.adapter.name()

    def __call__(self, prompts: Sequence[Sequence[int]], count: int, seed: int) -> list[list[list[int]]]:
        """See :class:`~truing.training.online.sampler.Sampler`.

        Raises:
            RunError: if the server refuses, does not answer, or replies with something else.
        """
        stop = threading.Event()
        read = ReadAnswers(self.server, count, self.sampling.max_new_tokens, self.vocabulary, self.ends)
        calls = [
            partial(self.server.exchange, "/completions", self._wanted(prompt, count, seed, place), read, stop)
            for place, prompt in enumerate(prompts)
        ]
        return at_once(calls, self.concurrency, stop)

    def _wanted(self, prompt: Sequence[int], count: int, seed: int, place: int) -> dict[str, Any]:
        return {
            "model": self.model,
            "prompt": list(prompt),
            "n": count,
            "max_tokens": self.sampling.max_new_tokens,
            "temperature": self.sampling.temperature,
            "top_p": self.sampling.top_p,
            # The server takes what is not said from the model's generation configuration.
            "top_k": -1,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            # Prompts that are asked with one seed would be answered with one stream of random numbers.
            "seed": int(np.random.SeedSequence((seed, place)).generate_state(1)[0]) >> 1,
            "stop_token_ids": list(self.ends),
            "return_token_ids": True,
        }


def vllm_sampler(section: SamplerSection, policy: CausalPolicy, output: Path, sampling: Sampling) -> VllmSampler:
    """The sampler of a recipe.

    Raises:
        ObjectiveError: if the key is not to be had.
    """
    server = Server(
        section.url,
        _WHO,
        section.url,
        "see that the server runs, and go on with --resume: answers that were drawn are in the run's folder, "
        "and are not drawn again",
        key_from_environment(section.key_from),
        Patience(section.attempts, section.timeout, section.first_wait),
        _REMEDIES,
        64 * 2**20,
    )
    return VllmSampler(server, policy, output, sampling, section.concurrency)


_STARTED = (
    "start the server with the model that is trained, --enable-lora, --max-lora-rank of at least training.peft.rank, "
    "--max-model-len for prompt and answer, and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True; it must see the run's folder at "
    "the same path, and url ends with /v1; then go on with --resume"
)
_REMEDIES = {
    400: _STARTED,
    401: "set the environment variable that key_from names to the server's key",
    403: "set the environment variable that key_from names to the server's key",
    404: _STARTED,
    422: "use a version of vLLM that knows return_token_ids, 0.10.2 or later",
}
