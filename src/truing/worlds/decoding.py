"""Exact worlds for decoding: a model whose answers can be listed, in the place of a language model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from truing.decoding.answers import Decoded
from truing.decoding.task import Task, Worth
from truing.policies.generation import Sampling
from truing.policies.group_sampling import chosen
from truing.policies.growing import Rows, Work
from truing.rewards.algebra import Prompt
from truing.worlds.autoregressive import Autoregressive

LETTERS = "abcdefgh"


class ListedEngine:
    """An engine whose next-token law is a table; answers are written in letters.

    Args:
        policy: with all prefixes as contexts.
    """

    def __init__(self, policy: Autoregressive) -> None:
        self.policy = policy
        self.work = Work()
        self.end = policy.table.shape[2] - 1
        self.longest = max(len(output) for output in policy.outputs)
        table = policy.table.detach().log_softmax(-1)[0]
        known = list(
            dict.fromkeys(output[:place] for output in policy.outputs for place in range(len(output) + 1))
        )
        self._laws = torch.full((len(known), self.end + 1), -torch.inf, dtype=torch.float64)
        self._places = {prefix: place for place, prefix in enumerate(known)}
        self._next = torch.arange(len(known))[:, None].repeat(1, self.end + 1)
        for prefix, place in self._places.items():
            if len(prefix) == self.longest:
                self._laws[place, self.end] = 0.0
            else:
                self._laws[place] = table[policy.contexts[prefix]]
                self._next[place, : self.end] = torch.tensor([self._places[(*prefix, t)] for t in range(self.end)])

    @property
    def ends(self) -> frozenset[int]:
        """The end token."""
        return frozenset({self.end})

    def encode(self, prompt: Prompt) -> list[int]:
        """Prompts make no difference."""
        return []

    def text(self, tokens: Sequence[int]) -> str:
        """One letter a token."""
        return "".join(LETTERS[token] for token in tokens if token != self.end)

    @property
    def count(self) -> int:
        """Beginnings of answers, with the empty one and whole answers."""
        return len(self._laws)

    def states(self, answers: Sequence[Sequence[int]]) -> Int[Tensor, " answers"]:
        """A number for each beginning; the end token changes nothing."""
        return torch.tensor([self._places[tuple(t for t in tokens if t != self.end)] for tokens in answers])

    def after(self, states: Int[Tensor, " answers"], tokens: Int[Tensor, " answers"]) -> Int[Tensor, " answers"]:
        """The numbers of beginnings with a token more."""
        return self._next[states, tokens]

    def logits(self, states: Int[Tensor, " answers"]) -> Float[Tensor, "answers vocabulary"]:
        """Log-probabilities of what follows; of an answer that has ended those of its end."""
        return self._laws[states]

    def rows(self, prompts: Sequence[Sequence[int]], count: int) -> Rows:
        """Rows whose prompts are beginnings of answers."""
        heads = [tuple(prompt) for prompt in prompts for _ in range(count)]
        return ListedRows(self, heads, [[] for _ in heads], self.states(heads))

    def sample(self, prompts: Sequence[Sequence[int]], count: int, sampling: Sampling) -> list[list[list[int]]]:
        """Whole answers."""
        generator = torch.Generator().manual_seed(sampling.seed)
        luck = torch.rand(len(prompts) * count, self.longest + 1, generator=generator, dtype=torch.float64)
        states = torch.full((len(luck),), self._places[()])
        columns = []
        for step in range(self.longest + 1):
            tokens = chosen(
                self.logits(states), luck[:, step], sampling.temperature, sampling.top_p, sampling.top_k
            )
            columns.append(tokens)
            states = torch.where(tokens == self.end, states, self.after(states, tokens))
        drawn = torch.stack(columns, 1)
        lengths = (drawn == self.end).int().argmax(1) + 1
        answers = [row[:length] for row, length in zip(drawn.tolist(), lengths.tolist(), strict=True)]
        return [answers[start : start + count] for start in range(0, len(answers), count)]


@dataclass
class ListedRows:
    """Rows of a listed engine, see :class:`~truing.policies.growing.Rows`."""

    engine: ListedEngine
    heads: list[tuple[int, ...]]
    tokens: list[list[int]]
    states: Int[Tensor, " rows"]

    @property
    def logits(self) -> Float[Tensor, "rows vocabulary"]:
        """Log-probabilities of what follows."""
        return self.engine.logits(self.states)

    @property
    def hidden(self) -> Float[Tensor, "rows hidden"]:
        """One place for each beginning, and one for each that has ended."""
        done = torch.tensor([bool(tokens) and tokens[-1] == self.engine.end for tokens in self.tokens])
        places = self.states + done * self.engine.count
        return torch.nn.functional.one_hot(places, 2 * self.engine.count).double()

    @property
    def prompt(self) -> Int[Tensor, " rows"]:
        """All rows are of one prompt."""
        return torch.zeros(len(self.heads), dtype=torch.int64)

    def push(self, tokens: Int[Tensor, " rows"], going: Bool[Tensor, " rows"] | None = None) -> None:
        """See :class:`~truing.policies.growing.Rows`."""
        on = torch.ones_like(tokens, dtype=torch.bool) if going is None else going
        for own, token, goes in zip(self.tokens, tokens.tolist(), on.tolist(), strict=True):
            if goes:
                own.append(token)
        self.states = torch.where(on, self.engine.after(self.states, tokens), self.states)

    def take(self, rows: Sequence[int]) -> ListedRows:
        """See :class:`~truing.policies.growing.Rows`."""
        places = torch.tensor(rows, dtype=torch.int64)
        return ListedRows(
            self.engine,
            [self.heads[row] for row in rows],
            [list(self.tokens[row]) for row in rows],
            self.states[places],
        )

    def put(self, rows: Sequence[int], other: Rows) -> None:
        """See :class:`~truing.policies.growing.Rows`."""
        for row, tokens in zip(rows, other.tokens, strict=True):
            self.tokens[row] = list(tokens)
        self._again()

    def cut(self, lengths: Sequence[int], *, logits: bool = True) -> None:
        """See :class:`~truing.policies.growing.Rows`."""
        self.tokens = [tokens[:length] for tokens, length in zip(self.tokens, lengths, strict=True)]
        self._again()

    def _again(self) -> None:
        self.states = self.engine.states(
            [(*head, *own) for head, own in zip(self.heads, self.tokens, strict=True)]
        )


def listed_task(
    engine: ListedEngine,
    worth: Float[Tensor, " outputs"],
    *,
    prompts: int = 1,
    seed: int = 0,
    temperature: float = 1.0,
) -> Task:
    """Equal prompts to a listed engine, with a reward for each of its outputs; of beginnings it is that of the output
    they would be if they ended there.
    """
    known = {engine.text(output): float(value) for output, value in zip(engine.policy.outputs, worth, strict=True)}

    def judging(items: Sequence[int], texts: Sequence[str]) -> Tensor:
        return torch.tensor([known.get(text, -torch.inf) for text in texts], dtype=torch.float64)

    sampling = Sampling(max_new_tokens=engine.longest + 1, temperature=temperature, seed=seed)
    names = [str(number) for number in range(prompts)]
    return Task(engine, names, [[] for _ in names], sampling, Worth(judging))


def random_listed(seed: int) -> tuple[ListedEngine, Float[Tensor, " outputs"], Float[Tensor, " outputs"]]:
    """A model of 15 answers, its law, and distinct rewards."""
    engine = ListedEngine(Autoregressive.random(seed, 2, 3, spread=0.7))
    law = engine.policy.logps()[0].exp().detach()
    reward = torch.randn(len(law), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return engine, law, reward


def wrong_about_the_rarest(
    law: Float[Tensor, " outputs"], reward: Float[Tensor, " outputs"]
) -> tuple[Tensor, Tensor]:
    """A proxy and the true reward: of the rarest answer the one is the highest of all, and the other the lowest."""
    rare = int(law.argmin())
    proxy, gold = reward.clone(), reward.clone()
    proxy[rare], gold[rare] = reward.max() + 1, reward.min() - 4
    return proxy, gold


def mean_reward(
    decoder: Callable[[Task], list[Decoded]],
    engine: ListedEngine,
    proxy: Float[Tensor, " outputs"],
    gold: Float[Tensor, " outputs"],
    *,
    prompts: int,
    seed: int,
) -> float:
    """The true reward of what a decoder gives that goes by a proxy."""
    found = decoder(listed_task(engine, proxy, prompts=prompts, seed=seed))
    return float((frequencies(engine, [one.text for one in found]) * gold).sum())


def tilted(
    law: Float[Tensor, " outputs"], worth: Float[Tensor, " outputs"], beta: float
) -> Float[Tensor, " outputs"]:
    """π e^(r/β) / Z."""
    return (law.log() + worth / beta).softmax(-1)


def frequencies(engine: ListedEngine, texts: Sequence[str]) -> Float[Tensor, " outputs"]:
    """How often each output was given."""
    places = {engine.text(output): place for place, output in enumerate(engine.policy.outputs)}
    found = torch.bincount(torch.tensor([places[text] for text in texts]), minlength=len(places))
    return found.double() / len(texts)
