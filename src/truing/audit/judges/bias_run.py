"""Runs a judge over pairs with and without cues, each pair in both orders."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from truing.audit.judges.bias_effects import Biases, Effect, judge_bias_bench, paired_shift
from truing.audit.judges.injections import INJECTIONS, Injection
from truing.audit.judges.mitigations import Setting, example_of, mitigations_named
from truing.audit.judges.telling import LEVEL, after_holm
from truing.chat.model import ChatModel
from truing.errors import DataError, did_you_mean
from truing.json_values import plain
from truing.judging.comparer import Comparer
from truing.judging.items import Item
from truing.judging.presentation import ORDERS, Pair, Shown
from truing.judging.wording import RELATION, Wording
from truing.statistics import Estimate

EXAMPLES = 5
"""Pairs that in-context examples are made of; they are not judged."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Mitigated:
    """What a mitigation does to one bias.

    Attributes:
        mitigation, bias: names.
        shift: directed shift under the mitigation.
        change: that shift minus the one without; below 0 where a bias towards the target is weakened.
        accuracy: change of the accuracy with the cue.
        p_value: two-sided, of ``change``.
        p_holm: the same, corrected for the number of mitigations and biases.
    """

    mitigation: str
    bias: str
    shift: Estimate
    change: Estimate
    accuracy: Estimate
    p_value: float
    p_holm: float = math.nan

    @property
    def found(self) -> bool:
        """Whether the mitigation does anything, told apart from chance after the correction."""
        return self.p_holm < LEVEL

    def sentence(self) -> str:
        """For people."""
        own = self.change
        told = "" if self.found else " (not told apart from chance)"
        return (
            f"{self.mitigation} against {self.bias}: shift {self.shift.value:+.1%}, a change of {own.value:+.1%}{told} "
            f"(95 % interval {own.low:+.1%} to {own.high:+.1%}, {own.n} pairs, p = {self.p_holm:.2g} after Holm; below "
            f"0 the cue moves the judge less); accuracy with the cue {self.accuracy.value:+.1%}."
        )


