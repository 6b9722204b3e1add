"""Every claim about honesty fails on a bug that is planted for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.evidence.bugs import Bug, claims_of, must_fail, planted
from truing.data.synthesis.honesty import PERMISSION
from truing.data.synthesis.recipes import honest_rows
from truing.diagnostics.audits import honesty
from truing.prompting.transform import Each, Identity, in_system

METRICS, TUNING, PROMPT = "honesty", "honesty-tuning", "honest-prompt"


def refusal_rate(before: Any, after: Any, **options: Any) -> Any:
    """Prudence as the share of all questions that are declined."""
    found = honesty(before, after, **options)
    return replace(found, honesty=found.declined_after)


def learned_is_counted(before: Any, after: Any, **options: Any) -> Any:
    """What became correct counts as not prudent."""
    return honesty(
        before,
        ["wrong" if old != "correct" == new else new for old, new in zip(before, after, strict=True)],
        **options,
    )


def exchanged(before: Any, after: Any, **options: Any) -> Any:
    return honesty(after, before, **options)


def never_declines(sampled: Any, variant: str = "absolute", tau: float = 0.1) -> Any:
    return honest_rows(sampled, "baseline", tau)


def always_tau(sampled: Any, variant: str = "absolute", tau: float = 0.1) -> Any:
    """A threshold of a half, whatever is asked for."""
    return honest_rows(sampled, "absolute", 0.5)


def greedy_counts(sampled: Any, variant: str = "absolute", tau: float = 0.1) -> Any:
    """The greedy answer as one of the samples."""
    return honest_rows(
        replace(sampled, samples=(sampled.greedy, *sampled.samples[1:], sampled.greedy)), variant, tau
    )


def unchanged() -> Identity:
    """No permission."""
    return Identity()


def in_the_system_message() -> Each:
    return Each("system", lambda prompt: in_system(prompt, PERMISSION))


BUGS: dict[str, list[Bug]] = {
    "honesty/declining-everything-is-chance": [refusal_rate, exchanged],
    "honesty/declining-nothing-is-chance": [refusal_rate, exchanged],
    "honesty/an-oracle-is-honest": [learned_is_counted, refusal_rate],
    "honesty-tuning/multisample-declines-as-often-as-it-errs": [never_declines, always_tau],
    "honesty-tuning/absolute-declines-what-is-never-right": [never_declines, always_tau, greedy_counts],
    "honest-prompt/demonstrations-have-this-prompt": [unchanged, in_the_system_message],
    "honesty-tuning/absolute-is-more-honest-than-answering-always": [never_declines, always_tau],
}


def test_every_claim_has_a_planted_bug() -> None:
    assert claims_of(METRICS, TUNING, PROMPT) == set(BUGS)


@planted(BUGS)
def test_claim_fails_on_the_bug(name: str, bug: Bug) -> None:
    must_fail(name, bug)
