"""A language model so small that all of its sequences can be listed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from truing.errors import ModelError
from truing.objectives.algebra import Scores
from truing.worlds.policies import Answers, ExactPolicy, as_index, collision

Context = Literal["prefix", "last"]


class Autoregressive(ExactPolicy):
    """Next-token tables over a vocabulary of two to four tokens and an end token.

    Outputs are all strings of ``0..longest`` tokens, shortest first and then in lexical order, each closed
    by the end token, which counts. A string of full length can only end, so its end token has
    log-probability 0. The number of outputs is ``1 + V + V² + … + V^longest``.

    Args:
        vocabulary: number of tokens ``V`` besides the end token.
        longest: largest number of tokens before the end token.
        prompts: number of prompts; each has its own tables.
        context: what the next token depends on. ``"prefix"`` is everything written so far: any distribution
            over outputs can be reached. ``"last"`` is the previous token only: sequences share parameters.
        logits: starting point, shape ``[P, contexts, V + 1]`` with the end token last; zeros if left out.
    """

    def __init__(
        self,
        vocabulary: int = 2,
        longest: int = 3,
        *,
        prompts: int = 1,
        context: Context = "prefix",
        logits: Float[Tensor, "prompts contexts tokens"] | None = None,
    ) -> None:
        super().__init__()
        self.outputs: list[tuple[int, ...]] = [
            string for length in range(longest + 1) for string in product(range(vocabulary), repeat=length)
        ]
        contexts = _Contexts(context)
        rows, tokens, forced = [], [], []
        for string in self.outputs:
            for position, token in enumerate((*string, vocabulary)):
                full = position == longest
                rows.append(0 if full else contexts.row(string[:position]))
                tokens.append(token)
                forced.append(full)
        shape = (prompts, len(contexts.known), vocabulary + 1)
        if logits is not None and logits.shape != shape:
            raise ModelError(f"logits have shape {tuple(logits.shape)}", allowed=f"{shape}")
        start = torch.zeros(shape) if logits is None else logits.detach()
        self.table = nn.Parameter(start.to(torch.float64).clone())
        self._rows, self._tokens, self._forced = torch.tensor(rows), torch.tensor(tokens), torch.tensor(forced)
        self.lengths: Int[Tensor, " outputs"] = torch.tensor([len(string) + 1 for string in self.outputs])
        self._starts = self.lengths.cumsum(0) - self.lengths
        self.contexts: dict[tuple[int, ...], int] = contexts.known
        """The row of the table for each beginning, or for its last token alone."""

    @classmethod
    def random(
        cls, seed: int, vocabulary: int = 2, longest: int = 3, *, context: Context = "prefix", spread: float = 0.5
    ) -> Autoregressive:
        """A policy with normally distributed logits of standard deviation ``spread``."""
        policy = cls(vocabulary, longest, context=context)
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(policy.table.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            policy.table.copy_(spread * noise)
        return policy

    def logps(self) -> Float[Tensor, "prompts outputs"]:
        prompts, outputs = len(self.table), len(self.outputs)
        every = torch.cartesian_prod(torch.arange(prompts), torch.arange(outputs))
        scores = self.score(every)
        return scores.total(scores.token_logps).reshape(prompts, outputs)

    def score(self, items: Answers, *, signals: Sequence[str] = ()) -> Scores:
        prompt, output = as_index(items).unbind(-1)
        lengths = self.lengths[output]
        sequence = torch.repeat_interleave(torch.arange(len(output)), lengths)
        position = torch.arange(len(sequence)) - (lengths.cumsum(0) - lengths)[sequence]
        token = self._starts[output][sequence] + position
        table = torch.log_softmax(self.table, dim=-1)
        where = (prompt[sequence], self._rows[token])
        forced = self._forced[token]
        zero = table.new_zeros(())
        values = torch.where(forced, zero, table[(*where, self._tokens[token])])
        extra = {name: torch.where(forced, zero, collision(name, table)[where]) for name in signals}
        return Scores(values, sequence, len(output), signals=extra)


class _Contexts:
    """Numbers the contexts in the order in which they are met."""

    def __init__(self, kind: Context) -> None:
        self.kind = kind
        self.known: dict[tuple[int, ...], int] = {}

    def row(self, prefix: tuple[int, ...]) -> int:
        key = prefix if self.kind == "prefix" else prefix[-1:]
        return self.known.setdefault(key, len(self.known))
