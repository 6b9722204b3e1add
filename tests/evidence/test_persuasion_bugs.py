"""Every claim about persuasion fails on a bug that is planted for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.evidence.bugs import Bug, claims_of, must_fail, planted
from truing.data.synthesis.debate.pairs import Rules
from truing.data.synthesis.recipes import persuasion_rows
from truing.diagnostics.audits import persuasion

PAIRS, METRICS = "persuasion-pairs", "persuasion"


def exchanged(tree: Any, question: Any, variant: str = "balanced", rules: Any = None) -> Any:
    """The worse turn is chosen."""
    rows = persuasion_rows(tree, question, variant, rules)
    return [{**row, "chosen": row["rejected"], "rejected": row["chosen"]} for row in rows]


def all_tags(tree: Any, question: Any, variant: str = "balanced", rules: Any = None) -> Any:
    """Variants are ignored."""
    return persuasion_rows(tree, question, "balanced", rules)


def tags_exchanged(tree: Any, question: Any, variant: str = "balanced", rules: Any = None) -> Any:
    other = {"resist-only": "accept-only", "accept-only": "resist-only"}
    return persuasion_rows(tree, question, other.get(variant, variant), rules)


def means(tree: Any, question: Any, variant: str = "balanced", rules: Any = None) -> Any:
    return persuasion_rows(tree, question, variant, Rules(mean=True, gap=0.2))


def acceptance_only(tree: Any, question: Any, variant: str = "balanced", rules: Any = None) -> Any:
    """The whole is one tag."""
    return persuasion_rows(tree, question, "accept-only", rules)


def one_side(before: Any, partner: Any, after: Any) -> Any:
    """Balance as acceptance alone."""
    found = persuasion(before, partner, after)
    return replace(found, balance=found.acceptance.value)


def all_that_end_wrong(before: Any, partner: Any, after: Any) -> Any:
    """Misinformation among all questions."""
    found = persuasion([True] * len(before), [False] * len(before), after)
    return replace(persuasion(before, partner, after), misinformation=found.misinformation, balance=1 - sum(after))


BUGS: dict[str, list[Bug]] = {
    "persuasion-pairs/resisting-alone-makes-stubborn": [exchanged, all_tags, tags_exchanged],
    "persuasion-pairs/accepting-alone-makes-servile": [exchanged, all_tags, tags_exchanged],
    "persuasion-pairs/balanced-pairs-do-best": [all_tags, acceptance_only],
    "persuasion-pairs/order-matters-less": [exchanged, acceptance_only],
    "persuasion-pairs/values-are-sums": [means],
    "persuasion/stubborn-and-servile-are-chance": [one_side, all_that_end_wrong],
    "persuasion/an-oracle-is-balanced": [all_that_end_wrong],
}


def test_every_claim_has_a_planted_bug() -> None:
    assert claims_of(PAIRS, METRICS) == set(BUGS)


@planted(BUGS)
def test_claim_fails_on_the_bug(name: str, bug: Bug) -> None:
    must_fail(name, bug)
