"""Answers that grow, with the state that the model is in after the last token of each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Protocol, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from truing.decoding.engine import Engine, ModelEngine
from truing.errors import ModelError
from truing.policies.causal import CausalPolicy
from truing.policies.growing import PlainRows, Rows


class StatefulRows(Rows, Protocol):
    """See :class:`~truing.policies.growing.Rows`."""

    @property
    def hidden(self) -> Float[Tensor, "rows hidden"]:
        """What the output head reads after the last token; ``nan`` for answers that were not pushed since they were
        empty, or cut.
        """

    def take(self, rows: Sequence[int]) -> StatefulRows:
        """See :class:`~truing.policies.growing.Rows`."""


def with_states(engine: Engine, rows: Rows) -> StatefulRows:
    """Rows that keep states; ``rows`` are not to be used beside them.

    Raises:
        ModelError: if the engine's rows have none.
    """
    if isinstance(engine, ModelEngine):
        return _Watched(engine.policy, rows)
    if hasattr(rows, "hidden"):
        return cast("StatefulRows", rows)
    raise ModelError(f"{type(rows).__name__} have no states to learn from")


class _Watched:
    """Rows of a model, whose output head is watched while they grow.

    Args:
        policy: the model.
        rows: are changed in place.
        hidden: of each; unknown if left out.
    """

    def __init__(self, policy: CausalPolicy, rows: Rows, hidden: Tensor | None = None) -> None:
        self.policy, self.rows, self.tokens = policy, rows, rows.tokens
        if hidden is None:
            width = policy.inner.config.get_text_config().hidden_size
            hidden = torch.full((len(rows.tokens), width), torch.nan, device=rows.logits.device)
        self.hidden: Float[Tensor, "rows hidden"] = hidden

    @property
    def logits(self) -> Float[Tensor, "rows vocabulary"]:
        return self.rows.logits

    @property
    def prompt(self) -> Int[Tensor, " rows"]:
        return self.rows.prompt

    def push(self, tokens: Int[Tensor, " rows"], going: Bool[Tensor, " rows"] | None = None) -> None:
        """See :class:`~truing.policies.growing.Rows`."""
        with head_inputs(self.policy.inner.get_output_embeddings()) as seen:
            self.rows.push(tokens, going)
        self.tokens = self.rows.tokens
        new = seen[-1].float()
        last = new[:, -1] if new.shape[1] == 1 else new[torch.arange(len(new)), self._last()]
        self.hidden = last if going is None else torch.where(going[:, None], last, self.hidden)

    def take(self, rows: Sequence[int]) -> _Watched:
        """See :class:`~truing.policies.growing.Rows`."""
        return _Watched(self.policy, self.rows.take(rows), self.hidden[list(rows)])

    def put(self, rows: Sequence[int], other: Rows) -> None:
        """See :class:`~truing.policies.growing.Rows`."""
        if not isinstance(other, _Watched):
            raise TypeError("rows are put among rows of the same kind")
        self.rows.put(rows, other.rows)
        self.tokens = self.rows.tokens
        self.hidden = self.hidden.index_copy(0, torch.tensor(rows, device=self.hidden.device), other.hidden)

    def cut(self, lengths: Sequence[int], *, logits: bool = True) -> None:
        """See :class:`~truing.policies.growing.Rows`."""
        shorter = [length < len(tokens) for length, tokens in zip(lengths, self.tokens, strict=True)]
        self.rows.cut(lengths, logits=logits)
        self.tokens = self.rows.tokens
        self.hidden = self.hidden.masked_fill(torch.tensor(shorter, device=self.hidden.device)[:, None], torch.nan)

    def _last(self) -> list[int]:
        """Where each answer's last token stands in what was run, where whole texts are run."""
        assert isinstance(self.rows, PlainRows)
        if self.policy.verdict.layout == "encoder-decoder":
            return [len(tokens) for tokens in self.tokens]
        heads = [len(self.rows.prompts[prompt]) for prompt in self.rows.prompt.tolist()]
        return [head + len(tokens) - 1 for head, tokens in zip(heads, self.tokens, strict=True)]


@contextlib.contextmanager
def head_inputs(head: nn.Module) -> Iterator[list[Tensor]]:
    """What a module is called on inside."""
    seen: list[Tensor] = []
    hook = head.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    try:
        yield seen
    finally:
        hook.remove()
