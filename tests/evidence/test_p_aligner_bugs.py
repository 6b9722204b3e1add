"""Claims about rewriting questions fail on planted bugs."""

from __future__ import annotations

from dataclasses import replace

from tests.evidence.bugs import claims_of, must_fail, must_hold, planted
from truing.prompting.prompts import p_aligner, p_aligner_rewriter
from truing.prompting.transform import Identity


class _Changed:
    """A search whose result is exchanged."""

    def __init__(self, pick, **settings):
        self.pick, self.made = pick, p_aligner(**settings)

    def __call__(self, shown):
        return [one.showing(self.pick(self.made.search(one)).payload.text) for one in shown]


def the_last_words_win(**settings):
    return _Changed(lambda found: found.tree[len(found.tree) - 1], **settings)


def the_worst_words_win(**settings):
    return _Changed(lambda found: min(found.tree, key=lambda node: node.value), **settings)


def a_change_is_forced(**settings):
    return _Changed(lambda found: max(list(found.tree)[1:], key=lambda node: node.value), **settings)


def never_changes(**settings):
    return Identity()


def explores_without_end(**settings):
    return p_aligner(**{**settings, "exploration": 1e6})


def no_depth(**settings):
    return p_aligner(**{**settings, "depth": 1})


class _ScoredByRewrite:
    def __init__(self, **settings):
        self.made = p_aligner(**settings)

    def __call__(self, shown):
        found = []
        for one in shown:
            reward = self.made.reward

            def score(originals, answers, contexts, inner=reward.score):
                return inner(answers, answers, contexts)

            search = replace(self.made, reward=replace(reward, score=score))
            found += search([one])
        return found


def scored_against_the_rewrite(**settings):
    return _ScoredByRewrite(**settings)


def rewriter_is_not_asked(**settings):
    return Identity()


def rewriter_answers(model):
    made = p_aligner_rewriter(model=model)

    class Answers:
        def __call__(self, shown):
            return [one.showing(f"The answer to {one.prompt}") for one in made(shown)]

    return Answers()


BUGS = {
    "p-aligner/an-easier-question-does-not-win": [scored_against_the_rewrite],
    "p-aligner/better-than-random-chains": [explores_without_end, no_depth, never_changes],
    "p-aligner/never-worse-than-the-original": [the_last_words_win, the_worst_words_win, a_change_is_forced],
    "p-aligner-rewriter/the-rewriter-lifts-held-out-questions": [rewriter_is_not_asked, rewriter_answers],
}


def test_every_claim_has_a_bug_and_holds() -> None:
    assert claims_of("p-aligner", "p-aligner-rewriter") == set(BUGS)
    for name in BUGS:
        must_hold(name)


@planted(BUGS)
def test_a_claim_fails_on_the_bug(name, bug) -> None:
    must_fail(name, bug)
