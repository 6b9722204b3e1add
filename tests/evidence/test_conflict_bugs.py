"""Every claim about conflicting contexts fails on a bug that is planted for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.evidence.bugs import Bug, claims_of, must_fail, planted
from truing.data.synthesis.recipes import conflict_rows
from truing.diagnostics.audits import context_trust

ROWS, METRICS = "conflicting-contexts", "context-trust"


def always_clean(tried: Any, best: Any, variant: str) -> Any:
    return conflict_rows(tried, best, "clean")


def always_poison(tried: Any, best: Any, variant: str) -> Any:
    return conflict_rows(tried, best, "poison-only")


def always_balanced(tried: Any, best: Any, variant: str) -> Any:
    return conflict_rows(tried, best, "balanced")


def exchanged(tried: Any, best: Any, variant: str) -> Any:
    """Mistakes are chosen."""
    found = conflict_rows(tried, best, variant)
    pairs = [{**row, "chosen": row["rejected"], "rejected": row["chosen"]} for row in found.pairs]
    return replace(found, pairs=pairs)


def no_edits(tried: Any, best: Any, variant: str) -> Any:
    """The balanced variant forgets examples of true updates."""
    return conflict_rows(tried, best, {"balanced": "poison-only"}.get(variant, variant))


def edits_among_all(kinds: Any, taken: Any) -> Any:
    found = context_trust(["edit"] * len(kinds), taken)
    return replace(context_trust(kinds, taken), edit_success=found.edit_success)


def any_mistake(kinds: Any, taken: Any) -> Any:
    """Attack success as all that is not right."""
    return context_trust(kinds, ["right" if one == "right" else "poisoned" for one in taken][::-1])


BUGS: dict[str, list[Bug]] = {
    "conflicting-contexts/balanced-rows-lower-attack-success": [always_clean, exchanged],
    "conflicting-contexts/edits-still-succeed": [no_edits, always_clean],
    "conflicting-contexts/poison-alone-costs-edits": [no_edits, always_balanced, always_poison],
    "context-trust/both-rates-are-needed": [edits_among_all, any_mistake],
}


def test_every_claim_has_a_planted_bug() -> None:
    assert claims_of(ROWS, METRICS) == set(BUGS)


@planted(BUGS)
def test_claim_fails_on_the_bug(name: str, bug: Bug) -> None:
    must_fail(name, bug)
