"""Every claim about decoding fails on each of the bugs that it is paired with here."""

from __future__ import annotations

from dataclasses import replace

import torch

from tests.evidence.bugs import claims_of, must_fail, planted
from truing.decoding.decoders import args, best_of_n, controlled_decoding, deal, qalign, rps, transfer_q, vote
from truing.decoding.qalign import log_acceptance
from truing.decoding.transfer_q import Transferred

# -- best-of-n -------------------------------------------------------------------------------------------


def worst(n=16, softness=0.0):
    def decode(task):
        known = task.worth.judging
        task.worth.judging = lambda items, texts: -known(items, texts)
        return best_of_n(n, softness)(task)

    return decode


def one_too_few(n=16, softness=0.0):
    return best_of_n(max(1, n - 1), softness)


def log_n(n=16, softness=0.0):
    """The bound without its second part."""

    def decode(task):
        found = best_of_n(n, softness)(task)
        return [replace(one, notes={"kl_bound": float(torch.tensor(float(n)).log())}) for one in found]

    return decode


def two_less(n=16, softness=0.0):
    """A bound that is none."""

    def decode(task):
        found = best_of_n(n, softness)(task)
        return [replace(one, notes={"kl_bound": one.notes["kl_bound"] - 0.5}) for one in found]

    return decode


def never_soft(n=16, softness=0.0):
    return best_of_n(n)


def always_soft(n=16, softness=0.0):
    return best_of_n(n, 1.0)


# -- vote ------------------------------------------------------------------------------------------------


def first_answer(n=16, by="equal", of="number", beta=1.0):
    return vote(1, by, of, beta)


def unweighed(n=16, by="equal", of="number", beta=1.0):
    return vote(n, "equal", of)


# -- guided decoding -------------------------------------------------------------------------------------


def other_value(beta=1.0, k=20, m=4, value="soft", ahead=None):
    """The mean for the soft value and the other way round."""
    return controlled_decoding(beta, k, m, "mean" if value == "soft" else "soft", ahead)


def half_weight(beta=1.0, k=20, m=4, value="soft", ahead=None):
    made = controlled_decoding(beta, k, m, value, ahead)
    return replace(made, weight=made.weight / 2)


def unguided(beta=1.0, k=20, m=4, value="soft", ahead=None):
    return replace(controlled_decoding(beta, k, m, value, ahead), weight=0.0)


class _RowsMixedUp:
    """Each answer has the value of the one before it."""

    def __init__(self, value):
        self.known = value

    def begun(self, task, rows):
        return self.known.begun(task, rows)

    def __call__(self, task, rows, items):
        return self.known(task, rows, items).roll(1)


def rows_mixed_up(**settings):
    made = controlled_decoding(**settings)
    return replace(made, value=_RowsMixedUp(made.value))


def drawn_after_all(value="soft", **settings):
    """Continuations in place of what was learned."""
    return controlled_decoding(value="mean", m=2, **settings)


def a_block_too_few(k=20, **settings):
    return controlled_decoding(k=k - 1, **settings)


def any_block(k=20, **settings):
    return controlled_decoding(k=1, **settings)


class _Changed(Transferred):
    """Transfer with other weights."""

    def __call__(self, rewards, task, answers, items):
        return self.merged(rewards, self.baseline(task, answers, items).reshape(rewards.shape))


class _Unweighed(_Changed):
    def merged(self, rewards, other):
        return rewards.mean(1)


class _BaselineForgotten(_Changed):
    def merged(self, rewards, other):
        return ((rewards / self.beta).softmax(1) * rewards).sum(1)


class _SignWrong(_Changed):
    def merged(self, rewards, other):
        return (((rewards + other) / self.beta).softmax(1) * rewards).sum(1)


def merging(kind):
    def bug(**settings):
        made = transfer_q(**settings)
        if not isinstance(made.value.merge, Transferred):
            return made
        return replace(
            made, value=replace(made.value, merge=kind(made.value.merge.beta, made.value.merge.baseline))
        )

    bug.__name__ = kind.__name__.strip("_")
    return bug


def weight_upside_down(**settings):
    made = transfer_q(**settings)
    return replace(made, weight=1 / made.weight)


