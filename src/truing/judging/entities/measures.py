"""How many partners are right, beside what the shortlist allows and what the embedder alone finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from truing.judging.entities.alignment import Alignment
from truing.statistics import Estimate, paired_difference, rate


def hits(alignment: Alignment, gold: Mapping[str, str]) -> Estimate:
    """Share of sources with a known partner whose link is that partner (Hits@1)."""
    return _share(alignment, gold, lambda link, partner: link.target == partner)


def measured(alignment: Alignment, gold: Mapping[str, str]) -> dict[str, Any]:
    """Everything about an alignment.

    Args:
        alignment: links.
        gold: known partners by source; may be empty.

    Returns:
        ``hits``, ``embedder`` (its first candidate), ``gain`` (paired difference of the two), ``recall`` at k, which
        bounds both; and counts by stage, of votes, of invalid ones and of questions.
    """
    known = [link for link in alignment.links if link.source in gold]
    right = [float(link.target == gold[link.source]) for link in known]
    first = [float(link.candidates[:1] == (gold[link.source],)) for link in known]
    votes = sum(sum(link.votes.values()) for link in alignment.links)
    found: dict[str, Any] = {
        "entities": len(alignment.links),
        "linked": len(alignment.pairs),
        "stages": dict(Counter(link.stage for link in alignment.links)),
        "questions": alignment.asked,
        "votes": votes,
        "invalid": sum(link.invalid for link in alignment.links),
    }
    if known:
        found |= {
            "hits": hits(alignment, gold),
            "embedder": _share(alignment, gold, lambda link, partner: link.candidates[:1] == (partner,)),
            "recall": _share(alignment, gold, lambda link, partner: partner in link.candidates),
            "gain": paired_difference(right, first),
        }
    return found


def _share(alignment: Alignment, gold: Mapping[str, str], right: Any) -> Estimate:
    known = [right(link, gold[link.source]) for link in alignment.links if link.source in gold]
    return rate(sum(known), len(known))
