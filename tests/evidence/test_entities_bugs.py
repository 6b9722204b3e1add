"""Claims about entity alignment fail on planted bugs."""

from __future__ import annotations

from dataclasses import replace

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.judging.entities.graph import Graph
from truing.judging.protocols import llm_align


def never_shuffled(align):
    return lambda *a, **k: align(*a, **{**k, "shuffled": False})


def one_round(align):
    return lambda *a, **k: align(*a, **{**k, "rounds": 1})


def votes_not_mapped_back(align):
    """The place of an option counts, and not the option."""

    def run(chooser, source, target, **k):
        class Turned:
            name = "turned"

            def __call__(self, questions):
                said = chooser(questions)
                return [len(q.options) - 1 - place for q, place in zip(questions, said, strict=True)]

        return align(Turned(), source, target, **k)

    return run


def embedder_first(align):
    """Votes are not looked at."""

    def run(*a, **k):
        found = align(*a, **k)
        return replace(found, links=[replace(link, target=link.candidates[0]) for link in found.links])

    return run


def free_for_all(align):
    return lambda *a, **k: align(*a, **{**k, "one_to_one": False})


def functionality_turned_round(align):
    """Attributes that many share come first."""

    def run(chooser, source, target, **k):
        class Turned(Graph):
            @property
            def functionality(self):
                return {name: -value for name, value in self.inverse_functionality.items()}

        return align(chooser, Turned(source.relations, source.attributes), target, **k)

    return run


BUGS = {
    "llm-align-ea/identifying-attributes-are-shown": [functionality_turned_round],
    "llm-align-ea/many-rounds-end-at-the-largest-probability": [never_shuffled, one_round, votes_not_mapped_back],
    "llm-align-ea/one-to-one-repeats-nobody": [free_for_all],
    "llm-align-ea/recall-is-the-bound": [embedder_first, votes_not_mapped_back],
    "llm-align-ea/votes-do-not-hurt-an-unbiased-one": [one_round, embedder_first],
    "llm-align-ea/votes-help-a-biased-chooser": [never_shuffled, one_round],
}


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug) -> None:
    must_fail(name, bug, bug(llm_align))


def test_every_claim_has_a_bug() -> None:
    assert claims_of("llm-align-ea") == set(BUGS)