def by_values_against(**settings):
    made = transfer_q(**settings)
    return replace(made, weight=-made.weight)


def as_whole_answers(k=10, w=1.5):
    """The value of whole answers in place of the text so far."""
    return controlled_decoding(1 / w, k, 64)


def reward_left_out(k=10, w=1.5):
    return args(k, 0.0)


# -- chains ----------------------------------------------------------------------------------------------


def accepting(rule):
    def bug(*given, **settings):
        return replace(qalign(*given, **settings), accept=rule)

    bug.__name__ = rule.__name__
    return bug


@accepting
def length_left_out(new, old, beta, new_length, old_length):
    return log_acceptance(new, old, beta, old_length, old_length)


@accepting
def length_upside_down(new, old, beta, new_length, old_length):
    return log_acceptance(new, old, beta, old_length, new_length)


@accepting
def never_down(new, old, beta, new_length, old_length):
    return torch.where(new >= old, 0.0, -torch.inf).double()


@accepting
def always(new, old, beta, new_length, old_length):
    return torch.zeros_like(new)


def the_best_seen(*given, pick="similarity", **settings):
    return qalign(*given, pick="best", **settings)


# -- beams -----------------------------------------------------------------------------------------------


def sightless(ahead=16, **settings):
    return deal(ahead=0, **settings)


def weightless(weight=1.0, **settings):
    return deal(weight=0.0, **settings)


# -- directions ------------------------------------------------------------------------------------------


def at_the_direction(target=None, k=5, theta=30.0):
    return rps(target, k, 0.0)


def all_around(target=None, k=5, theta=30.0):
    return rps(target, k, 180.0)


def twice_the_budget(target=None, k=5, theta=30.0):
    return rps(target, 2 * k, theta)


BUGS = {
    "best-of-n/exact-law": [worst, one_too_few, always_soft],
    "best-of-n/kl-without-ties": [log_n],
    "best-of-n/kl-below-the-bound": [two_less],
    "best-of-n/soft-tends-to-the-tilt": [never_soft, worst],
    "best-of-n/over-optimises": [never_soft, always_soft],
    "vote/finds-the-mode": [first_answer],
    "vote/rewards-outweigh-a-wrong-mode": [unweighed],
    "controlled-decoding/soft-value-is-the-tilt": [other_value, half_weight],
    "controlled-decoding/mean-value-falls-short": [other_value, unguided],
    "controlled-decoding/q-learns-the-value": [rows_mixed_up, drawn_after_all],
    "controlled-decoding/fudge-learns-the-value": [rows_mixed_up],
    "controlled-decoding/drawn-targets-meet": [rows_mixed_up],
    "controlled-decoding/long-blocks-are-best-of-k": [a_block_too_few],
    "controlled-decoding/short-blocks-choose-tokens": [a_block_too_few, any_block],
    "transfer-q/indirect-value-is-exact": [merging(_Unweighed), merging(_BaselineForgotten), merging(_SignWrong)],
    "transfer-q/sees-through-the-trap": [by_values_against],
    "transfer-q/improves-on-the-aligned-model": [weight_upside_down, by_values_against],
    "transfer-q/alpha-holds-it-back": [weight_upside_down],
    "args/short-sighted": [as_whole_answers],
    "args/best-where-rewards-add-up": [reward_left_out],
    "qalign/flows-balance": [length_left_out, length_upside_down, never_down],
    "qalign/visits-follow-the-tilt": [length_left_out, never_down, always],
    "qalign/last-states-are-draws": [the_best_seen, always],
    "qalign/does-not-run-away": [never_down, the_best_seen],
    "deal/looks-ahead": [sightless],
    "deal/weight-trades-off": [weightless],
    "rps/gains-outside": [at_the_direction, all_around],
    "rps/grows-with-the-angle": [at_the_direction],
    "rps/loses-inside": [twice_the_budget],
    "rps/no-gain-without-its-assumption": [twice_the_budget],
}


def test_every_claim_has_a_planted_bug():
    methods = ("best-of-n", "vote", "controlled-decoding", "transfer-q", "args", "qalign", "deal", "rps")
    assert claims_of(*methods) == set(BUGS)


@planted(BUGS)
def test_claim_fails_on_the_bug(name, bug):
    must_fail(name, bug)
