"""The registered methods as test cases. A new method is covered by registering it; nothing here changes."""

from __future__ import annotations

from typing import Any

import pytest

from truing.objectives import METHODS
from truing.objectives.algebra import DataKind, Objective

# Hyper-parameters where a default does not suit the checks. The paper's target of SPPO is 500 nats away, which
# makes every loss 250000 and hides everything else behind rounding. A teacher has no advantage over itself. A value
# that is held up while its gradient passes is no integral of it.
SETTINGS: dict[str, dict[str, Any]] = {
    "sppo-hard": {"beta": 0.05},
    "adpa": {"teacher_start": "before"},
    "nft": {"floor": 0.01},
    # Their targets are hundreds of nats away, too.
    "gpo": {"beta": 0.5},
    "mnpo": {"eta": 0.5},
    "inpo": {"eta": 0.5},
}

# Methods that give an outlier up by design: bounded losses (apo), a loss that commits to one side (exo), a weight
# that vanishes where the policy would never write the pair (wpo), labels that are taken for wrong (lcpo), and an
# implication that asks nothing of an improbable chosen answer (uncpo; the rejected one is as certain as it may be).
# A judge of its own answers reads no labels (scir), so that to it nothing is wrong.
SATURATING = frozenset({"apo-down", "apo-zero", "exo", "gpm", "lcpo", "scir", "uncpo", "wpo"})


def build(name: str) -> Objective:
    """The method as the suite runs it."""
    return METHODS.get(name).configure(SETTINGS.get(name, {}))


NAMES = [method.name for method in METHODS]
every_method = pytest.mark.parametrize("name", NAMES)

_KINDS: list[tuple[str, DataKind]] = [(name, kind) for name in NAMES for kind in sorted(build(name).data)]
every_layout = pytest.mark.parametrize(("name", "kind"), _KINDS)
uncoupled_layouts = pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, kind in _KINDS if not build(name).coupled]
)
