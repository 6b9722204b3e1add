"""Drawing with a sampler that needs no model: what is replaced, what answers without an end are worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from truing.rewards.algebra import Prompt, Rewards
from truing.rewards.pipeline import Pipeline
from truing.training.distributed import World
from truing.training.examples import ExampleData
from truing.training.online.choosing import Rows
from truing.training.online.drawing import Drawing
from truing.training.online.rollouts import RolloutLog

END = 9


class Lengths:
    """The reward is the number of words."""

    names = ("words",)

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        return Rewards.of(torch.tensor([float(len(text.split())) for text in completions]), self.names)


class Scripted:
    """Prompts with an even token get two answers of one length, others of two; the seeds it is asked with are kept."""

    is_policy = True

    def __init__(self) -> None:
        self.seeds: list[int] = []

    def follow(self, *, main: bool) -> None:
        pass

    def __call__(self, prompts: Sequence[Sequence[int]], count: int, seed: int) -> list[list[list[int]]]:
        self.seeds.append(seed)
        return [[[5, END], [5, END] if prompt[0] % 2 == 0 else [5, 5, END]] for prompt in prompts]


def drawing(folder: Path, **changes: object) -> tuple[Drawing, Scripted]:
    rows = [{"id": f"r{i}", "prompt_ids": [i], "completion_ids": [[5]]} for i in range(10)]
    sampler = Scripted()
    settings = {"ends": frozenset({END}), **changes}
    made = Drawing(
        ExampleData(Rows(rows), "demonstrations"),
        sampler,
        lambda answer: " ".join("word" for token in answer if token != END),
        Pipeline((Lengths(),)),
        lambda indices: ([f"prompt {i % 10}" for i in indices], {}),
        RolloutLog(folder),
        2,
        3,
        World(),
        **settings,  # type: ignore[arg-type]
    )
    return made, sampler


def test_prompts_that_teach_nothing_are_kept_unless_asked(tmp_path: Path) -> None:
    made, sampler = drawing(tmp_path)
    found = made(0, [0, 1, 2, 3], 0)
    assert found.ids == ["r0", "r1", "r2", "r3"]
    assert found.flat() == [True, False, True, False]
    assert found.metrics()["online/flat"] == 2
    assert len(sampler.seeds) == 1


def test_prompts_that_teach_nothing_are_replaced_by_others(tmp_path: Path) -> None:
    made, sampler = drawing(tmp_path, redraw=20)
    found = made(0, [0, 1, 2, 3], 0)
    assert found.flat() == [False] * 4, "the share of prompts without a gradient falls to 0"
    assert found.asked == ["r0", "r1", "r2", "r3"]
    assert {"r1", "r3"} < set(found.ids) <= {"r1", "r3", "r5", "r7", "r9"}
    assert len(set(found.ids)) == 4
    assert found.metrics()["online/replaced"] == 2
    assert len(set(sampler.seeds)) == len(sampler.seeds), "every drawing has luck of its own"
    assert made(0, [0, 1, 2, 3], 0) == found, "the same again for the same step"


def test_where_too_few_are_found_the_batch_stays_as_large(tmp_path: Path) -> None:
    made, _ = drawing(tmp_path, redraw=50)
    found = made(4, [0, 2, 4, 6, 8, 1, 3], 0)
    assert len(found.ids) == 7
    assert sum(found.flat()) == 2, "there are five prompts that teach"


def test_the_log_knows_a_step_by_what_it_came_to(tmp_path: Path) -> None:
    made, _ = drawing(tmp_path, redraw=20)
    found = made(0, [0, 1], 0)
    made.log.write(found)
    assert made.log.read(0, ["r0", "r1"]) == found
    assert made.log.read(0, found.ids) is None


def test_answers_without_an_end_are_worth_what_is_said(tmp_path: Path) -> None:
    made, _ = drawing(tmp_path, ends=frozenset({7}), unfinished=-10.0)
    assert made(0, [1], 0).rewards == [[-10.0, -10.0]]
    made, _ = drawing(tmp_path, unfinished=-10.0)
    assert made(0, [1], 0).rewards == [[1.0, 2.0]]


@pytest.mark.parametrize("indices", [[0, 1, 2, 3], [11, 13]])
def test_numbers_beyond_the_records_are_later_passes(indices: list[int], tmp_path: Path) -> None:
    made, _ = drawing(tmp_path, redraw=2)
    assert set(made(1, indices, 0).asked) == {f"r{i % 10}" for i in indices}
