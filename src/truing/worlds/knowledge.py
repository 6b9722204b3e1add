"""Two knowledge graphs of one invented world, and judges of candidates whose skill and bias are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from truing.judging.entities.graph import Graph
from truing.judging.entities.questions import Question


@dataclass(frozen=True)
class TwoGraphs:
    """Two graphs, partners and scores of an embedder.

    Attributes:
        source, target: the graphs.
        gold: partners by source entity.
        scores: ``[source entities, target entities]``.
    """

    source: Graph
    target: Graph
    gold: dict[str, str]
    scores: np.ndarray


def two_graphs(generator: np.random.Generator, entities: int, k: int = 5) -> TwoGraphs:
    """Entities with a code of their own and a kind that many share; the embedder puts the partner anywhere in its k."""
    code = generator.permutation(entities)
    target_of = generator.permutation(entities)
    source = [(f"s{number}", "code", f"c{code[number]}") for number in range(entities)]
    source += [(f"s{number}", "kind", f"k{number % 3}") for number in range(entities)]
    other = [(f"t{target_of[number]}", "code", f"c{code[number]}") for number in range(entities)]
    other += [(f"t{target_of[number]}", "kind", f"k{number % 3}") for number in range(entities)]
    graphs = Graph.of(source), Graph.of(sorted(other))
    place = {entity: number for number, entity in enumerate(graphs[1].entities)}
    scores = np.zeros((entities, entities))
    for number, entity in enumerate(graphs[0].entities):
        partner = place[f"t{target_of[int(entity[1:])]}"]
        rest = generator.choice([column for column in range(entities) if column != partner], k - 1, replace=False)
        scores[number, [partner, *rest]] = 1 + generator.random(k)
    gold = {f"s{number}": f"t{target_of[number]}" for number in range(entities)}
    return TwoGraphs(*graphs, gold, scores)


@dataclass
class LogitChooser:
    """Chooses an option with probability ∝ e^(skill · right + place · first).

    Args:
        gold: partners.
        skill: nats for the partner.
        place: nats for the option that stands first.
        generator: of its choices.
    """

    gold: dict[str, str]
    skill: float
    place: float
    generator: np.random.Generator
    name: str = "logit chooser"

    def __call__(self, questions: Sequence[Question]) -> list[int | None]:
        return [self._one(question) for question in questions]

    def _one(self, question: Question) -> int:
        right = np.array([option == self.gold[question.entity] for option in question.options], dtype=float)
        logits = self.skill * right
        logits[0] += self.place
        chances = np.exp(logits - logits.max())
        return int(self.generator.choice(len(chances), p=chances / chances.sum()))


@dataclass(frozen=True)
class Oracle:
    """Chooses the partner, or says that none of the options is it."""

    gold: dict[str, str]
    name: str = "oracle"

    def __call__(self, questions: Sequence[Question]) -> list[int | None]:
        return [
            question.options.index(self.gold[question.entity])
            if self.gold[question.entity] in question.options
            else -1
            for question in questions
        ]
