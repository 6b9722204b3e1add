"""Who judges, and the protocols by name: what ``truing judge`` runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from truing.chat.model import SeededChat
from truing.errors import RecipeError
from truing.judging.comparer import Comparer
from truing.judging.comparers.letters import LetterOdds
from truing.judging.comparers.text import TextVerdicts
from truing.judging.guided import guided_judge
from truing.judging.measures import consistency, leans
from truing.judging.merging import Merge, conservative
from truing.judging.pairwise import pairwise_judge
from truing.judging.pine.comparer import LETTERS, PineLetters
from truing.judging.pointwise import pointwise_judge
from truing.judging.portia.protocol import fixed_coverage, portia
from truing.judging.presentation import LABELS, ORDERS, ORDERS_AND_LABELS, SINGLE, Pair, Presentation
from truing.judging.reflection import self_reflection
from truing.judging.verdict import Verdict
from truing.judging.vote import judge_vote
from truing.judging.wording import RELATION, Wording
from truing.statistics import Estimate


@dataclass(frozen=True)
class Bench:
    """Judges and how they are asked.

    Args:
        comparers: judges of two answers as they stand.
        chats: the same as chat models; empty where they do not reply in words.
        wording: of questions to chat models.
        merge: what the opinions on a pair come to.
        parts: into which ``portia`` cuts answers.
        rounds: of ``vote``, for each judge; an even number, or each sees one order once more than the other.
        seed: of orders, and of what judges draw.
    """

    comparers: Sequence[Comparer]
    chats: Sequence[SeededChat] = ()
    wording: Wording = field(default_factory=lambda: Wording(RELATION))
    merge: Merge = conservative
    parts: int = 3
    rounds: int = 4
    seed: int = 0

    @property
    def name(self) -> str:
        """Of all judges."""
        return " + ".join(comparer.name for comparer in self.comparers)

    @property
    def comparer(self) -> Comparer:
        """The one judge.

        Raises:
            RecipeError: if there are several.
        """
        if len(self.comparers) != 1:
            raise RecipeError(
                f"{len(self.comparers)} judges, and a protocol for one",
                where="--judge",
                fix="use --protocol vote, or name one judge",
            )
        return self.comparers[0]

    @property
    def chat(self) -> SeededChat:
        """The one judge, as a chat model.

        Raises:
            RecipeError: if it does not reply in words, or there are several.
        """
        name = self.comparer.name
        if not self.chats:
            raise RecipeError(
                f"judge {name!r} gives no replies in words, which this protocol needs",
                where="--protocol",
                allowed="swap, single, labels, portia",
                fix="use --replies text with a model that follows instructions",
            )
        return self.chats[0]

    def voters(self) -> list[Comparer]:
        """Every judge in every round, with a seed of its own where it draws its replies.

        The rounds of a judge are neighbours, as orders take turns from one voter to the next.
        """
        if not self.chats:
            return [comparer for comparer in self.comparers for _ in range(self.rounds)]
        return [
            TextVerdicts(chat.seeded(self.seed + number), self.wording)
            for chat in self.chats
            for number in range(self.rounds)
        ]


@dataclass(frozen=True)
class Judged:
    """What a protocol found.

    Attributes:
        verdicts: one for each pair.
        asked: opinions that were asked for.
        details: further numbers, by name.
        leans: how far the judge leans to what has nothing to do with the answers, by name, −1 to 1.
        before: for each pair the verdict on the whole answers, where they were then shown otherwise.
    """

    verdicts: list[Verdict]
    asked: int
    details: dict[str, Any] = field(default_factory=dict)
    leans: dict[str, Estimate] = field(default_factory=dict)
    before: list[Verdict | None] = field(default_factory=list)


@dataclass(frozen=True)
class Protocol:
    """A protocol by name.

    Args:
        name: as ``--protocol`` takes it.
        says: what it does, in a few words.
        least, most: questions for a pair, or for a pair and a voter.
        run: judges pairs.
        each_voter: whether every judge is asked in every round.
        in_words: whether judges have to reply in words.
        merge: name of the rule that makes one verdict of several opinions, unless another is chosen; empty where there
            is nothing to merge.
    """

    name: str
    says: str
    least: int
    most: int
    run: Callable[[Bench, Sequence[Pair]], Judged]
    each_voter: bool = False
    in_words: bool = False
    merge: str = "conservative"


def _shown(presentations: Sequence[Presentation]) -> Callable[[Bench, Sequence[Pair]], Judged]:
    def run(bench: Bench, pairs: Sequence[Pair]) -> Judged:
        judge = guided_judge if any(pair.reference for pair in pairs) else pairwise_judge
        verdicts = judge(bench.comparer, pairs, presentations=presentations, merge=bench.merge)
        return Judged(verdicts, len(verdicts) * len(presentations))

    return run


def _labels(bench: Bench, pairs: Sequence[Pair]) -> Judged:
    found = _shown(ORDERS_AND_LABELS)(bench, pairs)
    place, letter = leans(found.verdicts)
    return replace(found, leans={"the first place": place, f"the letter {LABELS[0]}": letter})


def _pine(bench: Bench, pairs: Sequence[Pair]) -> Judged:
    judge = bench.comparer
    if not isinstance(judge, LetterOdds):
        raise RecipeError(
            f"judge {judge.name!r} cannot read answers without order: that is done inside a model",
            where="--protocol",
            allowed="a model on this machine, by the odds of its letters",
            fix="name a folder, a hub name or truing/tiny, and leave --replies as it is",
        )
    without = PineLetters(judge.policy, judge.name, judge.criteria)
    verdicts = pairwise_judge(without, pairs, presentations=LETTERS, merge=bench.merge)
    return Judged(verdicts, len(verdicts) * len(LETTERS))


def _portia(bench: Bench, pairs: Sequence[Pair]) -> Judged:
    found = portia(bench.comparer, pairs, k=bench.parts, merge=bench.merge)
    stages = {stage: sum(own.stage == stage for own in found) for stage in ("plain", "length", "meaning")}
    before = consistency([own.before for own in found if own.before])
    details = {"stages": stages, "consistency_before": before, "fixed_coverage": fixed_coverage(found)}
    return Judged(
        [own.verdict for own in found],
        sum(own.asked for own in found),
        details,
        before=[own.before for own in found],
    )


def _vote(bench: Bench, pairs: Sequence[Pair]) -> Judged:
    voters = bench.voters()
    return Judged(judge_vote(voters, pairs, seed=bench.seed), len(voters) * len(pairs))


def _pointwise(bench: Bench, pairs: Sequence[Pair]) -> Judged:
    return Judged(pointwise_judge(bench.chat, pairs, criteria=bench.wording.criteria), 2 * len(pairs))


def _reflection(bench: Bench, pairs: Sequence[Pair]) -> Judged:
    found = self_reflection(bench.chat, pairs, wording=bench.wording, merge=bench.merge)
    details = {
        "changed": found.changed,
        "changed_when_asked_again": found.changed_again,
        "consistency_before": consistency(found.first),
        "consistency_asked_again": consistency(found.again),
    }
    return Judged(found.reflected, 6 * len(pairs), details)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol("swap", "each answer first once", 2, 2, _shown(ORDERS)),
        Protocol("single", "A first", 1, 1, _shown(SINGLE), merge=""),
        Protocol("labels", "both orders under both letters", 4, 4, _labels),
        Protocol("pine", "read in no order, under both letters", 2, 2, _pine),
        Protocol("portia", "cut and aligned where orders disagree", 2, 6, _portia),
        Protocol("vote", "rounds in turned orders", 1, 1, _vote, each_voter=True, merge="plurality"),
        Protocol("pointwise", "a grade for each answer", 2, 2, _pointwise, in_words=True, merge=""),
        Protocol("reflection", "a second look at both orders", 6, 6, _reflection, in_words=True),
    )
}
"""Protocols by name."""
