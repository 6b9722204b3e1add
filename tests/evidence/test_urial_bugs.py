"""Claims about token shift and URIAL's prompt fail on planted bugs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.evidence.bugs import claims_of, must_fail, must_hold, planted
from truing.diagnostics.audits import token_shift
from truing.prompting.prompts import urial


def ranks_from_the_back(aligned, base, tokens):
    return token_shift(aligned, -np.asarray(base), tokens)


def exchanged_models(aligned, base, tokens):
    return token_shift(base, aligned, tokens)


def ranks_in_the_aligned_model(aligned, base, tokens):
    return token_shift(aligned, aligned, tokens)


def positions_from_the_end(aligned, base, tokens):
    return token_shift(*(np.asarray(part)[:, ::-1].copy() for part in (aligned, base, tokens)))


def distance_from_uniform(aligned, base, tokens):
    flat = np.full_like(np.asarray(base), -np.log(np.asarray(base).shape[-1]))
    found = token_shift(aligned, base, tokens)
    return replace(found, positions=token_shift(aligned, flat, tokens).positions)


class _Changed:
    def __init__(self, change, **settings):
        self.change, self.made = change, urial(**settings)

    def __call__(self, shown):
        return [self.change(one) for one in self.made(shown)]


def nothing_ends_an_answer(**settings):
    return _Changed(lambda one: replace(one, stop=()), **settings)


def ends_at_any_fence(**settings):
    return _Changed(lambda one: replace(one, stop=("\n```", "\n# Query")), **settings)


def examples_are_drawn(**settings):
    def change(one):
        return replace(one, prompt=f"# {len(one.original)} {one.original[:1]}\n{one.prompt}")

    return _Changed(change, **settings)


BUGS = {
    "token-shift/a-model-beside-itself": [ranks_from_the_back, distance_from_uniform],
    "token-shift/most-tokens-are-the-bases-own": [ranks_from_the_back],
    "token-shift/shifted-tokens-are-those-of-the-style": [ranks_in_the_aligned_model, ranks_from_the_back],
    "token-shift/the-shift-declines": [positions_from_the_end, ranks_in_the_aligned_model],
    "urial/the-answer-is-what-stands-in-the-fence": [nothing_ends_an_answer, ends_at_any_fence],
    "urial/the-prefix-is-constant": [examples_are_drawn],
}


def test_every_claim_has_a_bug_and_holds() -> None:
    assert claims_of("token-shift", "urial") == set(BUGS)
    for name in BUGS:
        must_hold(name)


@planted(BUGS)
def test_a_claim_fails_on_the_bug(name, bug) -> None:
    must_fail(name, bug)
