"""Answers to many requests that grow together, a token each at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.decoding.answers import Cost
from truing.decoding.engine import ModelEngine
from truing.policies.generation import Sampling
from truing.policies.joined import Joined, Joining, joining
from truing.serving.asked import Ended, Piece, TokenLogprob
from truing.serving.drawing import Luck, chosen_each
from truing.serving.requests import Drawn
from truing.serving.text import Writer
from truing.serving.tokens import Vocabulary, decoding


@dataclass(eq=False)
class Answer:
    """One answer that grows.

    Attributes:
        request: that it belongs to.
        choice: its number among those of the request.
        luck: its random numbers.
        writer: its text.
        length: tokens so far.
    """

    request: Drawn
    choice: int
    luck: Luck
    writer: Writer
    length: int = 0

    @property
    def sampling(self) -> Sampling:
        """How it is drawn."""
        return self.request.asked.sampling


class Batch:
    """All answers that grow. Prompts join at any time, each is run once, and who has ended leaves at once.

    Args:
        engine: the model.
    """

    def __init__(self, engine: ModelEngine) -> None:
        self.engine = engine
        self.answers: list[Answer] = []
        self._vocabulary = Vocabulary(engine.policy.tokenizer)
        self._decode = decoding(engine.policy.tokenizer)
        self._rows: Joining | None = None

    @property
    def room(self) -> int:
        """Tokens that keys and values of its answers may take."""
        return sum(request.room for request in {answer.request for answer in self.answers})

    @torch.no_grad()
    def admit(self, requests: Sequence[Drawn]) -> None:
        """Run prompts, in one pass, and let their answers grow with the others from now on.

        An error in the pass is told to these requests alone.
        """
        copies = [number for number, request in enumerate(requests) for _ in range(request.asked.count)]
        try:
            rows = self.engine.rows([request.prompt for request in requests], 1).take(copies)
        except Exception as error:
            for request in requests:
                request.end(error)
            return
        for request in requests:
            request.run += len(request.prompt)
        if self._rows is None:
            self._rows = joining(rows)
        else:
            self._rows.join(rows)
        self.answers += [self._begun(request, choice) for request in requests for choice in range(request.open)]

    def _begun(self, request: Drawn, choice: int) -> Answer:
        asked = request.asked
        writer = Writer(self._decode, asked.stop, asked.prompt.stop)
        return Answer(request, choice, Luck(asked.sampling.seed, choice), writer)

    @torch.no_grad()
    def step(self) -> list[Drawn]:
        """Every answer gets its token. Returns requests whose answers are all there."""
        if self._rows is None:
            return []
        logits = self._rows.logits
        tokens = self._chosen(logits)
        told = self._told(logits, tokens)
        drawn = tokens.tolist()
        ended = [
            self._write(answer, token, one) for answer, token, one in zip(self.answers, drawn, told, strict=True)
        ]
        done = [answer.request for answer, end in zip(self.answers, ended, strict=True) if end]
        left = [row for row, end in enumerate(ended) if not end]
        self._keep(left)
        if self._rows is not None:
            self._rows.push(tokens[left])
            shared = isinstance(self._rows, Joined)
            for answer in self.answers:
                # Where nothing is remembered, all is run again.
                answer.request.run += 1 if shared else len(answer.request.prompt) + answer.length
        return [request for request in dict.fromkeys(done) if not request.open]

    def drop(self, gone: Callable[[Drawn], bool]) -> None:
        """Forget the answers of requests that are not wanted any more."""
        left = [row for row, answer in enumerate(self.answers) if not gone(answer.request)]
        self._keep(left)

    def clear(self, error: Exception) -> None:
        """Tell an error to all requests, and forget them."""
        for answer in self.answers:
            answer.request.end(error)
        self._rows, self.answers = None, []

    def _keep(self, rows: list[int]) -> None:
        if len(rows) == len(self.answers):
            return
        self.answers = [self.answers[row] for row in rows]
        if not rows:
            self._rows = None
        elif self._rows is not None:
            self._rows.keep(rows)

    def _chosen(self, logits: Float[Tensor, "rows vocabulary"]) -> Int[Tensor, " rows"]:
        settings = [answer.sampling for answer in self.answers]
        luck = [answer.luck() for answer in self.answers]
        device = logits.device
        return chosen_each(
            logits,
            torch.tensor(luck, dtype=torch.float64, device=device),
            torch.tensor([one.temperature for one in settings], device=device),
            torch.tensor([one.top_p for one in settings], device=device),
            torch.tensor([one.top_k for one in settings], device=device),
        )

    def _told(
        self, logits: Float[Tensor, "rows vocabulary"], tokens: Int[Tensor, " rows"]
    ) -> list[TokenLogprob | None]:
        found: list[TokenLogprob | None] = [None] * len(self.answers)
        wanted = {
            row: most
            for row, answer in enumerate(self.answers)
            if (most := answer.request.asked.top_logprobs) is not None
        }
        if wanted:
            rows = list(wanted)
            told = self._vocabulary.told(logits[rows], tokens[rows], list(wanted.values()))
            for row, one in zip(rows, told, strict=True):
                found[row] = one
        return found

    def _write(self, answer: Answer, token: int, told: TokenLogprob | None) -> bool:
        """A token of an answer. Returns whether it is the last."""
        request = answer.request
        answer.length += 1
        request.tokens += 1
        text, finish = "", None
        tokens: tuple[TokenLogprob, ...] = ()
        if token in self.engine.ends:
            finish = "stop"
        else:
            text, tokens = answer.writer.add(token, told)
            if answer.writer.stopped:
                finish = "stop"
            elif answer.length >= answer.sampling.max_new_tokens:
                finish = "length"
        if finish is not None and not answer.writer.stopped:
            more, rest = answer.writer.rest()
            text, tokens = text + more, (*tokens, *rest)
            # What was held back may turn out to end with a stop text only now that nothing follows.
            finish = "stop" if answer.writer.stopped else finish
        if text or tokens or finish is not None:
            request.say(Piece(answer.choice, text, tokens, finish))
        if finish is None:
            return False
        request.open -= 1
        if not request.open:
            request.end(Ended(len(request.prompt), request.tokens, Cost(request.run, request.tokens)))
        return True
