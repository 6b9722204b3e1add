"""The loop of curation with one mistake in it: each maps the audit to one with a bug."""

from __future__ import annotations

from dataclasses import replace

import numpy as np


def real_data_ignored(audit):
    return lambda *a, **k: audit(*a, **{**k, "synthetic": None})


def always_tilted(audit):
    """The limit of many candidates, whatever their number."""
    return lambda start, reward, candidates=2, **k: audit(start, reward, None, **k)


def one_more_candidate(audit):
    return lambda start, reward, candidates=2, **k: audit(start, reward, candidates and candidates + 1, **k)


def always_pairs(audit):
    return lambda start, reward, candidates=2, **k: audit(start, reward, candidates and min(candidates, 2), **k)


def worst_kept(audit):
    """Users keep what they like least."""

    def run(start, reward, candidates=2, **k):
        found = audit(start, -np.asarray(reward), candidates, **k)
        worth = found.law @ np.exp(np.asarray(reward))
        return replace(found, worth=worth, bound=np.maximum(worth, worth[0]))

    return run


def nobody_chooses(audit):
    return lambda start, reward, candidates=2, **k: audit(start, reward, 1, **k)


def other_temperature(audit):
    """Rewards count half in the choice."""

    def run(start, reward, candidates=2, **k):
        found = audit(start, 0.5 * np.asarray(reward), candidates, **k)
        return replace(found, worth=found.law @ np.exp(np.asarray(reward)))

    return run
