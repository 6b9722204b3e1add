"""A world of twelve choices: system messages in words, answers that show which choice was obeyed, a small network."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from truing.data.rows import Row
from truing.data.values.contrast import Plan, contrast
from truing.data.values.taxonomy import Combination, Taxonomy, Value

CHOICES = 12


def _value(name: str) -> Value:
    return Value(name, f"want {name}.", lambda text: f"{text} {name}", lambda text: name in text.split())


def twelve_choices() -> Taxonomy:
    """Twelve dimensions of two values, each of which leaves its name in the answer; 4,096 combinations."""
    return Taxonomy({f"choice {n}": (_value(f"a{n}"), _value(f"b{n}")) for n in range(CHOICES)})


@dataclass(frozen=True)
class Follower:
    """A network from the words of a message to the log-odds of one value of each dimension against the other.

    Attributes:
        taxonomy: of the world.
        words: that it knows, in the order of the network's inputs.
        network: from a bag of words to the log-odds.
    """

    taxonomy: Taxonomy
    words: tuple[str, ...]
    network: nn.Module

    @classmethod
    def trained(
        cls, taxonomy: Taxonomy, rows: Sequence[Row], *, seed: int, steps: int = 100, told: bool = True
    ) -> Follower:
        """From chosen answers under their messages.

        Args:
            taxonomy: of the world.
            rows: as :func:`~truing.data.values.contrast.contrast` makes them.
            seed: of the network.
            steps: of Adam, on all rows.
            told: whether it may read the message.
        """
        names = tuple(taxonomy.values) if told else ()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = nn.Sequential(nn.Linear(len(names) + 1, 64), nn.Tanh(), nn.Linear(64, CHOICES)).double()
        made = cls(taxonomy, names, network)
        bags = torch.stack([made.bag(row["prompt"][0]["content"]) for row in rows])
        seconds = [values[1].name for values in taxonomy.dimensions.values()]
        second = torch.tensor([[name in _said(row).split() for name in seconds] for row in rows])
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
        for _ in range(steps):
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(network(bags), second.double())
            loss.backward()
            optimizer.step()
        return made

    def bag(self, message: str) -> Float[Tensor, " words"]:
        """How often each word is in a message, and a 1."""
        counts = Counter(re.findall(r"\w+", message))
        return torch.tensor([*(counts[word] for word in self.words), 1], dtype=torch.float64)

    @torch.no_grad()
    def answer(self, message: str) -> str:
        """The likeliest answer."""
        second = (self.network(self.bag(message)) > 0).tolist()
        choices = zip(self.taxonomy.dimensions.values(), second, strict=True)
        return " ".join(values[int(b)].name for values, b in choices)


def _said(row: Row) -> str:
    return str(row["chosen"][0]["content"])


def rows_of(taxonomy: Taxonomy, combinations: int, count: int, seed: int) -> list[Row]:
    """Pairs under few or many different combinations, but as many rows; no combination is held out.

    Args:
        taxonomy: of the world.
        combinations: that occur in all.
        count: rows.
        seed: of everything that is drawn.
    """
    plan = Plan(taxonomy, sets=2, default_share=0.0, held_out=0.0, most=combinations, seed=seed)
    asked = [{"id": str(number), "prompt": f"question {number}", "completion": "so"} for number in range(count)]
    return list(contrast(plan, asked))[:count]


def unseen(taxonomy: Taxonomy, rows: Sequence[Row], count: int, seed: int) -> list[Combination]:
    """Combinations that no row has."""
    seen = {tuple(row["values"]) for row in rows}
    drawn = taxonomy.combinations(count + len(seen), np.random.default_rng((seed, 29)))
    return [one for one in drawn if one not in seen][:count]
