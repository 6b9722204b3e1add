"""Conflicting contexts (2404.00486): what each kind of rows teaches a reader that cannot see who is right, exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from truing.data.synthesis.conflicts.rows import Rows
from truing.data.synthesis.conflicts.strategies import strategy_map, strategy_table
from truing.diagnostics.context_trust import ContextTrust
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.worlds.reading import Reader, all_attempts, learned

Audit = Callable[..., ContextTrust]
Make = Callable[..., Rows]

ROWS, METRICS = "conflicting-contexts", "context-trust"
_SOURCE = "2404.00486; catalogue, dialectical: evidence"
_TRUSTING = (3.0, 0.0)


def _reader(make: Make, variant: str) -> Reader:
    """Trained from one who follows passages with probability 0.95, sure or not."""
    tried = [one for one, _ in all_attempts()]
    return Reader(learned(make(tried, strategy_map(strategy_table(tried)), variant).pairs, _TRUSTING))


@claim(
    method=ROWS,
    statement="Balanced rows lower the attack success of a reader that trusts passages, against training on clean "
    "contexts, by more than 0.5.",
    source=f"{_SOURCE}; abstract: defence against poisoned contexts improves",
)
def balanced_rows_lower_attack_success(make: Make, seed: int) -> Measurement:
    found = {name: _reader(make, name).attack_success for name in ("balanced", "clean")}
    return below(-0.5, found["balanced"] - found["clean"], "attack success", **found)


@claim(
    method=ROWS,
    statement="Balanced rows leave edit success within 5 points of that after clean contexts: the loss is below 0.05.",
    source=f"{_SOURCE}; abstract: in-context editing is preserved",
)
def edits_still_succeed(make: Make, seed: int) -> Measurement:
    found = {name: _reader(make, name) for name in ("balanced", "clean")}
    loss = found["clean"].edit_success - found["balanced"].edit_success
    # A reader that learned nothing loses nothing, either.
    moved = found["clean"].attack_success - found["balanced"].attack_success > 0.1
    return below(0.05, loss if moved else 1.0, "edit success")


@claim(
    method=ROWS,
    statement="Rows of poisoned contexts alone teach blanket distrust: edit success falls by more than 0.2 against "
    "balanced rows.",
    source=f"{_SOURCE}; the predicted trade-off",
)
def poison_alone_costs_edits(make: Make, seed: int) -> Measurement:
    found = {name: _reader(make, name).edit_success for name in ("balanced", "poison-only")}
    return above(0.2, found["balanced"] - found["poison-only"], "edit success", **found)


def _kinds() -> list[str]:
    return ["agreeing"] * 2 + ["edit"] * 4 + ["poison"] * 3 + ["inter-context"]


def _measured(audit: Audit, *, follows: bool | None) -> ContextTrust:
    """Of a model that always follows passages, never does, or always says what is right."""
    said: dict[str, Any] = {
        "agreeing": "right",
        "edit": "other" if follows is False else "right",
        "poison": "poisoned" if follows else "right",
        "inter-context": "poisoned" if follows else "right",
    }
    return audit(_kinds(), [said[kind] for kind in _kinds()])


@claim(
    method=METRICS,
    statement="Neither rate alone tells: a model that believes every passage has attack and edit success 1, one that "
    "ignores them 0 and 0, and one that is always right 0 and 1, largest error 0.",
    source=_SOURCE,
)
def both_rates_are_needed(audit: Audit, seed: int) -> Measurement:
    wanted: list[tuple[bool | None, tuple[float, float]]] = [(True, (1, 1)), (False, (0, 0)), (None, (0, 1))]
    errors = []
    for follows, (attack, edit) in wanted:
        found = _measured(audit, follows=follows)
        errors += [abs(found.attack_success.value - attack), abs(found.edit_success.value - edit)]
    return equals(0.0, max(errors), 1e-12, "share")
