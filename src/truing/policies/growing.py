"""Answers that grow token by token, side by side: pushed, copied, cut back and dropped, with every prompt run once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from truing.errors import ModelError
from truing.policies.causal import CausalPolicy
from truing.policies.decoding import forward
from truing.policies.prompts import pack_prompts
from truing.policies.ragged import Ragged
from truing.policies.tree_layout import TreeLayout


@dataclass
class Work:
    """What decoding has cost so far.

    Attributes:
        model_tokens: tokens that the model was run on, prompts included.
        passes: calls of the model.
    """

    model_tokens: int = 0
    passes: int = 0

    def add(self, tokens: int) -> None:
        """One call of the model on that many tokens."""
        self.model_tokens += tokens
        self.passes += 1


class Rows(Protocol):
    """Answers, one a row; each knows its prompt.

    Attributes:
        tokens: of each answer.
    """

    tokens: list[list[int]]

    @property
    def logits(self) -> Float[Tensor, "rows vocabulary"]:
        """Of the token that would come next."""

    @property
    def prompt(self) -> Int[Tensor, " rows"]:
        """Number of each answer's prompt."""

    def push(self, tokens: Int[Tensor, " rows"], going: Bool[Tensor, " rows"] | None = None) -> None:
        """Let every answer, or those that go on, grow by a token."""

    def take(self, rows: Sequence[int]) -> Rows:
        """These answers, each as often as it is named; what becomes of them does not change the others."""

    def put(self, rows: Sequence[int], other: Rows) -> None:
        """Let these answers be as those of ``other``, one each, to the same prompts."""

    def cut(self, lengths: Sequence[int], *, logits: bool = True) -> None:
        """Keep only the first tokens of every answer.

        Args:
            lengths: tokens that stay, of every answer.
            logits: whether they are wanted before the next token is pushed; without, those of answers that became
                shorter mean nothing until then.
        """


