"""URIAL (2312.01552): a base model answers like an assistant, because its context begins as an assistant's record.

The words of the preface and of the examples are this package's own; the paper's are not copied. What is the paper's is
the form: one preface, a constant number of constant examples in a consistent style, fenced queries and answers, and an
answer that ends where the fence closes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from truing.parameters import Doc
from truing.prompting.method import prompting
from truing.prompting.transform import Shown
from truing.prompting.urial_examples import EXAMPLES, PREFACE
from truing.registry import Paper
from truing.rewards.algebra import Prompt

Examples = Annotated[
    Literal[1, 3, 8],
    Doc("examples in front of the question", "1, 3 or 8: about 290, 640 and 1,250 words with the preface"),
]
Preface = Annotated[
    str | None, Doc("what stands above the examples", "a text; the package's own if left out", public=True)
]


@dataclass(frozen=True)
class Urial:
    """A constant prefix of examples, and the question as the next of them.

    Args:
        examples: queries with answers.
        preface: what stands above them.
    """

    examples: tuple[tuple[str, str], ...]
    preface: str

    @property
    def name(self) -> str:
        return f"urial, K = {len(self.examples)}"

    def __call__(self, shown: Sequence[Shown]) -> list[Shown]:
        return [self._one(one) for one in shown]

    def _one(self, shown: Shown) -> Shown:
        system, turns = dialogue(shown.prompt)
        head = "\n\n".join(part for part in (self.preface, system) if part)
        # A fence inside of a text would end its block: the outer one is longer, as in Markdown.
        told = "".join([head, *(text for turn in (*self.examples, *turns) for text in turn)])
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`{3,}", told)), default=0))
        blocks = [f"# Instruction\n\n{head}"]
        for query, answer in (*self.examples, *turns[:-1]):
            blocks.append(f"# Query:\n{fence}\n{query}\n{fence}\n\n# Answer:\n{fence}\n{answer}\n{fence}")
        blocks.append(f"# Query:\n{fence}\n{turns[-1][0]}\n{fence}\n\n# Answer:\n{fence}\n")
        return shown.showing("\n\n".join(blocks), stop=(*shown.stop, f"\n{fence}", "\n# Query"), verbatim=True)


def dialogue(prompt: Prompt) -> tuple[str, list[tuple[str, str]]]:
    """System messages, and the turns of a prompt: what was asked with what was answered, nothing to the last."""
    if isinstance(prompt, str):
        return "", [(prompt, "")]
    system = "\n\n".join(str(message["content"]) for message in prompt if message["role"] == "system")
    turns: list[tuple[str, str]] = []
    for message in prompt:
        if message["role"] == "user":
            turns.append((str(message["content"]), ""))
        elif message["role"] == "assistant" and turns:
            query, answer = turns[-1]
            turns[-1] = (query, f"{answer}\n\n{message['content']}" if answer else str(message["content"]))
    return system, turns or [("", "")]


@prompting(
    name="urial",
    slug="urial",
    paper=Paper(
        "The Unlocking Spell on Base LLMs: Rethinking Alignment via In-Context Learning", 2023, "2312.01552"
    ),
    summary="Puts a base model into the company of a few well-written answers, so that it goes on in their "
    "manner.",
    formula="x' = preface, (query_k, answer_k) for k = 1 … K, then x as the next query; stop at the closing fence",
    legend=(
        "preface: says that a helpful and honest assistant answers",
        "query_k, answer_k: constant examples; with K = 3 two inform and one explains why it declines",
        "x: the question; turns before it become queries and answers like the examples",
    ),
    use_when="A base model is to answer like an assistant without training, or as the baseline that training "
    "must beat. "
    "`truing audit token-shift` says how much there is to gain.",
    avoid_when="The model is tuned to chat already: the prefix then costs context and fights its template. A "
    "question "
    "of several turns, or one that is almost as long as the context.",
    requires=("a base model",),
    cost="K examples of about 170 words more to read; questions that are answered together read them once",
)
def urial(examples: Examples = 3, preface: Preface = None) -> Urial:
    """A preface and ``examples`` constant examples in front of the question.

    Answers are decoded greedily in the paper; what a model writes after the closing fence is cut.
    """
    return Urial(EXAMPLES[:examples], PREFACE if preface is None else preface)
