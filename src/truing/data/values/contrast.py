"""Pairs across system messages (Janus, 2405.17977): what suits one message is rejected under another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from truing.data.rows import Row
from truing.data.values.taxonomy import Combination, Taxonomy
from truing.errors import DataError

Answer = Callable[[Sequence[tuple[str, str]]], list[str | None]]
"""From system messages and instructions to answers; ``None`` where there is none."""
DEFAULTS = ("", "You are a helpful assistant.")
"""Messages that ask for nothing in particular."""
# A run of so many words that message and answer share is a quotation.
_QUOTED = 5


@dataclass(frozen=True)
class Plan:
    """How rows are made.

    Attributes:
        taxonomy: of values.
        sets: combinations for each instruction; under each the answers of the others are rejected.
        default_share: share of instructions that also get a default message, with the plain answer.
        held_out: share of combinations that are kept for evaluation; no training row has one.
        most: combinations that may be used in all; ``None`` for all there are.
        seed: of everything that is drawn.

    Raises:
        DataError: if a number is out of bounds.
    """

    taxonomy: Taxonomy
    sets: int = 3
    default_share: float = 0.1
    held_out: float = 0.2
    most: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.sets < 2:
            raise DataError(
                f"{self.sets} combinations an instruction leave nothing to reject", allowed="2 or more"
            )
        for name, share in (("default_share", self.default_share), ("held_out", self.held_out)):
            if not 0 <= share < 1:
                raise DataError(f"{name} is {share:g}", allowed="0 <= share < 1")

    def split(self) -> tuple[list[Combination], list[Combination]]:
        """Combinations to train on, and those to evaluate on, which have no combination in common.

        Every value of the second occurs in the first: what is unseen is how they come together.

        Raises:
            DataError: if too few are left.
        """
        rng = np.random.default_rng((self.seed, 11))
        every = self.taxonomy.combinations(self.most or min(self.taxonomy.size, 4096), rng)
        order = [every[i] for i in rng.permutation(len(every))]
        cut = round(len(order) * (1 - self.held_out))
        train, unseen = order[:cut], order[cut:]
        if len(train) < self.sets:
            raise DataError(
                f"{len(train)} combinations are left to train on, and every instruction takes {self.sets}",
                fix="hold out fewer, allow more, or lower sets",
            )
        known = {name for one in train for name in one}
        return train, [one for one in unseen if known.issuperset(one)]


def message(taxonomy: Taxonomy, combination: Combination, rng: np.random.Generator) -> str:
    """A system message that asks for every value, in an order that is drawn, so that none is known by its place."""
    says = [taxonomy.values[name].says for name in combination]
    return " ".join(says[i] for i in rng.permutation(len(says)))


def without_leak(answer: str, system: str) -> str:
    """The answer without sentences that quote the system message, five words in a row or more."""
    words = re.findall(r"\w+", system.lower())
    quoted = {tuple(words[i : i + _QUOTED]) for i in range(len(words) - _QUOTED + 1)}
    if not quoted:
        return answer
    kept = []
    for part in re.split(r"((?<=[.!?])\s+)", answer):
        own = re.findall(r"\w+", part.lower())
        if not any(tuple(own[i : i + _QUOTED]) in quoted for i in range(len(own) - _QUOTED + 1)):
            kept.append(part)
    return "".join(kept).strip()


def contrast(
    plan: Plan, rows: Sequence[Row], answer: Answer | None = None, *, unseen: bool = False
) -> Iterator[Row]:
    """Pairs, for each instruction under each of its messages one for every other message.

    Args:
        plan: how.
        rows: with an ``id``, a ``prompt`` as text, and a ``completion``, the plain answer.
        answer: answers under messages; by the rules of the taxonomy, from the plain answer, if left out.
        unseen: from the combinations that are held out, for evaluation.

    Returns:
        Pairs whose prompt is a conversation of system message and instruction, with ``values``, what the message asks
        for. Those that are equal after leaks are stripped are left out.

    Raises:
        DataError: if there are fewer combinations than sets, or no rule gives a value.
    """
    pool = plan.split()[1 if unseen else 0]
    if len(pool) < plan.sets:
        raise DataError(
            f"{len(pool)} combinations are held out, and every instruction takes {plan.sets}", fix="raise held_out"
        )
    drawn = []
    for row in rows:
        rng = np.random.default_rng((plan.seed, *row["id"].encode()))
        chosen = [pool[i] for i in rng.choice(len(pool), plan.sets, replace=False)]
        drawn.append((row, [(one, message(plan.taxonomy, one, rng)) for one in chosen], rng.random()))
    asked = [(system, str(row["prompt"])) for row, own, _ in drawn for _, system in own]
    if answer is None:
        plain = [plan.taxonomy.applied(row["completion"], one) for row, own, _ in drawn for one, _ in own]
        answers: Iterator[str | None] = iter(plain)
    else:
        answers = iter(answer(asked))
    for row, own, chance in drawn:
        told = [(one, system, next(answers)) for one, system in own]
        clean = [(one, system, without_leak(text, system)) for one, system, text in told if text]
        yield from _pairs(row, clean)
        if not unseen and chance < plan.default_share and clean:
            yield from _default(row, clean[0][2], chance < plan.default_share / 2)


def _pairs(row: Row, told: Sequence[tuple[Combination, str, str]]) -> Iterator[Row]:
    for number, (one, system, text) in enumerate(told):
        for other, (_, _, rejected) in enumerate(told):
            if other != number and text and rejected and text != rejected:
                yield _row(f"{row['id']}/{number}-{other}", system, row, text, rejected, one)


def _default(row: Row, other: str, empty: bool) -> Iterator[Row]:
    """The plain answer under a message that asks for nothing, against one that was made for another message."""
    if other and other != row["completion"]:
        system = DEFAULTS[0 if empty else 1]
        yield _row(f"{row['id']}/default", system, row, row["completion"], other, ())


def _row(name: str, system: str, row: Row, chosen: str, rejected: str, values: Combination) -> Row:
    told = [{"role": "system", "content": system}] if system else []
    return {
        "id": name,
        "prompt": [*told, {"role": "user", "content": str(row["prompt"])}],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
        "values": list(values),
    }
