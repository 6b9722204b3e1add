"""Mistakes planted in the audit of on-policy samples and negative gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.evidence.audit_mutants import Audit
from truing.diagnostics.families import Family, ForwardKL, Offline, OnPolicy, PolicyGradient, ReverseKL
from truing.objectives import nll


def _with_family(change: Callable[[Family], Family]) -> Callable[[Audit], Audit]:
    def mutant(audit: Audit) -> Audit:
        def changed(reference: Any, reward: Any, beta: float, family: Family, **options: Any) -> Any:
            return audit(reference, reward, beta, change(family), **options)

        return changed

    return mutant


def divergences_exchanged(audit: Audit) -> Audit:
    """Forward KL where reverse KL is asked for, and the other way round."""
    others = {ForwardKL: ReverseKL(), ReverseKL: ForwardKL()}
    return _with_family(lambda family: others.get(type(family), family))(audit)


def always_maximum_likelihood(audit: Audit) -> Audit:
    """The two divergences are one."""
    return _with_family(lambda family: ForwardKL() if isinstance(family, ReverseKL) else family)(audit)


def stops_early(audit: Audit) -> Audit:
    """No run is longer than 100 steps."""

    def changed(*given: Any, steps: int, **options: Any) -> Any:
        return audit(*given, steps=min(steps, 100), **options)

    return changed


def larger_steps(audit: Audit) -> Audit:
    """Twice the learning rate: what a sum in place of a mean gives."""

    def changed(*given: Any, rate: float = 1.0, **options: Any) -> Any:
        return audit(*given, rate=2 * rate, **options)

    return changed


def fixed_beta(audit: Audit) -> Audit:
    """The target is that of beta 0.1, whatever is asked for."""
    return lambda reference, reward, beta, family, **options: audit(reference, reward, 0.1, family, **options)


def never_drawn_again(audit: Audit) -> Audit:
    """On-policy pairs are those of the start."""
    return _with_family(lambda family: Offline() if isinstance(family, OnPolicy) else family)(audit)


def always_drawn_again(audit: Audit) -> Audit:
    """Reuse has no effect on pairs."""
    return _with_family(lambda family: replace(family, reuse=1) if isinstance(family, OnPolicy) else family)(audit)


def no_negatives(audit: Audit) -> Audit:
    """Rejected answers are not pushed down."""

    def positive(family: Family) -> Family:
        return replace(family, loss=nll("sum")) if isinstance(family, Offline | OnPolicy) else family

    return _with_family(positive)(audit)


def pairs_of_the_start(audit: Audit) -> Audit:
    """Where pairs come from is ignored."""
    return _with_family(lambda family: replace(family, sampler=None) if isinstance(family, Offline) else family)(
        audit
    )


def clip_ignored(audit: Audit) -> Audit:
    return _with_family(
        lambda family: replace(family, clip=None) if isinstance(family, PolicyGradient) else family
    )(audit)


def nothing_shared(audit: Audit) -> Audit:
    """Features are ignored, so that every answer has a logit of its own."""

    def changed(*given: Any, features: Any = None, **options: Any) -> Any:
        return audit(*given, **options)

    return changed


def labels_exchanged(audit: Audit) -> Audit:
    """The lower reward is taken for the better; what is measured is the true one."""

    def changed(reference: Any, reward: Any, beta: float, family: Family, **options: Any) -> Any:
        if isinstance(family, Offline) and family.given is not None:
            family = replace(family, given=family.given[::-1])
        found = audit(reference, [-float(value) for value in reward], beta, family, **options)
        return replace(found, reward=-found.reward)

    return changed
