"""Pairs of turns that answer the same debate, one of which leads to better outcomes (2410.14596)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

from truing.data.questions.grading import Grade, outcome
from truing.data.questions.question import Question
from truing.data.rows import Row, assistant
from truing.data.synthesis.debate.growing import Debate
from truing.data.synthesis.debate.turns import Turn, seen_by
from truing.data.synthesis.method import synthesis
from truing.errors import DataError, check_name
from truing.registry import Paper

Tag = Literal["resist", "accept", "none"]
TAGS: tuple[Tag, ...] = get_args(Tag)
VARIANTS: dict[str, frozenset[Tag]] = {
    "balanced": frozenset(TAGS),
    "resist-only": frozenset({"resist"}),
    "accept-only": frozenset({"accept"}),
}
"""Tags that stay, by the variant's name. As in the authors' code pairs of neither tag stay in the whole."""


@dataclass(frozen=True)
class Rules:
    """Which pairs are kept.

    Attributes:
        gap: least difference of values as a share of the higher one; it has to be exceeded.
        mean: means over children in place of sums, so that more children are no merit.
        grade: tells right answers.
        agrees: whether a text agrees with the partner, 0 to 1, to confirm tags; pairs that are not confirmed, and those
            without a tag, are then left out.
    """

    gap: float = 0.5
    mean: bool = False
    grade: Grade = outcome
    agrees: Callable[[Sequence[str]], Sequence[float]] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.gap < 1:
            raise DataError(f"gap is {self.gap:g}", where="--gap", allowed="0 or more, below 1")


@dataclass(frozen=True)
class Pair:
    """Two siblings.

    Attributes:
        parent, chosen, rejected: numbers of nodes.
        values: of the chosen and of the rejected turn.
        tag: what the chosen turn does.
    """

    parent: int
    chosen: int
    rejected: int
    values: tuple[float, float]
    tag: Tag


def correct(question: Question, turn: Turn, grade: Grade = outcome) -> tuple[bool, bool] | None:
    """Whether each debater's current answer is right; ``None`` where one has none."""
    first, second = turn.answers
    if first is None or second is None:
        return None
    return grade(question, first) == "correct", grade(question, second) == "correct"


def values(tree: Debate, question: Question, rules: Rules) -> list[float]:
    """V(node) = right answers at the node + Σ (or mean) of V over its children; nodes without both answers add 0."""
    own = [float(sum(correct(question, node.payload, rules.grade) or ())) for node in tree]

    def combine(value: float, below: list[float]) -> float:
        return value + (sum(below) / (len(below) if rules.mean else 1) if below else 0.0)

    return tree.fold(own, combine)


def kept_pairs(tree: Debate, question: Question, rules: Rules) -> list[Pair]:
    """Siblings with different values.

    Both have all answers, (a) as many children as each other, (b) are not both right in all answers, (c) differ by more
    than ``gap`` of the higher value, and (d) say something that no earlier pair under the same debate said.
    """
    worth = values(tree, question, rules)
    found: list[Pair] = []
    seen: set[tuple[str, ...]] = set()
    for number, node in enumerate(tree):
        for pair in combinations(node.children, 2):
            better, worse = sorted(pair, key=lambda one: -worth[one])
            rights = [correct(question, tree[one].payload, rules.grade) for one in (better, worse)]
            if rights[0] is None or rights[1] is None or all((*rights[0], *rights[1])):
                continue
            if len(tree[better].children) != len(tree[worse].children):
                continue
            if not worth[better] - worth[worse] > rules.gap * worth[better]:
                continue
            texts = tuple(tree[one].payload.text for one in (*tree.path(number), better, worse))
            if texts in seen or texts[-1] == texts[-2]:
                continue
            seen.add(texts)
            tag = _tag(tree, question, number, better, worse, rules.grade)
            found.append(Pair(number, better, worse, (worth[better], worth[worse]), tag))
    return found if rules.agrees is None else _confirmed(tree, found, rules.agrees)


def _tag(tree: Debate, question: Question, parent: int, better: int, worse: int, grade: Grade) -> Tag:
    before = correct(question, tree[parent].payload, grade)
    after = [correct(question, tree[one].payload, grade) for one in (better, worse)]
    speaker = tree[better].payload.speaker
    if before is None or after[0] is None or after[1] is None or speaker is None:
        return "none"
    if not after[0][speaker] or after[1][speaker]:
        return "none"
    return "resist" if before[speaker] else "accept"


