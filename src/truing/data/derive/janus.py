"""Janus (2405.17977) as a relabelling: every answer under three system messages that ask for other values of form."""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.derive.base import said
from truing.data.derive.method import DataMethod, data_method
from truing.data.rows import Row
from truing.data.values.contrast import Plan, contrast
from truing.data.values.taxonomy import by_rules
from truing.registry import Paper

_PLAN = Plan(by_rules())


def janus(row: Row) -> Iterator[Row]:
    """Pairs across three system messages, from the row's own answer; combinations that are held out do not occur."""
    plain = {"id": str(row["id"]), "prompt": said(row["prompt"]), "completion": said(row["completion"])}
    for made in contrast(_PLAN, [plain]):
        made.pop("values")
        yield made if not isinstance(row["prompt"], str) else _flat(made)


def _flat(row: Row) -> Row:
    """A conversation as plain text, the system message in front."""
    told = "\n\n".join(message["content"] for message in row["prompt"])
    return {**row, "prompt": told, "chosen": said(row["chosen"]), "rejected": said(row["rejected"])}


data_method(
    DataMethod(
        name="janus-system-messages",
        summary="every answer under three system messages; what obeys one of them is rejected under the others",
        rows=janus,
        takes="demonstrations",
        slug="janus-system-messages",
        paper=Paper("Aligning to Thousands of Preferences via System Message Generalization", 2024, "2405.17977"),
        formula="(x, y) → (s_a + x, y_a, y_b) for a ≠ b of three messages; a tenth also (x, y, y_a)",
        legend=(
            "s_a: a system message that asks for one value of every dimension, in an order that is drawn",
            "y_a: the answer that obeys it; by rules from y here, by a model in `truing data values`",
        ),
        use_when="One model is to serve people who want different things, and they can be put into words.",
        avoid_when="All want the same: then a message is words for nothing. Diversity of combinations counts, not the "
        "number of rows. Values of form are all that rules can give; for others let a model answer.",
        cost="six pairs of a row; with a model, three answers of a row",
        aliases=("janus", "multifaceted"),
    )
)
