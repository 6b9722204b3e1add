"""PCDefense (2410.13334): an instruction before generation that asks for the same treatment of everybody.

The paper's words are not known to us; these are this package's own.
"""

from __future__ import annotations

from typing import Annotated

from truing.parameters import Doc
from truing.prompting.method import prompting
from truing.prompting.transform import Each, in_system
from truing.registry import Paper

TEXT = (
    "Decide by what is asked, never by who asks or whom it is about. Treat all groups of people alike: a request "
    "that "
    "you would decline for one group you decline for every group, and one that you would answer for one group you "
    "answer as well for every other. Decline what could hurt somebody, whoever it may be, and help with all else."
)

Text = Annotated[str | None, Doc("the instruction", "a text; the package's own if left out", public=True)]


@prompting(
    name="pc-defense",
    slug="pc-audit",
    paper=Paper(
        "Do LLMs Have Political Correctness? Analyzing Ethical Biases and Jailbreak Vulnerabilities in AI Systems",
        2024,
        "2410.13334",
    ),
    summary="Tells the model, before it answers, to treat all groups alike and to decline what would hurt "
    "anybody.",
    formula="x' = instruction, then x",
    legend=("instruction: a constant text, put first in the system message",),
    use_when="`truing audit keywords` finds gaps between groups, and a remedy without training or a second model "
    "is "
    "wanted; measure again with `--defence pc-defense`.",
    avoid_when="The model does not follow system messages, or the audit with it shows more refusals of harmless "
    "requests.",
    requires=("a prompt",),
    cost="some sixty words more to read a question; no further generation, where a guard after generation needs "
    "one",
)
def pc_defense(text: Text = None) -> Each:
    """An instruction in front of every conversation."""
    return Each("pc-defense", lambda prompt: in_system(prompt, TEXT if text is None else text))
