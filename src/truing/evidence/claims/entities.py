"""Entity alignment by votes over shuffled candidates (2412.04690)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.judging.entities.alignment import Alignment
from truing.judging.entities.measures import hits, measured
from truing.judging.entities.questions import Question
from truing.worlds.knowledge import LogitChooser, Oracle, two_graphs

Align = Callable[..., Alignment]

METHOD = "llm-align-ea"
_SOURCE = "catalogue, llm-align-ea: evidence"
_WORLDS, _ENTITIES = 5, 60


def _gains(align: Align, seed: int, place: float) -> list[float]:
    """Hits of nine shuffled rounds less those of one round in the embedder's order."""
    gains = []
    for number in range(_WORLDS):
        generator = np.random.default_rng(_WORLDS * seed + number)
        world = two_graphs(generator, _ENTITIES)

        def judged(rounds: int, shuffled: bool, world=world, generator=generator) -> float:  # type: ignore[no-untyped-def]
            chooser = LogitChooser(world.gold, 1.0, place, generator)
            options = {"scores": world.scores, "k": 5, "rounds": rounds, "threshold": 0.0, "shuffled": shuffled}
            return hits(align(chooser, world.source, world.target, **options), world.gold).value

        gains.append(judged(9, True) - judged(1, False))
    return gains


@claim(
    method=METHOD,
    statement="A chooser with skill 1 and a bias of 2 nats for the first of 5 candidates is right more often by votes "
    "of 9 shuffled rounds than in one round of fixed order: mean gain of hits above 0.",
    source=_SOURCE,
)
def votes_help_a_biased_chooser(align: Align, seed: int) -> Measurement:
    return above(0.0, _gains(align, seed, 2.0), "hits")


@claim(
    method=METHOD,
    statement="Without a bias nothing is lost: the mean gain of hits is above 0 as well.",
    source=f"{_SOURCE}: with b = 0 no loss",
)
def votes_do_not_hurt_an_unbiased_one(align: Align, seed: int) -> Measurement:
    return above(0.0, _gains(align, seed, 0.0), "hits")


@claim(
    method=METHOD,
    statement="With 151 rounds the chooser with skill 1 and bias 2, right in a third of single rounds, ends at the "
    "largest of its probabilities over all orders, which is the partner: hits above 0.95.",
    source=f"{_SOURCE}: R to infinity tends to the argmax of the permutation-averaged choice probability",
)
def many_rounds_end_at_the_largest_probability(align: Align, seed: int) -> Measurement:
    generator = np.random.default_rng(seed)
    world = two_graphs(generator, 25)
    chooser = LogitChooser(world.gold, 1.0, 2.0, generator)
    found = align(chooser, world.source, world.target, scores=world.scores, k=5, rounds=151, threshold=0.0)
    return above(0.95, hits(found, world.gold).value, "hits")


@claim(
    method=METHOD,
    statement="A judge that knows every partner reaches recall at k, by which all is bounded: distance 0, with "
    "3 candidates of 5 that hold the partner.",
    source="catalogue, llm-align-ea: pitfalls, gold not in the shortlist (report upper bound recall@k)",
)
def recall_is_the_bound(align: Align, seed: int) -> Measurement:
    world = two_graphs(np.random.default_rng(seed), _ENTITIES)
    found = measured(align(Oracle(world.gold), world.source, world.target, scores=world.scores, k=3), world.gold)
    inside = 0 < found["recall"].value < 1
    return equals(0.0, found["recall"].value - found["hits"].value if inside else np.nan, 0.0, "hits")


@claim(
    method=METHOD,
    statement="Matched one to one, no target has two sources: 0 of 60 are repeated, where free votes repeat some.",
    source="catalogue, llm-align-ea: pitfalls, one-to-one constraint",
)
def one_to_one_repeats_nobody(align: Align, seed: int) -> Measurement:
    world = two_graphs(np.random.default_rng(seed), _ENTITIES)

    def repeated(one_to_one: bool) -> int:
        chooser = LogitChooser(world.gold, 1.0, 0.0, np.random.default_rng(seed))
        found = align(chooser, world.source, world.target, scores=world.scores, k=5, one_to_one=one_to_one)
        partners = list(found.pairs.values())
        return len(partners) - len(set(partners))

    return equals(0.0, float(repeated(True)) if repeated(False) else np.nan, 0.0, "targets")


@claim(
    method=METHOD,
    statement="Of two attributes a judge is shown the one that tells entities apart: it reads the code in 1.0 of all "
    "questions that have room for one triple.",
    source="2412.04690: attributes by function degree and frequency",
)
def identifying_attributes_are_shown(align: Align, seed: int) -> Measurement:
    world = two_graphs(np.random.default_rng(seed), 12)
    reader = _CodeReader()
    align(reader, world.source, world.target, scores=world.scores, k=3, rounds=1, triples=1)
    return equals(1.0, float(np.mean(reader.read)), 0.0, "share")


class _CodeReader:
    """Notes whether it is shown codes."""

    name = "reader"

    def __init__(self) -> None:
        self.read: list[bool] = []

    def __call__(self, questions: Sequence[Question]) -> list[int | None]:
        self.read += [question.text("123"[: len(question.options)]).count("code: ") == 4 for question in questions]
        return [0] * len(questions)
