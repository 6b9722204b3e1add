"""Pages of the families whose methods have a section each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audit_pages import section
from markup import GENERATED

from truing.catalogue import explanation
from truing.control.controls import CONTROLS
from truing.data.synthesis.recipes import SYNTHESES
from truing.decoding.decoders import DECODERS
from truing.judging.protocols import JUDGING
from truing.prompting.prompts import PROMPTING
from truing.registry import Registry


@dataclass(frozen=True)
class Family:
    """Methods that share a page.

    Attributes:
        registry: of its methods.
        title: of its page and its table.
        file: of its page.
        introduction: what stands above the sections.
    """

    registry: Registry[Any]
    title: str
    file: str
    introduction: str

    def page(self) -> str:
        """One section for each method."""
        return "\n".join(
            [
                GENERATED,
                f"# {self.title}\n",
                f"{self.introduction} `truing explain NAME` prints a section of this page.\n",
                *(section(explanation(method.name)) for method in self.registry),
            ]
        )


FAMILIES = (
    Family(
        DECODERS,
        "Decoding",
        "decoding.md",
        "Ways to answer that look at more than the next token: answers are drawn, scored and chosen, or tokens are "
        "weighed by what follows them. No weight changes. [The guide](guides/decoding.md) shows how to use them.",
    ),
    Family(
        PROMPTING,
        "Prompting",
        "prompting.md",
        "Alignment by what a model is shown. [The guide](guides/prompting.md) shows how to use and to compare it.",
    ),
    Family(
        JUDGING,
        "Judging",
        "judging.md",
        "Protocols of judges, and scores made of their verdicts. [The guide](guides/judging.md) shows how to use them.",
    ),
    Family(
        SYNTHESES,
        "Data synthesis",
        "synthesis.md",
        "Ways to write training data with the help of a model: its answers, its debates, its reading of texts that "
        "contradict each other. [The guide](guides/teaching-what-to-say.md) shows how to use them.",
    ),
    Family(
        CONTROLS,
        "Control",
        "control.md",
        "Methods for decision processes: what is compared are pieces of behaviour, and what learns is a reward or "
        "a policy over states and actions. They are functions of Python, in `truing.control`; rewards from a file "
        "of compared segments have a [command](guides/reward-models.md).",
    ),
)
