"""What an audit of a judge will ask, of pairs or of multiple-choice questions, before anybody is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from truing.audit.judges.bias_run import EXAMPLES, JudgeAudit, Progress, audit_judge, decided, questions
from truing.audit.judges.choice_run import audit_choices, choice_questions, option_judge
from truing.audit.judges.injections import Injection
from truing.audit.judges.mitigations import mitigations_named
from truing.data.readers import read_rows
from truing.errors import DataError
from truing.judging.bench import Bench
from truing.judging.choices import Options, holds_options, options_of
from truing.judging.comparer import Comparer
from truing.judging.comparers.text import TextVerdicts
from truing.judging.items import read_items
from truing.judging.presentation import Pair


class Job(Protocol):
    """What will be asked."""

    @property
    def plan(self) -> dict[str, int]:
        """How much, by name."""

    def run(self, bench: Bench, progress: Progress | None = None) -> JudgeAudit:
        """Ask."""


@dataclass(frozen=True)
class Settings:
    """How a judge is audited.

    Args:
        cues: by name.
        targets: what cues speak for: ``wrong``, ``right``.
        mitigations: names.
        again: whether everything without cues is asked twice.
        sample: so many pairs or questions, drawn at random.
        seed: of the draw, and of replies.
    """

    cues: Mapping[str, Injection]
    targets: Sequence[str] = ("wrong",)
    mitigations: Sequence[str] = ()
    again: bool = False
    sample: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class PairJob:
    """See :class:`Job`; pairs, and those kept for in-context examples."""

    pairs: Sequence[Pair]
    examples: Sequence[Pair]
    settings: Settings

    @property
    def plan(self) -> dict[str, int]:
        own = self.settings
        helpers = len(mitigations_named(own.mitigations))
        count = questions(len(self.pairs), len(own.cues), len(own.targets), helpers, repeated=own.again)
        return {"pairs": len(self.pairs), "questions": count}

    def run(self, bench: Bench, progress: Progress | None = None) -> JudgeAudit:
        own = self.settings
        return audit_judge(
            bench.comparer,
            self.pairs,
            injections=own.cues,
            targets=own.targets,
            again=_once_more(bench, own.seed) if own.again else None,
            chat=bench.chats[0] if bench.chats else None,
            wording=bench.wording,
            mitigations=own.mitigations,
            examples=self.examples,
            progress=progress,
        )


@dataclass(frozen=True)
class ChoiceJob:
    """See :class:`Job`; multiple-choice questions."""

    items: Sequence[Options]
    settings: Settings

    @property
    def plan(self) -> dict[str, int]:
        own = self.settings
        count = choice_questions(len(self.items), len(own.cues), repeated=own.again)
        return {"questions with options": len(self.items), "questions": count}

    def run(self, bench: Bench, progress: Progress | None = None) -> JudgeAudit:
        own = self.settings
        return audit_choices(
            option_judge(bench),
            self.items,
            injections=own.cues,
            again=option_judge(bench, own.seed + 1) if own.again else None,
            seed=own.seed,
            progress=progress,
        )


def job_of(paths: Sequence[Path], settings: Settings) -> Job:
    """Read what is to be judged.

    Args:
        paths: labelled pairs, or multiple-choice questions.
        settings: of the audit.

    Raises:
        DataError: if files of both kinds are mixed, mitigations or right targets are wanted for questions with options,
            or nothing is left to be judged.
    """
    kinds = {holds_options(path) for path in paths}
    if kinds == {False}:
        return _pairs(paths, settings)
    if len(kinds) > 1 or settings.mitigations or tuple(settings.targets) != ("wrong",):
        raise DataError(
            "multiple-choice questions go without pairs, --mitigate and --both-targets",
            where="--data",
            fix="audit them by themselves: the cue stands beside a wrong option",
        )
    rows = [(f"{path}:{number}", row) for path in paths for number, row in read_rows(path)]
    known = [one for where, row in rows if (one := options_of(row, where)).answer is not None]
    order = np.random.default_rng(settings.seed).permutation(len(known))[: settings.sample]
    return ChoiceJob([known[place] for place in sorted(order)], settings)


def _pairs(paths: Sequence[Path], settings: Settings) -> PairJob:
    pairs = decided(read_items(paths))
    order = np.random.default_rng(settings.seed).permutation(len(pairs))
    held = [pairs[place] for place in order[:EXAMPLES]] if "examples" in settings.mitigations else []
    chosen = [pairs[place] for place in sorted(order[len(held) :][: settings.sample])]
    if not chosen:
        raise DataError(
            f"{len(pairs)} pairs leave none besides the {EXAMPLES} examples", where="--data", fix="give more pairs"
        )
    return PairJob(chosen, held, settings)


def _once_more(bench: Bench, seed: int) -> Comparer:
    """The same judge with another seed; one that gives the odds of letters says the same."""
    return TextVerdicts(bench.chats[0].seeded(seed + 1), bench.wording) if bench.chats else bench.comparer
