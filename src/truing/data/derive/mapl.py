"""Preferences between prompts (MAPL, 2505.12845): the same answer suits one prompt better than another.

Checkable instructions are added to the prompt of a pair. *met* and *unmet* are the chosen answer under instructions
that it obeys and under as many of which it breaks at least one; *wide* and *narrow* are the pair under instructions
that only the chosen answer obeys and under as many that both obey. Every flag is computed on the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from truing.data.derive.base import PARTS, PartMaker, said, with_instruction
from truing.data.derive.constraints import Constraint, library, tokens
from truing.data.rows import Row
from truing.data.views import hash_of

MOST = 2
"""Instructions in one prompt."""


@dataclass(frozen=True)
class Chosen:
    """Instructions for the four prompts of one pair; equally many in the two of a kind."""

    met: tuple[Constraint, ...]
    unmet: tuple[Constraint, ...]
    wide: tuple[Constraint, ...]
    narrow: tuple[Constraint, ...]


def constraints(row: Row, seed: int) -> Chosen | None:
    """The instructions for a pair; the same row and seed give the same; none where no set can be found."""
    better, worse = said(row["chosen"]), said(row["rejected"])
    rng = np.random.default_rng(int(hash_of(f"{seed}/{row['id']}"), 16))
    pool = library(_words(better, worse, rng))
    order = [pool[i] for i in rng.permutation(len(pool))]
    obeyed = [one for one in order if one.holds(better)]
    broken = [one for one in order if not one.holds(better)]
    only = [one for one in obeyed if not one.holds(worse)]
    both = [one for one in obeyed if one.holds(worse)]
    size = min(MOST, len(_different(obeyed)))
    met = _different(obeyed)[:size]
    unmet = _different([*broken[:1], *obeyed])[:size]
    width = min(MOST, len(_different(only)), len(_different(both)))
    if not met or len(unmet) < len(met) or not broken or width == 0:
        return None
    return Chosen(tuple(met), tuple(unmet), tuple(_different(only)[:width]), tuple(_different(both)[:width]))


def _different(wanted: list[Constraint]) -> list[Constraint]:
    """The first constraint about each thing, so that no two contradict each other."""
    first: dict[str, Constraint] = {}
    for one in wanted:
        first.setdefault(one.about, one)
    return list(first.values())


def _words(better: str, worse: str, rng: np.random.Generator) -> list[str]:
    """Up to three longer words of each answer."""
    found: list[str] = []
    for text in (better, worse):
        long = sorted({word for word in tokens(text) if len(word) > 4})
        found += [long[i] for i in rng.permutation(len(long))[:3]]
    return sorted(set(found))


def _prompted(row: Row, wanted: tuple[Constraint, ...]) -> object:
    return with_instruction(row["prompt"], " ".join(one.text for one in wanted))


def _answer_under(name: str, row: Row, seed: int) -> Row | None:
    found = constraints(row, seed)
    if found is None:
        return None
    return {"prompt": _prompted(row, getattr(found, name)), "completion": row["chosen"]}


def _pair_under(name: str, row: Row, seed: int) -> Row | None:
    found = constraints(row, seed)
    if found is None:
        return None
    return {
        "prompt": _prompted(row, getattr(found, name)),
        "chosen": row["chosen"],
        "rejected": row["rejected"],
    }


PARTS.add(
    PartMaker(
        "met",
        "the chosen answer under instructions that it obeys",
        "demonstrations",
        partial(_answer_under, "met"),
    )
)
PARTS.add(
    PartMaker(
        "unmet",
        "the chosen answer under as many instructions, of which it breaks at least one",
        "demonstrations",
        partial(_answer_under, "unmet"),
    )
)
PARTS.add(
    PartMaker(
        "wide",
        "the pair under instructions that only the chosen answer obeys",
        "pairs",
        partial(_pair_under, "wide"),
    )
)
PARTS.add(
    PartMaker(
        "narrow", "the pair under as many instructions that both obey", "pairs", partial(_pair_under, "narrow")
    )
)
