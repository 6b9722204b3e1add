"""Queries under several sets of demonstrations, as a teacher ranks them (BiAlign, 2312.17055).

For every query some sets are drawn from the rest of its task, in an order: the same demonstrations in another order are
another set. The teacher scores each by the log-probability of the gold answer under it, per token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from pathlib import Path
from typing import Any

import numpy as np

from truing.data.files import find_files, no_such_file
from truing.data.readers import read_rows
from truing.data.rows import Row
from truing.errors import DataError, did_you_mean

COLUMNS = (("prompt", "completion"), ("instruction", "output"), ("question", "answer"), ("sentence", "label"))
"""Columns of queries and of answers that are tried in turn."""


@dataclass(frozen=True)
class Shot:
    """A query with its answer, which may serve as a demonstration of its task.

    Attributes:
        query: what is asked.
        answer: the gold answer.
        task: queries are only shown with those of their own task.
    """

    query: str
    answer: str
    task: str = ""


@dataclass(frozen=True)
class FewShot:
    """How sets of demonstrations are drawn and compared.

    Attributes:
        shots: demonstrations in a set.
        sets: sets for each query.
        pairs: ``best-worst`` or ``all``: which sets of a query are compared.
        least: nats a token; sets that are not further apart are a tie, and skipped.
        seed: of what is drawn.
    """

    shots: int = 5
    sets: int = 4
    pairs: str = "best-worst"
    least: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        for name, smallest in (("shots", 1), ("sets", 2), ("least", 0)):
            if not getattr(self, name) >= smallest:
                raise DataError(
                    f"{name} is {getattr(self, name)}", where=f"--{name}", allowed=f"{smallest} or more"
                )
        if self.pairs not in PAIRS:
            raise DataError(
                f"there are no pairs {self.pairs!r}",
                where="--pairs",
                allowed=", ".join(PAIRS),
                fix=did_you_mean(self.pairs, PAIRS),
            )


def _extremes(scores: np.ndarray) -> Iterator[tuple[int, int]]:
    yield int(scores.argmax()), int(scores.argmin())


def _every(scores: np.ndarray) -> Iterator[tuple[int, int]]:
    for one, other in combinations(range(len(scores)), 2):
        yield (one, other) if scores[one] >= scores[other] else (other, one)


PAIRS: dict[str, Callable[[np.ndarray], Iterator[tuple[int, int]]]] = {"best-worst": _extremes, "all": _every}


def compared(scores: Sequence[float], plan: FewShot) -> list[tuple[int, int, float]]:
    """Sets of one query that the teacher tells apart.

    Args:
        scores: of its sets, nats a token.
        plan: how to compare.

    Returns:
        For each pair the better set, the worse one, and how far they are apart as a share of the range of all scores.
    """
    array = np.asarray(scores, dtype=np.float64)
    reach = float(np.ptp(array))
    found = [(up, down, float(array[up] - array[down])) for up, down in PAIRS[plan.pairs](array)]
    return [(up, down, gap / reach) for up, down, gap in found if gap > plan.least]


def shown(demonstrations: Sequence[Shot], query: str) -> str:
    """A prompt of plain text that ends where the answer begins."""
    lines = [f"Input: {one.query}\nOutput: {one.answer}" for one in demonstrations]
    return "\n\n".join([*lines, f"Input: {query}\nOutput:"])


@dataclass(frozen=True)
class Posed:
    """A query under its sets of demonstrations.

    Attributes:
        id: of the query.
        shot: the query and its answer.
        prompts: one for each set.
    """

    id: str
    shot: Shot
    prompts: tuple[str, ...]


def posed(pool: Sequence[Shot], plan: FewShot, queries: int | None = None) -> list[Posed]:
    """Queries from a pool of one or more tasks, each under different sets of the others of its task.

    Args:
        pool: all that may be asked and shown.
        plan: how sets are drawn.
        queries: how many are asked, drawn from the pool; all if left out.

    Raises:
        DataError: if no task has a query and enough others.
    """
    tasks: dict[str, list[int]] = {}
    for place, shot in enumerate(pool):
        tasks.setdefault(shot.task, []).append(place)
    large = {name: places for name, places in tasks.items() if len(places) > max(plan.shots, 2)}
    if not large:
        raise DataError(
            f"no task has more than {max(plan.shots, 2)} rows: none can be asked with {plan.shots} others shown",
            where="--shots",
            fix="give more rows of a task, or show fewer demonstrations",
        )
    rng = np.random.default_rng(plan.seed)
    usable = [place for places in large.values() for place in places]
    order = [usable[i] for i in rng.permutation(len(usable))][:queries]
    return [_posed(pool, place, large[pool[place].task], plan, rng) for place in order]


def _posed(
    pool: Sequence[Shot], place: int, task: Sequence[int], plan: FewShot, rng: np.random.Generator
) -> Posed:
    others = [one for one in task if one != place]
    sets: dict[tuple[int, ...], None] = {}
    # Few demonstrations have few orders; then there are fewer sets.
    for _ in range(10 * plan.sets):
        if len(sets) == plan.sets:
            break
        sets[tuple(others[i] for i in rng.permutation(len(others))[: plan.shots])] = None
    prompts = tuple(shown([pool[i] for i in chosen], pool[place].query) for chosen in sets)
    return Posed(f"{pool[place].task or 'query'}/{place}", pool[place], prompts)


def rows(asked: Posed, scores: Sequence[float], plan: FewShot) -> list[tuple[Row, Row]]:
    """The query under a better and a worse set, with the same id; ``margin`` is their share of the range."""
    found = []
    for number, (better, worse, share) in enumerate(compared(scores, plan)):
        common = {"id": f"{asked.id}/{number}", "completion": f" {asked.shot.answer}"}
        if asked.shot.task:
            common["source"] = asked.shot.task
        up: Row = {"prompt": asked.prompts[better], **common, "margin": share}
        found.append((up, {"prompt": asked.prompts[worse], **common}))
    return found


def read_pool(
    source: str,
    columns: tuple[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> list[Shot]:
    """Queries with answers out of files; every file is a task, or every value of a column ``task``.

    Args:
        source: file, folder or glob.
        columns: of the query and of the answer; the first of :data:`COLUMNS` that a row has, if left out.
        labels: words in place of answers, e.g. ``{"0": "negative"}``.
        limit: rows that are read of every file.

    Raises:
        DataError: if there is no such file, a row lacks its columns, or a query or an answer is empty.
    """
    files = find_files(source, None)
    if files is None:
        raise no_such_file(source)
    found = []
    for path in files:
        for number, row in islice(read_rows(path), limit):
            found.append(_shot(row, columns, labels or {}, path.name.partition(".")[0], f"{path}:{number}"))
    return found


def _shot(row: Row, columns: tuple[str, str] | None, labels: Mapping[str, str], file: str, where: str) -> Shot:
    pairs = [columns] if columns is not None else COLUMNS
    pair = next((one for one in pairs if all(row.get(name) is not None for name in one)), None)
    if pair is None:
        raise DataError(
            f"the row has no query with its answer: it has {', '.join(map(str, row))}",
            where=where,
            allowed="; ".join(" and ".join(one) for one in pairs),
            fix="name them: --columns QUERY,ANSWER",
        )
    query, answer = (_text(row[name]) for name in pair)
    if extra := _text(row.get("input") or "") if pair[0] == "instruction" else "":
        query = f"{query}\n{extra}"
    answer = labels.get(answer, answer)
    if not query or not answer:
        raise DataError("a query or its answer is empty", where=where)
    return Shot(query, answer, str(row.get("task") or file))


def _text(value: Any) -> str:
    return str(value).strip()


def few_shot_files(
    pool: Sequence[Shot],
    output: Path,
    score: Callable[[Sequence[tuple[str, str]]], Sequence[float]],
    plan: FewShot,
    *,
    queries: int | None = None,
) -> tuple[int, int]:
    """Write ``better.jsonl`` and ``worse.jsonl``.

    Args:
        pool: of queries and demonstrations.
        output: folder.
        score: log-probability per token of each answer under its prompt, by the teacher, nats.
        plan: how sets are drawn and compared.
        queries: how many are asked.

    Returns:
        Pairs that were written, and queries that were asked.

    Raises:
        DataError: if the pool is too small, or the teacher tells no two sets apart.
    """
    from truing.data.synthesis.files import write_rows

    asked = posed(pool, plan, queries)
    flat = score([(prompt, f" {one.shot.answer}") for one in asked for prompt in one.prompts])
    found: list[tuple[Row, Row]] = []
    place = 0
    for one in asked:
        found += rows(one, flat[place : place + len(one.prompts)], plan)
        place += len(one.prompts)
    if not found:
        raise DataError(
            f"the teacher tells no two sets apart by more than {plan.least:g} nats a token",
            where="--least",
            fix="take a larger teacher, more sets, or a smaller --least",
        )
    for name, side in (("better.jsonl", 0), ("worse.jsonl", 1)):
        write_rows(output / name, (pair[side] for pair in found))
    return len(found), len(asked)