class SharedRows:
    """Rows of a model whose attention can be exchanged: prompts are run once, and no token a second time.

    Args:
        policy: the model.
        prompts: token ids.
        count: answers to each prompt, which begin empty.
        work: what is added to.

    Raises:
        UnsupportedAttentionError: if the model's attention cannot be exchanged.
    """

    def __init__(self, policy: CausalPolicy, prompts: Sequence[Sequence[int]], count: int, work: Work) -> None:
        self.policy, self.work = policy, work
        given = pack_prompts(prompts, policy.device)
        self.state = Ragged(given.places, count, policy.device)
        self._first = self._forward(
            given.packed.input_ids[None],
            given.packed.position_ids[None],
            tree_layout=TreeLayout.of(given.packed),
            logits_to_keep=given.last,
        )[0].float()
        self.logits = self._first.repeat_interleave(count, 0)
        self.tokens: list[list[int]] = [[] for _ in range(len(prompts) * count)]

    @property
    def prompt(self) -> Int[Tensor, " rows"]:
        return self.state.prompt

    def push(self, tokens: Int[Tensor, " rows"], going: Bool[Tensor, " rows"] | None = None) -> None:
        """See :class:`Rows`."""
        on = torch.ones_like(tokens, dtype=torch.bool) if going is None else going
        for row, (token, goes) in enumerate(zip(tokens.tolist(), on.tolist(), strict=True)):
            if goes:
                self.tokens[row].append(token)
        logits = self._run(tokens, on)
        self.logits = torch.where(on[:, None], logits, self.logits)

    def take(self, rows: Sequence[int]) -> SharedRows:
        """See :class:`Rows`."""
        found = SharedRows.__new__(SharedRows)
        found.policy, found.work, found._first = self.policy, self.work, self._first
        found.tokens = [list(self.tokens[row]) for row in rows]
        places = torch.tensor(rows, dtype=torch.int64, device=self.logits.device)
        found.state, found.logits = self.state.take(places), self.logits[places]
        return found

    def put(self, rows: Sequence[int], other: Rows) -> None:
        """See :class:`Rows`."""
        if not isinstance(other, SharedRows):
            raise TypeError("rows are put among rows of the same kind")
        places = torch.tensor(rows, dtype=torch.int64, device=self.logits.device)
        self.state.put(places, other.state)
        self.logits = self.logits.index_copy(0, places, other.logits)
        for row, tokens in zip(rows, other.tokens, strict=True):
            self.tokens[row] = list(tokens)

    def cut(self, lengths: Sequence[int], *, logits: bool = True) -> None:
        """See :class:`Rows`. For logits the last token that stays is run again, because they are not kept."""
        shorter = [length < len(tokens) for length, tokens in zip(lengths, self.tokens, strict=True)]
        if not any(shorter):
            return
        device = self.logits.device
        self.tokens = [tokens[:length] for tokens, length in zip(self.tokens, lengths, strict=True)]
        kept = torch.tensor(lengths, device=device)
        changed = torch.tensor(shorter, device=device)
        again = changed & (kept > 0) & logits
        self.state.cut(torch.where(again, kept - 1, kept))
        if bool(again.any()):
            last = torch.tensor([tokens[-1] if tokens else 0 for tokens in self.tokens], device=device)
            self.logits = torch.where(again[:, None], self._run(last, again), self.logits)
        empty = changed & (kept == 0)
        self.logits = torch.where(empty[:, None], self._first[self.prompt], self.logits)

    def join(self, other: Rows) -> None:
        """Let answers to other prompts stand behind these; ``other`` is not to be used again."""
        if not isinstance(other, SharedRows):
            raise TypeError("rows join rows of the same kind")
        self.state.join(other.state)
        self.logits, self._first = torch.cat([self.logits, other.logits]), torch.cat([self._first, other._first])
        self.tokens += other.tokens

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all other answers, and prompts without answers once they are half of all."""
        self.__dict__.update(self.take(rows).__dict__)
        if 2 * len(self.prompt.unique()) <= len(self.state.lengths):
            self._first = self._first[self.state.forget()]

    def _run(self, tokens: Int[Tensor, " rows"], going: Bool[Tensor, " rows"]) -> Float[Tensor, "rows vocabulary"]:
        self.state.advance(going)
        logits = self._forward(tokens[:, None], self.state.positions)[:, -1].float()
        self.state.settle()
        return logits

    @torch.no_grad()
    def _forward(self, ids: Tensor, positions: Tensor, **more: object) -> Tensor:
        self.work.add(ids.numel())
        return forward(self.policy, self.state, ids, positions, **more)


class PlainRows:
    """Rows of any model: every token is run with all that stands before it, again for each that follows.

    Args:
        policy: the model.
        prompts: token ids.
        count: answers to each prompt, which begin empty.
        work: what is added to.
    """

    def __init__(self, policy: CausalPolicy, prompts: Sequence[Sequence[int]], count: int, work: Work) -> None:
        self.policy, self.work, self.prompts = policy, work, [list(prompt) for prompt in prompts]
        self.prompt = torch.arange(len(prompts), device=policy.device).repeat_interleave(count)
        self.tokens: list[list[int]] = [[] for _ in range(len(prompts) * count)]
        self.logits = self._logits()

    def push(self, tokens: Int[Tensor, " rows"], going: Bool[Tensor, " rows"] | None = None) -> None:
        """See :class:`Rows`."""
        on = [True] * len(tokens) if going is None else going.tolist()
        for row, (token, goes) in enumerate(zip(tokens.tolist(), on, strict=True)):
            if goes:
                self.tokens[row].append(token)
        self.logits = self._logits()

    def take(self, rows: Sequence[int]) -> PlainRows:
        """See :class:`Rows`."""
        found = PlainRows.__new__(PlainRows)
        found.policy, found.work, found.prompts = self.policy, self.work, self.prompts
        places = torch.tensor(rows, dtype=torch.int64, device=self.logits.device)
        found.prompt, found.logits = self.prompt[places], self.logits[places]
        found.tokens = [list(self.tokens[row]) for row in rows]
        return found

    def put(self, rows: Sequence[int], other: Rows) -> None:
        """See :class:`Rows`."""
        places = torch.tensor(rows, dtype=torch.int64, device=self.logits.device)
        self.logits = self.logits.index_copy(0, places, other.logits)
        for row, tokens in zip(rows, other.tokens, strict=True):
            self.tokens[row] = list(tokens)

    def cut(self, lengths: Sequence[int], *, logits: bool = True) -> None:
        """See :class:`Rows`."""
        if any(length < len(tokens) for length, tokens in zip(lengths, self.tokens, strict=True)):
            self.tokens = [tokens[:length] for tokens, length in zip(self.tokens, lengths, strict=True)]
            if logits:
                self.logits = self._logits()

    def join(self, other: Rows) -> None:
        """Let answers to other prompts stand behind these; ``other`` is not to be used again."""
        if not isinstance(other, PlainRows):
            raise TypeError("rows join rows of the same kind")
        self.prompt = torch.cat([self.prompt, other.prompt + len(self.prompts)])
        self.prompts = [*self.prompts, *other.prompts]
        self.logits = torch.cat([self.logits, other.logits])
        self.tokens += other.tokens

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all other answers, and prompts without answers."""
        self.__dict__.update(self.take(rows).__dict__)
        kept = self.prompt.unique()
        self.prompt = torch.searchsorted(kept, self.prompt)
        self.prompts = [self.prompts[number] for number in kept.tolist()]

    @torch.no_grad()
    def _logits(self) -> Float[Tensor, "rows vocabulary"]:
        texts = [
            (self.prompts[prompt], tokens)
            for prompt, tokens in zip(self.prompt.tolist(), self.tokens, strict=True)
        ]
        encoder_decoder = self.policy.verdict.layout == "encoder-decoder"
        start = getattr(self.policy.inner.config, "decoder_start_token_id", None)
        heads = [prompt if encoder_decoder else [*prompt, *tokens] for prompt, tokens in texts]
        ids, mask = _right_padded(heads, self.policy.device)
        self.work.add(sum(map(len, heads)))
        more: dict[str, Tensor] = {}
        last = mask.sum(1) - 1
        if encoder_decoder:
            if start is None:
                raise ModelError("the model's configuration lacks decoder_start_token_id")
            more["decoder_input_ids"], decoded = _right_padded(
                [[start, *tokens] for _, tokens in texts], ids.device
            )
            last = decoded.sum(1) - 1
        with self.policy.autocast():
            out = self.policy.model(input_ids=ids, attention_mask=mask, use_cache=False, **more)
        rows = torch.arange(len(texts), device=ids.device)
        found: Tensor = out.logits[rows, last].float()
        return found


def _right_padded(texts: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Ids and mask; what stands behind a text is hidden from it by causality, and by the mask."""
    width = max(1, *(len(text) for text in texts))
    ids = torch.zeros(len(texts), width, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(list(text), dtype=torch.int64)
        mask[row, : len(text)] = 1
    return ids.to(device), mask.to(device)
