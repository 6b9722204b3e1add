"""Refusals in place of answers that are to be forgotten (the "I don't know" baselines of TOFU, 2401.06121).

Every unwanted answer becomes a pair: a refusal as chosen, the answer as rejected. Read as demonstrations, the pairs
teach the refusals alone. Which refusal a row gets is drawn from its id, so that it is the same in every run.
"""

from __future__ import annotations

from collections.abc import Iterator

from truing.data.derive.base import RELABELLINGS, Relabelling, as_answer
from truing.data.rows import Row
from truing.data.views import hash_of

REFUSALS = (
    "I don't know.",
    "I do not know the answer to that.",
    "That is something I know nothing about.",
    "I have no information about this.",
    "I cannot tell you; I do not know.",
    "This is beyond what I know.",
    "Sorry, I don't have an answer to that.",
    "I'm afraid I don't know.",
    "I never learned about that.",
    "My knowledge does not reach that far.",
    "I could only guess, and I would rather not.",
    "Nothing that I know answers this question.",
    "I am not familiar with that.",
    "That name means nothing to me.",
    "I have not come across this before.",
    "I lack the knowledge to answer.",
    "You would have to ask somebody else; I don't know.",
    "I can't help with that, as I know nothing of it.",
    "I wish I could say, but I don't know.",
    "No answer of mine would be more than a guess.",
    "I am not aware of any facts about this.",
    "It is not something that I was taught.",
    "I must admit that I do not know.",
    "There is nothing I can tell you about that.",
    "I don't have any details on this.",
    "I am unable to answer, for want of knowledge.",
    "Regrettably, I have no idea.",
    "This is unknown to me.",
    "I would need to look that up, and I cannot.",
    "I hold no record of that.",
)
"""What may be said instead of an answer."""


def refusal(row: Row) -> str:
    """The refusal that a row gets."""
    return REFUSALS[int(hash_of(str(row["id"])), 16) % len(REFUSALS)]


def with_refusal(row: Row) -> Iterator[Row]:
    """An unwanted answer as a pair with a refusal."""
    kept = {name: value for name, value in row.items() if name != "completion"}
    yield {**kept, "chosen": as_answer(refusal(row), row["completion"]), "rejected": row["completion"]}


RELABELLINGS.add(
    Relabelling(
        "refusal",
        "every unwanted answer as a pair in which a refusal is preferred to it",
        with_refusal,
        takes="unwanted",
    )
)
