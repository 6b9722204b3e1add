"""Scorers by name, for judging samples of a run. None of them is ever trained on by a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from truing.registry import Registry
from truing.rewards.linear_text import LinearTextScorer


@dataclass(frozen=True)
class ScorerEntry:
    """A scorer that ships with the package.

    Attributes:
        name: as in ``evaluation.judge``.
        measures: what a larger score means.
        trained_on: where its labels come from.
    """

    name: str
    measures: str
    trained_on: str
    aliases: tuple[str, ...] = ()


SCORERS: Registry[ScorerEntry] = Registry("judge")
SCORERS.add(
    ScorerEntry("sentiment", "more positive sentiment", "star ratings of IMDB reviews and labels of SST-2 phrases")
)
SCORERS.add(
    ScorerEntry(
        "harmlessness",
        "more like the answers that people chose as less harmful",
        "human choices in HH-RLHF (harmless), on prompts that the packaged sample does not contain",
    )
)


@cache
def load_scorer(name: str) -> LinearTextScorer:
    """The scorer of that name.

    Raises:
        TruingError: if there is none.
    """
    from truing.assets import folder

    entry = SCORERS.get(name, where="evaluation.judge")
    return LinearTextScorer.load(folder() / "scorers" / f"{entry.name}.safetensors")
