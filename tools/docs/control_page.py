"""The page of methods of control."""

from __future__ import annotations

from audit_pages import section
from markup import GENERATED

from truing.catalogue import explanation
from truing.control.controls import CONTROLS


def page() -> str:
    """One section for each method."""
    return "\n".join(
        [
            GENERATED,
            "# Control\n",
            "Methods for decision processes: what is compared are pieces of behaviour, and what learns is a reward or "
            "a policy over states and actions. They are functions of Python, in `truing.control`; rewards from a file "
            "of compared segments have a [command](guides/reward-models.md). `truing explain NAME` prints a section "
            "of this page.\n",
            *(section(explanation(method.name)) for method in CONTROLS),
        ]
    )
