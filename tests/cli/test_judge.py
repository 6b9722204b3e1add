"""``truing judge`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.rewards.judges.stub import Answer, serving
from truing.cli.app import app

runner = CliRunner()


def run(*arguments: object) -> Any:
    return runner.invoke(app, ["judge", *map(str, arguments)])


def found(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def failed(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exception is not None
    return str(result.exception)


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path]:
    """Ten prompts with long and short answers; the second file has another order and a prompt more."""
    long = [
        {"prompt": f"q{number}", "completion": f"a long answer to {number}", "gold": "gold"}
        for number in range(10)
    ]
    short = [{"instruction": f"q{number}", "output": f"no {number}", "generator": "short"} for number in range(10)]
    return (
        write(tmp_path / "long.jsonl", long),
        write(tmp_path / "short.jsonl", [*short[::-1], {"instruction": "other", "output": "x"}]),
    )


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUING_CACHE", str(tmp_path / "cache"))


def longer(number: int, body: dict[str, Any]) -> Answer:
    """A judge of length, which is told from the marks."""
    text = body["messages"][1]["content"]
    sides = [len(text.partition(f"<<< answer {label} >>>\n")[2].partition("\n<<< end")[0]) for label in "AB"]
    return Answer(json.dumps({"verdict": "A" if sides[0] > sides[1] else "B"}))


def test_two_files_and_an_endpoint(both: tuple[Path, Path], cache: None, tmp_path: Path) -> None:
    with serving(longer) as stub:
        judge = f"{stub.url}#stub"
        first = found(*both, "--judge", judge, "--output", tmp_path / "verdicts.jsonl")
        assert len(stub.requests) == 20
        again = found(*both, "--judge", judge)
        assert len(stub.requests) == 20
    assert first["comparison"]["wins"] == 10
    assert first["comparison"]["consistency"]["value"] == 1.0
    assert first["models"] == ["long", "short"]
    assert first["notes"] == ["1 prompts are in one of the files alone, and were left out"]
    assert (first["usage"][0]["calls"], again["usage"][0]["cached"]) == (20, 20)
    assert again["comparison"] == first["comparison"]
    kept = found(tmp_path / "verdicts.jsonl", "--recorded")
    assert kept["judge"] == "stub"
    assert kept["comparison"]["win_rate"] == first["comparison"]["win_rate"]


def test_what_cannot_be_read_is_counted_and_no_tie(both: tuple[Path, Path], cache: None) -> None:
    def half(number: int, body: dict[str, Any]) -> Answer:
        return Answer("well...") if "q3" in body["messages"][1]["content"] else Answer('{"verdict": "A"}')

    with serving(half) as stub:
        compared = found(*both, "--judge", f"{stub.url}#stub")["comparison"]
    assert (compared["ties"], compared["none"], compared["unread"]) == (9, 1, 2)
    assert compared["position_bias"]["value"] == 1.0


def test_a_judge_of_its_own_answers_is_named(both: tuple[Path, Path], cache: None) -> None:
    with serving(longer) as stub:
        result = run(*both, "--judge", f"{stub.url}#short", "--limit", 3)
    assert "is one of the models that are compared" in result.stdout
    assert "long against short: win rate 100.0 %" in result.stdout


@pytest.mark.parametrize(
    ("protocol", "requests"), [("single", 3), ("labels", 12), ("portia", 6), ("vote", 6), ("pointwise", 6)]
)
def test_protocols(protocol: str, requests: int, both: tuple[Path, Path], cache: None) -> None:
    def reply(number: int, body: dict[str, Any]) -> Answer:
        if "<<< answer >>>" in body["messages"][1]["content"]:
            return Answer(json.dumps({"score": 9 if "long" in body["messages"][1]["content"] else 2}))
        return longer(number, body)

    with serving(reply) as stub:
        options = ["--limit", 3, "--rounds", 2, "--temperature", 0.5]
        result = found(*both, "--judge", f"{stub.url}#stub", "--protocol", protocol, *options)
        assert len(stub.requests) == requests
    assert result["comparison"]["wins"] == 3
    if protocol == "vote":
        # The two rounds of a vote draw with seeds of their own.
        assert {request.get("seed", 0) for request in stub.requests} == {0, 1}


def test_reflection_and_forms(both: tuple[Path, Path], cache: None) -> None:
    with serving(lambda number, body: Answer('{"score A": 7, "score B": 3}')) as stub:
        judge = f"{stub.url}#stub"
        result = found(*both, "--judge", judge, "--protocol", "reflection", "--form", "score", "--limit", 2)
    assert result["details"]["changed"]["value"] == 0.0
    assert result["comparison"]["position_bias"]["value"] == 1.0


def test_a_reference_reaches_the_judge(both: tuple[Path, Path], cache: None) -> None:
    with serving(longer) as stub:
        found(*both, "--judge", f"{stub.url}#stub", "--limit", 1, "--answer", "completion", "--reference", "gold")
        assert "<<< reference answer >>>\ngold" in stub.asked[0]


def test_letters_of_a_local_model_and_labels(tmp_path: Path) -> None:
    rows = [
        {"input": "Was it good?", "output_1": "Yes, a wonderful film.", "output_2": "x", "label": 1},
        {"input": "Was it bad?", "output_1": "y", "output_2": "It was a dull film.", "label": 2},
    ]
    result = found(write(tmp_path / "bar.jsonl", rows), "--judge", "truing/tiny", "--merge", "soft")
    assert result["agreement"]["label"]["accuracy"]["n"] == 2
    assert result["asked"] == 4


def test_a_dry_run_asks_nothing(both: tuple[Path, Path]) -> None:
    plan = found(*both, "--judge", "http://127.0.0.1:9/v1#none", "--protocol", "portia", "--dry-run")
    assert plan["questions"] == "20 to 60"
    assert found(*both, "-j", "a", "-j", "b", "-p", "vote", "--rounds", 3, "--dry-run")["questions"] == "60"


def test_errors_name_the_option(both: tuple[Path, Path], tmp_path: Path) -> None:
    pairs = write(tmp_path / "pairs.jsonl", [{"prompt": "q", "a": "x", "b": "y"}])
    odd = write(tmp_path / "odd.jsonl", [{"foo": 1}])
    assert "where: --judge, --recorded" in failed(*both)
    assert "verdicts come from a judge or from the file, not from both" in failed(*both, "-j", "x", "--recorded")
    assert "--merge soft with --protocol vote" in failed(*both, "-j", "x", "-p", "vote", "--merge", "soft")
    assert "did you mean 'swap'" in failed(*both, "-j", "x", "-p", "swp")
    assert "the file holds answers and no verdicts" in failed(pairs, "--recorded")
    assert "the columns foo hold no pairs of answers" in failed(odd, "-j", "x")
    assert "neither file has answers in a column 'gold2'" in failed(*both, "-j", "x", "--reference", "gold2")
    assert "an endpoint replies in words" in failed(*both, "-j", "http://h/v1#m", "--replies", "letters")
    assert "needs two files of answers" in failed(pairs, "-j", "x", "--answer", "completion")
    wrong = write(tmp_path / "wrong.jsonl", [{"input": "q", "output_1": "x", "output_2": "y", "label": 3}])
    assert "`label` is 3; allowed: 1, 2 (layout llmbar)" in failed(wrong, "--recorded")


def test_a_judge_by_letters_gives_no_grades(both: tuple[Path, Path]) -> None:
    message = failed(*both, "-j", "truing/tiny", "-p", "pointwise", "--replies", "letters", "--limit", 1)
    assert "gives no replies in words" in message


def test_recorded_verdicts_of_real_files(shared_data: Path) -> None:
    hard = found(shared_data / "alpaca-eval/hard/phi-2.json.gz", "--recorded")
    assert (hard["comparison"]["wins"], hard["comparison"]["losses"], hard["comparison"]["ties"]) == (489, 210, 19)
    assert hard["comparison"]["none"] == 6
    soft = found(shared_data / "alpaca-eval/soft/alpaca-7b.json.gz", "--recorded")
    merged = found(shared_data / "alpaca-eval/soft/alpaca-7b.json.gz", "--recorded", "--merge", "conservative")
    # AlpacaEval 2 counts preferences by their grade, the mean of 2 − preference; the sign of each alone says more.
    assert 0 < merged["comparison"]["win_rate"]["value"] - soft["comparison"]["win_rate"]["value"] < 0.05
    assert "counts by its share" in soft["merging"]
    assert "merged: conservative" in merged["merging"]
    # Who was called m, and stood first, was preferred in 346 of 722.
    assert soft["shown_first"]["value"] == pytest.approx(346 / 722)
    people = found(shared_data / "pandalm/testset-v1.json", "--recorded")
    assert people["annotators"]["fleiss_kappa"] == pytest.approx(0.852, abs=0.001)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("auto-j/testdata_pairwise.jsonl.gz", 1258),
        ("judgebench/gpt-4o-2024-05-13.jsonl.gz", 319),
        ("llmbar/natural.json", 94),
    ],
)
def test_real_labels_are_read(name: str, labels: int, shared_data: Path) -> None:
    compared = found(shared_data / name, "--recorded")["comparison"]
    assert compared["wins"] + compared["ties"] + compared["losses"] == labels


def test_a_local_judge_of_real_pairs(shared_data: Path) -> None:
    """The packaged model judges by place: it says so."""
    file = shared_data / "llmbar/natural.json"
    result = found(file, "--judge", "truing/tiny", "--limit", 6, "--protocol", "portia")
    assert result["comparison"]["consistency"]["n"] == 6
    assert sum(result["details"]["stages"].values()) == 6
