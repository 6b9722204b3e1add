"""Search over rewrites of one question (UCT): expand, answer, score against the original, count it all the way up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truing.decoding.tree import SearchTree
from truing.errors import DataError
from truing.prompting.aligner.rewriting import Rewriter, SameIntent

Value = Callable[[str], float]
"""From a question in some words to the mean reward of fresh answers, scored against the original; nan if unknown."""


@dataclass(frozen=True)
class Rewrite:
    """A node's question.

    Attributes:
        text: its words.
        principle: by which it was made of its parent's; ``None`` for the original.
    """

    text: str
    principle: str | None = None


@dataclass(frozen=True)
class Settings:
    """How to search.

    Attributes:
        iterations: evaluations after the original's first.
        exploration: c in the rule that selects; rewards are put on a scale from 0 to 1 by those seen so far.
        depth: most rewrites on top of each other.
        visits: evaluations of its own that the result needs.
        margin: by how much the result has to exceed the original.
        seed: of the order in which principles are tried.
    """

    iterations: int = 20
    exploration: float = 1.0
    depth: int = 3
    visits: int = 1
    margin: float = 0.0
    seed: int = 0

    def most_rewrites(self, principles: int) -> int:
        """How many rewrites a search asks for at most.

        All principles at the original, and all but its own at every other node, each once. An iteration works at one
        node, which may need all of its principles where rewrites are unusable.

        Args:
            principles: how many there are.
        """
        below = max(principles - 1, 0)
        everywhere: int = principles * sum(below**level for level in range(min(self.depth, self.iterations)))
        return min(principles + (self.iterations - 1) * below, everywhere)


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        text: the best words; those of the original where nothing exceeds it by the margin.
        path: principles on the way to it.
        original, value: mean reward of the original and of the result.
        tree: all nodes.
        rejected: better words that ask for something else.
    """

    text: str
    path: tuple[str, ...]
    original: float
    value: float
    tree: SearchTree[Rewrite]
    rejected: int

    @property
    def changed(self) -> bool:
        """Whether anything better was found."""
        return bool(self.path)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "path": list(self.path),
            "values": {"original": self.original, "rewritten": self.value},
            "nodes": len(self.tree),
            "evaluations": self.tree[0].visits,
            "rejected": self.rejected,
        }


def search(
    text: str,
    principles: Sequence[str],
    rewrite: Rewriter,
    value: Value,
    settings: Settings,
    same_intent: SameIntent | None = None,
) -> Found:
    """Look for words that are answered better.

    Every iteration goes down from the original: at a node with untried principles one of them is tried, at any other
    the child with the highest Q + c·sqrt(ln N(parent)/N(child)) is next. The new node, or the one at the bottom, is
    answered and scored.

    Args:
        text: the original.
        principles: names.
        rewrite: makes a question of a question under a principle.
        value: of a question.
        settings: how to search.
        same_intent: whether a rewrite asks for the same; asked of results only, the best first.

    Raises:
        DataError: if the original cannot be scored.
    """
    tree = SearchTree(Rewrite(text))
    draw = np.random.default_rng(settings.seed)
    untried: dict[int, list[str]] = {0: _shuffled(draw, principles)}
    known = {text}

    def evaluate(number: int) -> None:
        worth = value(tree[number].payload.text)
        if math.isfinite(worth):
            tree.record(number, worth)
        elif number == 0 and not tree[0].visits:
            raise DataError(
                "answers to the question in its own words have no reward",
                where=text[:80],
                fix="take a reward that knows these questions",
            )
        else:
            # What cannot be scored is no better than the worst that was.
            tree.record(number, min(seen for node in tree for seen in node.own))

    evaluate(0)
    for _ in range(settings.iterations):
        number = _descend(tree, untried, settings)
        made = None
        while untried[number] and tree[number].depth < settings.depth and made is None:
            principle = untried[number].pop()
            written = rewrite(tree[number].payload.text, principle)
            if written is not None and written not in known:
                known.add(written)
                made = tree.add(number, Rewrite(written, principle), cost=1.0)
                untried[made] = _shuffled(draw, [name for name in principles if name != principle])
        evaluate(number if made is None else made)
    return _best(tree, settings, same_intent)


def _shuffled(draw: np.random.Generator, names: Sequence[str]) -> list[str]:
    return [names[int(place)] for place in draw.permutation(len(names))]


def _descend(tree: SearchTree[Rewrite], untried: dict[int, list[str]], settings: Settings) -> int:
    values = [value for node in tree for value in node.own]
    low, width = min(values), (max(values) - min(values)) or 1.0
    number = 0
    while not (untried[number] and tree[number].depth < settings.depth) and tree[number].children:
        node = tree[number]

        def worth(child: int, visits: int = node.visits) -> float:
            below = tree[child]
            return (below.mean - low) / width + settings.exploration * math.sqrt(math.log(visits) / below.visits)

        number = max(node.children, key=worth)
    return number


def _best(tree: SearchTree[Rewrite], settings: Settings, same_intent: SameIntent | None) -> Found:
    original = tree[0].value
    known = [number for number in range(1, len(tree)) if len(tree[number].own) >= settings.visits]
    rejected = 0
    for number in sorted(known, key=lambda one: (-tree[one].value, one)):
        node = tree[number]
        if not node.value - original > settings.margin:
            break
        if same_intent is not None and not same_intent(tree[0].payload.text, node.payload.text):
            rejected += 1
            continue
        path = tuple(str(tree[above].payload.principle) for above in tree.path(number)[1:])
        return Found(node.payload.text, path, original, node.value, tree, rejected)
    return Found(tree[0].payload.text, (), original, original, tree, rejected)
