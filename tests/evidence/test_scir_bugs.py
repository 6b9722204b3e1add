"""Every claim about self-consistent internal rewards fails on each of the bugs that it is paired with here."""

from __future__ import annotations

import torch

from tests.evidence.bugs import claims_of, must_fail_now, planted
from truing.objectives.algebra.internal import Agreed, Disagreement, Internal


def first_order_only(patch):
    right = Internal.verdicts

    def verdicts(self, scores, batch):
        other = dict.fromkeys(batch.parts, batch.parts["verdict"])
        return right(self, scores, type(batch)(**{**vars(batch), "parts": other}))

    patch.setattr(Internal, "verdicts", verdicts)


def second_order_not_turned(patch):
    """The reply to the second question is read as if the answers stood as in the first."""
    right = Internal.verdicts

    def verdicts(self, scores, batch):
        turned = {**batch.parts, "verdict_exchanged": batch.parts["verdict_exchanged"].exchanged()}
        return right(self, scores, type(batch)(**{**vars(batch), "parts": turned}))

    patch.setattr(Internal, "verdicts", verdicts)


def every_pair(patch):
    right = Agreed._agreed
    patch.setattr(
        Agreed,
        "_agreed",
        lambda self, scores, batch: (
            (found := right(self, scores, batch)) and (found[0], torch.ones_like(found[1]))
        ),
    )


def against_the_verdict(patch):
    right = Agreed._agreed
    patch.setattr(
        Agreed,
        "_agreed",
        lambda self, scores, batch: (found := right(self, scores, batch)) and (-found[0], found[1]),
    )


def disagreed(patch):
    right = Agreed._agreed
    patch.setattr(
        Agreed,
        "_agreed",
        lambda self, scores, batch: (found := right(self, scores, batch)) and (found[0], ~found[1]),
    )


def labels_read(patch):
    right = Agreed._agreed
    patch.setattr(
        Agreed,
        "_agreed",
        lambda self, scores, batch: (
            (found := right(self, scores, batch)) and (torch.ones_like(found[0]), found[1])
        ),
    )


def no_penalty(patch):
    patch.setattr(Disagreement, "_apart", lambda self, verdicts: 0 * verdicts.sum(0))


def disagreement_rewarded(patch):
    right = Disagreement._apart
    patch.setattr(Disagreement, "_apart", lambda self, verdicts: -right(self, verdicts))


BUGS = {
    "scir/agreed-pairs-are-right-more-often": [every_pair, against_the_verdict, disagreed, labels_read],
    "scir/agreed-pairs-are-fewer": [every_pair, disagreed],
    "scir/identical-judges-gain-nothing": [against_the_verdict, disagreed, labels_read],
    "scir/place-says-nothing": [first_order_only, second_order_not_turned, against_the_verdict],
    "scir/agreement-rises": [no_penalty, disagreement_rewarded],
    "scir/two-judges-beat-one": [no_penalty, disagreement_rewarded],
}


def test_every_claim_has_a_planted_bug():
    assert claims_of("scir") == set(BUGS)


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug, monkeypatch):
    bug(monkeypatch)
    must_fail_now(name, bug)
