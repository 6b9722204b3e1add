"""Claims about guidelines fail on planted bugs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.evidence.bugs import claims_of, must_fail, must_hold, planted
from truing.prompting.prompts import guide_align
from truing.prompting.transform import Identity


class _Other:
    """The same with other scores."""

    def __init__(self, retriever, change):
        self.library, self.embed, self._of, self._change = retriever.library, retriever.embed, retriever, change

    def retrieve(self, questions, k, variety):
        scores = self._change(self._of.scores(questions))
        return [np.argsort(-row)[:k].tolist() for row in scores]


def nothing_is_shown(**settings):
    return Identity()


def the_farthest_are_shown(library, **settings):
    made = guide_align(library=library, **settings)
    return replace(made, retriever=_Other(library, lambda scores: -scores))


def all_questions_get_the_same(library, **settings):
    made = guide_align(library=library, **settings)
    return replace(made, retriever=_Other(library, lambda scores: np.repeat(scores[:1], len(scores), 0)))


def untrained(library, **settings):
    from truing.prompting.guidelines.retrieval import Retriever

    return guide_align(library=Retriever.of(library.library, library.embed), **settings)


class _Forgets:
    """Loses what was asked, so that rows cannot teach it."""

    def __init__(self, made):
        self.made = made

    def __call__(self, shown):
        found = self.made(shown)
        return [replace(one, original="lost") for one in found] if len(found) > 100 else found


def what_was_asked_is_lost(**settings):
    return _Forgets(guide_align(**settings))


BUGS = {
    "guide-align/retrieved-before-fixed-before-none": [nothing_is_shown, all_questions_get_the_same],
    "guide-align/the-trained-retriever-finds-more": [untrained, the_farthest_are_shown],
    "guide-align/what-was-shown-is-learned": [what_was_asked_is_lost],
}


def test_every_claim_has_a_bug_and_holds() -> None:
    assert claims_of("guide-align") == set(BUGS)
    for name in BUGS:
        must_hold(name)


@planted(BUGS)
def test_a_claim_fails_on_the_bug(name, bug) -> None:
    must_fail(name, bug)
