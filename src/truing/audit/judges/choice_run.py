"""Runs a judge over multiple-choice questions with and without cues beside one wrong option (2504.09946)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from truing.audit.judges.bias_effects import Biases, Effect, corrected, judge_bias_bench, paired_shift, stays
from truing.audit.judges.bias_run import JudgeAudit, Progress
from truing.audit.judges.choosing import OptionJudge, OptionLetters, OptionsInWords, ShownOptions
from truing.audit.judges.injections import INJECTIONS, Injection, Place, neutral_text, placed
from truing.errors import DataError
from truing.judging.bench import Bench
from truing.judging.choices import Options
from truing.judging.comparers.letters import LetterOdds
from truing.statistics import share

Change = Callable[[ShownOptions, int], ShownOptions]


@dataclass(frozen=True)
class _Asked:
    """One question with its target, a wrong option."""

    question: str
    options: tuple[str, ...]
    right: int
    target: int

    def orders(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The right option first, and last; the target is last where the right one is first, and else first."""
        others = [place for place in range(len(self.options)) if place not in (self.right, self.target)]
        return (self.right, *others, self.target), (self.target, *others, self.right)


def option_judge(bench: Bench, seed: int | None = None) -> OptionJudge:
    """The one judge of a bench, as one that chooses options; with another seed where it replies in words.

    Raises:
        RecipeError: if there are several.
    """
    judge = bench.comparer
    if isinstance(judge, LetterOdds):
        return OptionLetters(judge.policy, judge.name)
    return OptionsInWords(bench.chat if seed is None else bench.chat.seeded(seed))


def choice_questions(items: int, cues: int, *, repeated: bool) -> int:
    """How many questions :func:`audit_choices` asks."""
    return 2 * items * (1 + int(repeated) + 2 * cues)


def audit_choices(
    judge: OptionJudge,
    items: Sequence[Options],
    *,
    injections: Mapping[str, Injection] = INJECTIONS,
    again: OptionJudge | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> JudgeAudit:
    """Measure what moves a judge towards a wrong option.

    The target is one wrong option of each question, drawn once. The right option stands first in one order and last in
    the other; the target stands at the other end. A shift is the change of the share of verdicts for the target,
    which, with more than two options, need not be what the right option loses.

    Args:
        judge: chooses an option.
        items: questions; those without a right answer are left out.
        injections: cues.
        again: the same judge with another seed.
        seed: of the targets.
        progress: is told of tables done, and of all.

    Raises:
        TruingError: on anything the user can mend, and if the judge does not answer.
    """
    asked = _targets(items, seed)
    total, done = 1 + int(again is not None) + 2 * len(injections), 0

    def table(of: OptionJudge, change: Change) -> np.ndarray:
        nonlocal done
        found = _chosen(of, asked, change)
        done += 1
        if progress is not None:
            progress(done, total)
        return found

    base = table(judge, _as_it_is)
    repeated = None if again is None else table(again, _as_it_is)
    right, target = (np.array([[getattr(one, name)] * 2 for one in asked]) for name in ("right", "target"))

    def wins(chosen: np.ndarray, option: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(chosen), np.nan, (chosen == option).astype(float))

    places = judge_bias_bench(wins(base, right), {})
    effects = list(places.effects)
    for name, cue in injections.items():
        with_cue = table(judge, _with(cue.text, cue.place, judge.name))
        neutral = table(judge, _with(_neutral(cue), cue.control, judge.name))
        effects.append(_effect(name, base, with_cue, neutral, right, target, wins))
    same = places.consistent if repeated is None else stays(base, repeated)
    return JudgeAudit(judge.name, len(asked), Biases(tuple(corrected(effects)), same, places.unread))


def _effect(
    bias: str,
    base: np.ndarray,
    with_cue: np.ndarray,
    neutral: np.ndarray,
    right: np.ndarray,
    target: np.ndarray,
    wins: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Effect:
    """Shifts are of the target; accuracies of the right option; a verdict stays if it is the same option."""
    lost = {
        name: 1 - wins(chosen, target) for name, chosen in (("base", base), ("cue", with_cue), ("text", neutral))
    }
    key = (bias, "wrong")
    effect = judge_bias_bench(lost["base"], {key: lost["cue"]}, {key: lost["text"]}).effect(*key)
    before, after = wins(base, right), wins(with_cue, right)
    return replace(
        effect,
        acc_base=share(before.mean(1)),
        acc_injected=share(after.mean(1)),
        delta=paired_shift((after - before).mean(1))[0],
        robust=stays(base, with_cue),
    )


def _targets(items: Sequence[Options], seed: int) -> list[_Asked]:
    rng = np.random.default_rng(seed)
    found = []
    for one in items:
        if one.answer is not None:
            wrong = [place for place in range(len(one.options)) if place != one.answer]
            found.append(_Asked(one.question, one.options, one.answer, int(rng.choice(wrong))))
    if not found:
        raise DataError(
            "no question says which option is right", where="--data", allowed="rows with answer, from 0"
        )
    return found


def _chosen(judge: OptionJudge, asked: Sequence[_Asked], change: Change) -> np.ndarray:
    """Options as the file numbers them, ``[questions, 2]``, right one first and last; nan where none was named."""
    orders = [(one, order) for one in asked for order in one.orders()]
    shown = [
        change(ShownOptions(one.question, tuple(one.options[place] for place in order)), order.index(one.target))
        for one, order in orders
    ]
    said = judge(shown)
    found = [np.nan if place is None else order[place] for place, (_, order) in zip(said, orders, strict=True)]
    return np.array(found, dtype=np.float64).reshape(len(asked), 2)


def _as_it_is(shown: ShownOptions, target: int) -> ShownOptions:
    return shown


def _neutral(cue: Injection) -> Callable[[str, str, str], str]:
    return lambda option, letter, judge: neutral_text(len(cue.text(option, letter, judge).split()))


def _with(text: Callable[[str, str, str], str], place: Place, judge: str) -> Change:
    def change(shown: ShownOptions, target: int) -> ShownOptions:
        option = shown.options[target]
        said = text(option, shown.letters[target], judge)
        if place == "note":
            return replace(shown, question=f"{shown.question}\n\nNote: {said}")
        options = list(shown.options)
        options[target] = placed(option, said, place)
        return replace(shown, options=tuple(options))

    return change
