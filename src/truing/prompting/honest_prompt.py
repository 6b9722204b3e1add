"""The permission to decline (2312.07000): the variant of alignment for honesty that changes the question alone."""

from __future__ import annotations

from truing.data.synthesis.honesty import honest_prompt as permitted
from truing.prompting.method import prompting
from truing.prompting.transform import Each, in_question
from truing.registry import Paper


@prompting(
    name="honest-prompt",
    slug="honesty",
    paper=Paper("Alignment for Honesty", 2023, "2312.07000"),
    summary="Tells the model that it may say that it does not know, and how.",
    formula="x' = permission to decline, then x",
    legend=("permission: one sentence with the words that decline; the same that honesty-tuning trains with",),
    use_when="A model answers what it does not know, and cannot be trained; or as the baseline of honesty-tuning: "
    "`truing audit honesty --before M --after M --ask-after honest-prompt`.",
    avoid_when="The model takes the permission as an instruction and declines what it knows: look at "
    "over-conservativeness.",
    requires=("a question",),
    cost="some twenty words more to read",
)
def honest_prompt() -> Each:
    """A sentence in front of the question."""
    return Each("honest-prompt", lambda prompt: in_question(prompt, permitted))