def _confirmed(
    tree: Debate, pairs: Sequence[Pair], agrees: Callable[[Sequence[str]], Sequence[float]]
) -> list[Pair]:
    """Pairs whose texts do what the tag says: who accepts agrees, and the rejected one does not; resist is reversed."""
    told = [pair for pair in pairs if pair.tag != "none"]
    chances = agrees([tree[one].payload.text for pair in told for one in (pair.chosen, pair.rejected)])
    wanted = {"accept": (True, False), "resist": (False, True)}
    return [
        pair
        for place, pair in enumerate(told)
        if (chances[2 * place] > 0.5, chances[2 * place + 1] > 0.5) == wanted[pair.tag]
    ]


def check_variant(variant: str, even: bool = False) -> None:
    """Refuse what no debate can give, before it is held.

    Args:
        variant: a name of :data:`VARIANTS`.
        even: whether both tags are to be as many.

    Raises:
        DataError: if there is no such variant, or one tag alone is to be evened.
    """
    check_name("variant", variant, VARIANTS, "--variant")
    if even and not VARIANTS[variant] >= {"resist", "accept"}:
        raise DataError(
            f"the variant {variant!r} has one tag alone, which has nothing to be evened with",
            where="--even",
            fix="leave --even out, or take the variant balanced",
        )


@synthesis(
    name="persuasion-pairs",
    slug="pbt",
    paper=Paper("Teaching Models to Balance Resisting and Accepting Persuasion", 2024, "2410.14596"),
    aliases=("pbt",),
    summary="Makes pairs of branching debates: turns that hold on to a right answer, or give in to one, are chosen.",
    formula="V(n) = 1[a_1 right] + 1[a_2 right] + Σ_(c child of n) V(c);  y_w, y_l siblings, (V_w − V_l)/V_w > 0.5",
    legend=(
        "n: a turn; a_1, a_2: the current answers of both debaters after it",
        "resist: the speaker was right before and in y_w, and wrong in y_l; accept: wrong before, right in y_w alone",
        "kept: siblings with as many children, not both right in everything, and no duplicates",
    ),
    use_when="A model gives in to whoever insists, or never changes its mind; questions have answers that can be told "
    "right or wrong.",
    avoid_when="Training on one tag alone: a model that only learned to resist is stubborn, one that only learned to "
    "accept believes anything.",
    requires=("questions with answers", "two debaters"),
    cost="b + b² + … + b^d turns for each question, 30 with two branches and four turns",
)
def persuasion_rows(
    tree: Debate, question: Question, variant: str = "balanced", rules: Rules | None = None
) -> list[Row]:
    """Pairs of one debate.

    Args:
        tree: the debate.
        question: that is debated.
        variant: a name of :data:`VARIANTS`.
        rules: which pairs are kept.

    Returns:
        Rows with ``id``, ``prompt`` (the debate as the speaker sees it, without persona), ``chosen``, ``rejected``,
        ``score_chosen``, ``score_rejected`` (values) and ``source`` (the tag).

    Raises:
        DataError: if there is no such variant.
    """
    check_variant(variant)
    pairs = kept_pairs(tree, question, rules or Rules())
    return [_row(tree, question, pair) for pair in pairs if pair.tag in VARIANTS[variant]]


def _row(tree: Debate, question: Question, pair: Pair) -> Row:
    speaker = tree[pair.chosen].payload.speaker
    turns = [tree[one].payload for one in tree.path(pair.parent)]
    return {
        "id": f"{question.id}/{pair.chosen}-{pair.rejected}",
        "prompt": seen_by(speaker or 0, turns),
        "chosen": assistant(tree[pair.chosen].payload.text),
        "rejected": assistant(tree[pair.rejected].payload.text),
        "score_chosen": pair.values[0],
        "score_rejected": pair.values[1],
        "source": pair.tag,
    }


def evened(rows: Sequence[Row]) -> list[Row]:
    """As many rows that resist as that accept, where there are both, the first of each; rows of neither tag stay."""
    counts = Counter(row["source"] for row in rows)
    most = min(counts["resist"], counts["accept"]) or len(rows)

    def taken() -> Iterator[Row]:
        so_far: Counter[str] = Counter()
        for row in rows:
            so_far[row["source"]] += 1
            if row["source"] == "none" or so_far[row["source"]] <= most:
                yield row

    return list(taken())


def demonstrations(rows: Sequence[Row]) -> list[Row]:
    """The chosen turns alone, for supervised training; each once."""
    found = {(str(row["prompt"]), str(row["chosen"])): row for row in rows}
    return [
        {"id": row["id"], "prompt": row["prompt"], "completion": row["chosen"], "source": row["source"]}
        for row in found.values()
    ]