@dataclass(frozen=True)
class JudgeAudit:
    """A judge with its biases.

    Attributes:
        judge: name.
        pairs: judged.
        biases: effects.
        mitigated: what mitigations did.
    """

    judge: str
    pairs: int
    biases: Biases
    mitigated: tuple[Mitigated, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = plain(asdict(self))
        return found

    def sentences(self) -> list[str]:
        """For people."""
        return [*self.biases.sentences(), *(own.sentence() for own in self.mitigated)]

    def highlights(self) -> list[str]:
        """What is told apart from chance, in sentences, and how much is not."""
        lines = []
        families: tuple[tuple[str, Sequence[Effect | Mitigated]], ...] = (
            ("biases", self.biases.effects),
            ("effects of mitigations", self.mitigated),
        )
        for what, rows in families:
            lines += [own.sentence() for own in rows if own.found]
            rest = sum(not own.found for own in rows)
            if rest:
                lines.append(f"{rest} of {len(rows)} {what} are not told apart from chance.")
        return [*lines, *self.biases.reliability()]


def injections_named(names: Sequence[str]) -> dict[str, Injection]:
    """Cues by name; all if there are no names.

    Raises:
        DataError: on a name that is none.
    """
    for name in names:
        if name not in INJECTIONS:
            raise DataError(
                f"there is no bias {name!r}",
                where="--bias",
                allowed=", ".join(INJECTIONS) + "; position is always measured",
                fix=did_you_mean(name, INJECTIONS),
            )
    return {name: INJECTIONS[name] for name in names or INJECTIONS}


def decided(items: Sequence[Item]) -> list[Pair]:
    """Labelled pairs, the right answer as A.

    Raises:
        DataError: if no pair has a right answer.
    """
    found = []
    for item in items:
        if item.label in ("A", "B"):
            pair = item.pair
            right, wrong = (pair.a, pair.b) if item.label == "A" else (pair.b, pair.a)
            found.append(Pair(pair.prompt, right, wrong, pair.reference))
    if not found:
        raise DataError("no pair says which answer is right", where="--data", allowed="labels that are no ties")
    return found


def questions(pairs: int, cues: int, targets: int, mitigations: int, *, repeated: bool) -> int:
    """How many questions :func:`audit_judge` asks; a second look counts as two."""
    plain_ones = 2 * pairs * (1 + int(repeated) + 2 * cues * targets)
    return plain_ones + 2 * pairs * 2 * cues * mitigations


def audit_judge(
    judge: Comparer,
    pairs: Sequence[Pair],
    *,
    injections: Mapping[str, Injection] = INJECTIONS,
    targets: Sequence[str] = ("wrong",),
    again: Comparer | None = None,
    chat: ChatModel | None = None,
    wording: Wording | None = None,
    mitigations: Sequence[str] = (),
    examples: Sequence[Pair] = (),
    progress: Progress | None = None,
) -> JudgeAudit:
    """Measure what moves a judge.

    Args:
        judge: of two answers as they stand.
        pairs: the right answer as A.
        injections: cues.
        targets: what cues speak for: ``wrong``, ``right``.
        again: the same judge with another seed, for how often it repeats itself.
        chat, wording: the judge as a chat model, which mitigations need, and how it is asked.
        mitigations: names.
        examples: pairs for in-context examples, which should not be among ``pairs``.
        progress: is told of tables done, and of all.

    Raises:
        TruingError: on anything the user can mend, and if the judge does not answer.
    """
    helpers = mitigations_named(mitigations)
    if helpers and chat is None:
        raise DataError(
            "mitigations need a judge that replies in words", where="--mitigate", fix="add --replies text"
        )
    if "examples" in helpers and not examples:
        raise DataError(
            "no pairs are left for in-context examples", where="--mitigate examples", fix="give more pairs"
        )
    total = 1 + int(again is not None) + 2 * len(injections) * len(targets)
    total += 2 * len(injections) * len(helpers)
    done = 0

    def asked(of: Comparer, change: Callable[[Shown, int], Shown], toward: str) -> np.ndarray:
        nonlocal done
        found = _table(of, pairs, change, toward)
        done += 1
        if progress is not None:
            progress(done, total)
        return found

    def as_it_is(shown: Shown, target: int) -> Shown:
        return shown

    base = asked(judge, as_it_is, "wrong")
    repeated = None if again is None else asked(again, as_it_is, "wrong")
    injected, controls = {}, {}
    for toward in targets:
        for name, cue in injections.items():
            injected[name, toward] = asked(judge, _with(cue.into, judge.name), toward)
            controls[name, toward] = asked(judge, _with(cue.neutral, judge.name), toward)
    found = []
    for name, cue in injections.items():
        if not helpers:
            break
        assert chat is not None
        shown = [(ORDERS[place % 2].show(pair), place % 2) for place, pair in enumerate(examples[:EXAMPLES])]
        solved = tuple(example_of(own, right, cue, judge.name) for own, right in shown)
        setting = Setting(chat, wording or Wording(RELATION), cue, solved)
        for helper, make in helpers.items():
            helped = make(setting)
            before = asked(helped, as_it_is, "wrong")
            after = asked(helped, _with(cue.into, judge.name), "wrong")
            found.append(_mitigated(helper, name, base, injected.get((name, "wrong")), before, after))
    corrected = after_holm([own.p_value for own in found])
    mended = tuple(replace(own, p_holm=float(p)) for own, p in zip(found, corrected, strict=True))
    return JudgeAudit(judge.name, len(pairs), judge_bias_bench(base, injected, controls, repeated), mended)


def _with(change: Callable[[Shown, int, str], Shown], judge: str) -> Callable[[Shown, int], Shown]:
    return lambda shown, target: change(shown, target, judge)


def _table(
    judge: Comparer, pairs: Sequence[Pair], change: Callable[[Shown, int], Shown], toward: str
) -> np.ndarray:
    """Share of a win for the right answer, which stands first and second: shape ``[pairs, 2]``."""
    shown = []
    for pair in pairs:
        for right, order in enumerate(ORDERS):
            shown.append(change(order.show(pair), right if toward == "right" else 1 - right))
    wins = {"first": 1.0, "second": 0.0, "tie": 0.5, None: np.nan}
    found = np.array([wins[said.side] for said in judge(shown)]).reshape(len(pairs), 2)
    found[:, 1] = 1 - found[:, 1]
    return found


def _mitigated(
    mitigation: str,
    bias: str,
    base: np.ndarray,
    plain_cue: np.ndarray | None,
    before: np.ndarray,
    after: np.ndarray,
) -> Mitigated:
    helped = (before - after).mean(1)
    if plain_cue is None:
        raise DataError("mitigations are measured on cues toward wrong answers", where="targets")
    change = helped - (base - plain_cue).mean(1)
    # A change of a shift lies between −2 and 2: it is halved for the interval of a proportion, and doubled again.
    half, p_value = paired_shift(change / 2)
    doubled = Estimate(2 * half.value, 2 * half.low, 2 * half.high, half.n)
    accuracy, _ = paired_shift((after - plain_cue).mean(1))
    return Mitigated(mitigation, bias, paired_shift(helped)[0], doubled, accuracy, p_value)
