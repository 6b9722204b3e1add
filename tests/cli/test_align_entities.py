"""``truing align-entities`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.judging.entities.test_entities import FILMS, GOLD, OTHERS
from tests.rewards.judges.stub import Answer, serving
from truing.cli.app import app

runner = CliRunner()


def run(*arguments: object) -> Any:
    return runner.invoke(app, ["align-entities", *map(str, arguments)])


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    monkeypatch.setenv("TRUING_CACHE", str(tmp_path / "cache"))
    for name, triples in (("films.tsv", FILMS), ("others.tsv", OTHERS)):
        (tmp_path / name).write_text("".join("\t".join(triple) + "\n" for triple in triples), encoding="utf-8")
    gold = "".join(json.dumps({"source": one, "target": other}) + "\n" for one, other in GOLD.items())
    (tmp_path / "gold.jsonl").write_text(gold, encoding="utf-8")
    return tmp_path / "films.tsv", tmp_path / "others.tsv", tmp_path / "gold.jsonl"


def by_name(number: int, body: dict[str, Any]) -> Answer:
    """Chooses the candidate whose first line shares most letters with the entity's."""
    text = body["messages"][1]["content"]
    names = [part.partition("\n")[0] for part in text.split(">>>\n")[1::2]]
    shared = [len(set(name.lower().split()) & set(names[0].lower().split())) for name in names[1:]]
    return Answer(json.dumps({"choice": shared.index(max(shared)) + 1}))


def test_a_judge_behind_an_endpoint(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    links = tmp_path / "links.jsonl"
    with serving(by_name) as stub:
        result = run(
            *files[:2], "--judge", f"{stub.url}#stub", "--gold", files[2], "--k", 4, "--output", links, "--json"
        )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["recall"]["value"] == 1.0
    assert found["hits"]["value"] >= 0.75
    assert found["entities"] == len(links.read_text(encoding="utf-8").splitlines()) == 4


def test_a_local_judge(files: tuple[Path, Path, Path]) -> None:
    result = run(*files[:2], "--judge", "truing/tiny", "--k", 2, "--rounds", 1, "--one-to-one", "--limit", 3)
    assert result.exit_code == 0, result.output
    assert "entities: 3" in result.stdout


def test_a_dry_run_says_what_bounds_it(files: tuple[Path, Path, Path]) -> None:
    result = run(*files[:2], "--gold", files[2], "--k", 2, "--dry-run", "--json")
    plan = json.loads(result.stdout)
    assert plan["recall at 2"] == 1.0
    assert plan["questions, at most"] == 24


def test_errors_name_the_option(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    assert "where: --judge" in str(run(*files[:2]).exception)
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text('{"source": "f/9", "target": "x#JL"}\n', encoding="utf-8")
    assert "not of an entity of the source" in str(run(*files[:2], "--gold", wrong).exception)
