"""Guide-Align (2403.11838) in a world of topics whose rules are worded otherwise than their questions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above
from truing.prompting.guidelines.contrast import train
from truing.prompting.guidelines.embedding import ByWords
from truing.prompting.guidelines.retrieval import Retriever, bm25, recall
from truing.prompting.transform import PromptTransform, Shown
from truing.worlds.guided import Topics, answers, topics

Make = Callable[..., PromptTransform]

_SOURCE = "2403.11838; catalogue, guide-align: evidence"
_WORLDS = 2


def _trained(world: Topics) -> Retriever:
    embed = ByWords.fitted(world.library.texts)
    vectors = embed(world.library.guidelines)
    encoder = train(world.library, embed(world.library.questions), vectors, steps=20, learning_rate=0.02)
    return Retriever(world.library, embed, encoder, vectors)


def _shown(way: PromptTransform, world: Topics) -> list[str]:
    return [str(one.prompt) for one in way([Shown.of(text) for text in world.held_out])]


def _accuracy(world: Topics, told: list[str], seed: int) -> float:
    said = answers(world, told, world.topics, seed)
    return float(np.mean([own == world.right[topic] for own, topic in zip(said, world.topics, strict=True)]))


@claim(
    method="guide-align",
    statement="Under 5 retrieved rules of 25 a model that obeys them is right more often than under 5 fixed "
    "ones, and "
    "under these more often than under none: the smaller of the two gains is above 0 (2 worlds, held-out "
    "questions).",
    source=_SOURCE,
)
def retrieved_before_fixed_before_none(make: Make, seed: int) -> Measurement:
    gains = []
    for number in range(_WORLDS):
        world = topics(_WORLDS * seed + number)
        guided = _accuracy(world, _shown(make(library=_trained(world), k=5), world), seed)
        rules = "\n".join(world.library.guidelines[:5])
        fixed, none = (
            _accuracy(world, [f"{told}\n{text}" for text in world.held_out], seed) for told in (rules, "")
        )
        gains.append(min(guided - fixed, fixed - none))
    return above(0.0, min(gains), "share right", gains=gains)


@claim(
    method="guide-align",
    statement="Of held-out questions the trained retriever finds the rule among 5 of 25 more often than BM25 and "
    "than "
    "the untrained embedding: its recall is higher by more than 0.3 in each of 2 worlds.",
    source=_SOURCE,
)
def the_trained_retriever_finds_more(make: Make, seed: int) -> Measurement:
    gains = []
    for number in range(_WORLDS):
        world = topics(100 + _WORLDS * seed + number)
        retriever, belongs = _trained(world), [(topic,) for topic in world.topics]
        shown = _shown(make(library=retriever, k=5, variety=0.0), world)
        own = float(np.mean([f"rule{topic} " in text for text, topic in zip(shown, world.topics, strict=True)]))
        plain = Retriever.of(world.library, retriever.embed).scores(world.held_out)
        others = max(recall(plain, belongs), recall(bm25(world.held_out, world.library.guidelines), belongs))
        gains.append(own - others)
    return above(0.3, min(gains), "recall at 5", gains=gains)


@claim(
    method="guide-align",
    statement="A model that is trained on answers under rules, without the rules, is right on held-out questions "
    "within "
    "0.1 of the model that is shown them: its loss is above -0.1 (2 worlds).",
    source=_SOURCE,
)
def what_was_shown_is_learned(make: Make, seed: int) -> Measurement:
    losses = []
    for number in range(_WORLDS):
        world = topics(200 + _WORLDS * seed + number)
        retriever = _trained(world)
        way = make(library=retriever, k=5)
        asked = way([Shown.of(text) for text in world.library.questions])
        # A row is what was asked, and what was answered under the rules.
        own = [numbers[0] for numbers in world.library.belongs]
        said = answers(world, [str(one.prompt) for one in asked], own, seed)
        learned = _fitted(retriever, [str(one.original) for one in asked], said)
        right = [world.right[topic] for topic in world.topics]
        alone = float(np.mean(learned(list(world.held_out)) == np.array(right)))
        losses.append(alone - _accuracy(world, _shown(way, world), seed))
    return above(-0.1, min(losses), "share right", losses=losses)


def _fitted(retriever: Retriever, asked: list[str], said: list[int]) -> Callable[[list[str]], np.ndarray]:
    """Ridge regression of answers on the words of what was asked."""
    inputs, wanted = retriever.embed(asked), np.eye(max(said) + 1)[said]
    weights = np.linalg.solve(inputs.T @ inputs + 0.01 * np.eye(inputs.shape[1]), inputs.T @ wanted)
    return lambda texts: (retriever.embed(texts) @ weights).argmax(1)
