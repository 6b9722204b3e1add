"""Sets of demonstrations: drawn, scored, compared; pools of tasks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truing.data.sources import load
from truing.data.synthesis.few_shot import FewShot, Shot, compared, few_shot_files, posed, read_pool, shown
from truing.errors import DataError

POOL = [Shot(f"q{n}", f"a{n}", "t") for n in range(6)]


def test_prompts_end_where_the_answer_begins() -> None:
    assert shown(POOL[:1], "new") == "Input: q0\nOutput: a0\n\nInput: new\nOutput:"


def test_comparing_by_hand() -> None:
    """Scores −1, −3, −2: best is 0, worst is 1, range 2. Pairs 0>1 (all of the range), 0>2 and 2>1 (half of it)."""
    assert compared([-1.0, -3.0, -2.0], FewShot()) == [(0, 1, 1.0)]
    assert compared([-1.0, -3.0, -2.0], FewShot(pairs="all")) == [(0, 1, 1.0), (0, 2, 0.5), (2, 1, 0.5)]


def test_ties_say_nothing() -> None:
    assert compared([-1.0, -1.0], FewShot()) == []
    assert compared([-1.0, -1.005], FewShot(least=0.01)) == []
    assert compared([-1.0, -1.0, -2.0], FewShot(pairs="all")) == [(0, 2, 1.0), (1, 2, 1.0)]


def test_a_query_is_not_its_own_demonstration_and_orders_differ() -> None:
    found = posed(POOL, FewShot(shots=2, sets=5))
    assert len(found) == 6
    for one in found:
        assert len(set(one.prompts)) == 5
        assert all(prompt.count(f"Input: {one.shot.query}\n") == 1 for prompt in one.prompts)
    two = posed(POOL[:3], FewShot(shots=2, sets=9))
    # Of two others there are two orders.
    assert [len(one.prompts) for one in two] == [2, 2, 2]


def test_tasks_are_not_mixed() -> None:
    pool = [*POOL, *(Shot(f"z{n}", "b", "u") for n in range(2))]
    found = posed(pool, FewShot(shots=3))
    assert {one.shot.task for one in found} == {"t"}
    assert all("z" not in prompt for one in found for prompt in one.prompts)
    assert posed(pool, FewShot(shots=3), queries=2) == posed(pool, FewShot(shots=3), queries=2)


def test_files_belong_together(tmp_path: Path) -> None:
    """The teacher likes demonstrations that begin with an even number."""

    def score(asked: list[tuple[str, str]]) -> list[float]:
        return [-float(int(prompt[len("Input: q")]) % 2) for prompt, _ in asked]

    plan = FewShot(shots=2, sets=8)
    pairs, queries = few_shot_files(POOL, tmp_path, score, plan)
    assert (pairs, queries) == (6, 6)
    better, worse = (
        [json.loads(line) for line in (tmp_path / name).read_text().splitlines()]
        for name in ("better.jsonl", "worse.jsonl")
    )
    for up, down in zip(better, worse, strict=True):
        assert (up["id"], up["completion"]) == (down["id"], down["completion"])
        assert up["prompt"].rpartition("Input: ")[2] == down["prompt"].rpartition("Input: ")[2]
        assert int(up["prompt"][8]) % 2 == 0
        assert int(down["prompt"][8]) % 2 == 1
        assert up["margin"] == 1.0
    assert load(tmp_path / "better.jsonl").kind == "demonstrations"


def test_a_teacher_that_does_not_care(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"tells no two sets apart by more than 0\.01 nats"):
        few_shot_files(POOL, tmp_path, lambda asked: [0.0] * len(asked), FewShot(shots=2))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shots": 0}, "shots is 0(.|\n)*1 or more"),
        ({"sets": 1}, "sets is 1(.|\n)*2 or more"),
        ({"pairs": "al"}, "did you mean 'all'"),
        ({"shots": 6}, "no task has more than 6 rows"),
    ],
)
def test_what_is_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        posed(POOL, FewShot(**settings))  # type: ignore[arg-type]


def test_pools(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(
        '{"sentence": " fine ", "label": 1}\n{"instruction": "Add", "input": "1 2", "output": "3", "task": "sums"}\n'
    )
    assert read_pool(str(tmp_path), labels={"1": "good"}) == [
        Shot("fine", "good", "one"),
        Shot("Add\n1 2", "3", "sums"),
    ]
    with pytest.raises(DataError, match=r"no query with its answer(.|\n)*one.jsonl:1(.|\n)*text and label"):
        read_pool(str(tmp_path), columns=("text", "label"))
