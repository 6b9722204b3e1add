"""Drawn answers beside the records' own: pairs with complaints, and real answers beside kept ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import truing
from tests.training.online.test_choosing import rollout
from tests.training.online.test_runs import metrics, recipe, rollouts
from truing.data.complaints import complaints
from truing.data.layouts.hh import turns
from truing.errors import DataError
from truing.objectives import curated, drift
from truing.objectives.algebra import DataKind
from truing.recipe import parse_recipe
from truing.training.examples import ExampleData
from truing.training.online.choosing import Rows
from truing.training.online.logged import FreshAgainstLogged, Logged, WithReal, check_logged, copied
from truing.training.plan import planned


class Named(Rows):
    """Rows that give columns, too."""

    def __getitem__(self, numbers: Any) -> Any:
        return [row[numbers] for row in self.rows] if isinstance(numbers, str) else super().__getitem__(numbers)


ROWS: dict[DataKind, dict[str, Any]] = {
    "pairs": {"completion_ids": [[1], [2]]},
    "ranked": {"completion_ids": [[3], [2], [1]], "scores": [0.5, -1.0, [2.0, 3.0]]},
    "unwanted": {"completion_ids": [[2]]},
    "demonstrations": {"completion_ids": [[1]]},
}


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_what_records_hold(kind: DataKind) -> None:
    logged = Logged(lambda name: ROWS[kind], kind)
    assert logged.liked("a") == (None if kind == "unwanted" else [1])
    assert logged.disliked("a") == (None if kind == "demonstrations" else [2])


def test_a_label_says_which_side_an_answer_is_on() -> None:
    logged = Logged(lambda name: {"completion_ids": [[7]], "label": name == "good"}, "unpaired")
    assert (logged.liked("good"), logged.disliked("good")) == ([7], None)
    assert (logged.liked("bad"), logged.disliked("bad")) == (None, [7])


def test_the_best_fresh_answer_is_chosen_and_copies_are_dropped() -> None:
    """Answer i of prompt p is the token 10p + i, i + 1 times; the second prompt's best copies the complaint."""
    answers = {"r0": [50, 51], "r1": [10]}
    logged = Logged(lambda name: {"completion_ids": [answers[name]]}, "unwanted")
    first, second = FreshAgainstLogged(logged)(rollout([[0.0, 2.0], [1.0, None]])).take([0, 1])
    assert (first["completion_ids"], first["weight"]) == ([[1, 1], [50, 51]], 1.0)
    assert (second["completion_ids"], second["weight"]) == ([[10], [10]], 0.0)


def test_copies_share_nearly_all_tokens() -> None:
    assert copied(list(range(20)), [*range(19), 99])
    assert not copied(list(range(20)), list(range(10)))


def test_real_answers_stand_beside_the_drawn_ones() -> None:
    logged = Logged(lambda name: {"completion_ids": [[8, 9]], "label": name == "r0"}, "unpaired")
    data = WithReal(logged)(rollout([[0.0, 1.0], [2.0, 3.0]], tokens={"drawn": [[[0.0], [0.0, 0.0]]] * 2}))
    first, second = data.examples([0, 1])
    assert first.parts["real"]["completion_ids"] == [[8, 9]]
    assert [example.parts["real"]["weight"] for example in (first, second)] == [1.0, 0.0]
    batch = data.batch([first, second])
    assert batch.parts["real"].weights.tolist() == [1.0, 0.0]
    assert batch.reward is not None
    assert batch.reward[batch.chosen].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_data_without_the_answers_are_refused() -> None:
    good = ExampleData(Rows([{"id": "a", "prompt_ids": [1], "completion_ids": [[2]]}]), "demonstrations")
    bad = ExampleData(good.rows, "unwanted")

    good, bad = (ExampleData(Named(good.rows.rows), data.kind) for data in (good, bad))
    prompts = ExampleData(good.rows, "samples")
    for data in (good, prompts):
        with pytest.raises(DataError, match="needs answers that people disliked, and none of 1 records holds one"):
            check_logged(data, drift(), "data.jsonl")
    with pytest.raises(DataError, match="needs answers that people liked"):
        check_logged(bad, curated(real=0.5), "data.jsonl")
    assert check_logged(good, curated(real=0.5), "data.jsonl") == ()


def test_records_without_the_answer_are_counted() -> None:
    rows = Rows([{"id": str(n), "prompt_ids": [1], "completion_ids": [[2]], "label": n > 0} for n in range(3)])

    data = ExampleData(Named(rows.rows), "unpaired")
    assert check_logged(data, drift(), "data.jsonl") == (
        "2 of 3 records hold no answer that people disliked, and lack that term",
    )
    assert Logged(lambda name: rows.rows[0], "samples").disliked("0") is None


def test_it_is_said_before_a_model_is_loaded(tmp_path: Path) -> None:
    """A plan is refused as the run would be."""
    (tmp_path / "liked.jsonl").write_text('{"prompt": "Name a fruit.", "completion": " A pear."}\n' * 20)
    given = {
        "model": "truing/tiny",
        "data": {"path": str(tmp_path / "liked.jsonl"), "eval_fraction": 0},
        "objective": "drift",
        "online": {"rewards": "harmlessness", "answers": 1},
        "output": str(tmp_path / "out"),
    }
    with pytest.raises(DataError, match="none of 20 records holds one"):
        planned(parse_recipe(given))


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["curated", {"name": "curated", "real": 0.5}, "drift"], ids=str)
def test_runs_on_pairs(objective: Any, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"online__answers": 1} if objective == "drift" else {"online__steps_per_rollout": 2}
    path = recipe(tmp_path, objective, training__max_steps=3, **changes)
    ended = truing(["align", path], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert rollouts(tmp_path / "out")
    assert any("online/variance" in row and 0 < row["online/distinct"] <= 1 for row in metrics(tmp_path / "out"))


@pytest.mark.slow
def test_drift_on_real_complaints(shared_data: Path, tmp_path: Path) -> None:
    """Complaints of HH-RLHF; the reference moves to the policy at the start of the second iteration."""
    with gzip.open(shared_data / "hh-rlhf" / "harmless-base-test.jsonl.gz", "rt", encoding="utf-8") as file:
        dialogues = [turns(json.loads(line)["chosen"], "chosen") for line in file]
    data = tmp_path / "complaints.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in complaints(dialogues)))
    (tmp_path / "drift.yaml").write_text(
        f"""
model: truing/tiny
data: {{path: {data}, eval_fraction: 0.1, max_length: 128}}
objective: drift
online: {{rewards: harmlessness, answers: 1, max_new_tokens: 8, temperature: 0.7, top_p: 0.9}}
reference: {{sync_every: 2, sync_mix: 1.0}}
training: {{max_steps: 4, learning_rate: 1.0e-4, global_batch: 8}}
evaluation: {{samples: 1, judged_prompts: 0, max_new_tokens: 4}}
output: {tmp_path / "out"}
"""
    )
    ended = truing(["align", tmp_path / "drift.yaml"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert {row.get("step") for row in metrics(tmp_path / "out")} >= {1, 2, 3, 4}
