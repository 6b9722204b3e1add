"""``truing data rationales`` as a user types it, with a stub in a model's place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import truing, write_rows
from tests.rewards.judges.stub import Answer, serving
from truing.data.derive.base import PARTS
from truing.data.sources import load

GOOD = "The preferred answer is kinder and says what to do; the other answer does not care."


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_real_pairs_and_a_stub(tmp_path: Path) -> None:
    """Two of six first replies are of no use; one is mended, the other never, and its pair has no rationale."""

    def judge(number: int, body: dict[str, Any]) -> Answer:
        messages = body["messages"]
        if "worst person" in messages[1]["content"]:
            return Answer("Answer A is better.")
        if "alcohol" in messages[1]["content"] and len(messages) == 2:
            return Answer("The first response is better.")
        return Answer(f"Rationale: {GOOD}")

    out = tmp_path / "out"
    with serving(judge) as stub:
        command = ["data", "rationales", "truing/hh-sample", "--model", f"{stub.url}#stub", "-o", out]
        command += ["--limit", "6", "--price-in", "2", "--price-out", "10", "--json"]
        ended = truing(command, tmp_path / "p")
        assert ended.code == 0, ended.err
        made = json.loads(ended.out)
        asked = len(stub.requests)
        again = json.loads(truing(command, tmp_path / "p").out)
        assert len(stub.requests) == asked, "a question was asked twice"
    assert (made["pairs"], made["rationales"], made["mended"], made["faults"]) == (6, 5, 1, {"place": 1})
    # Six first questions and two more, 100 tokens in and 10 out each: 8 · (100 · 2 + 10 · 10) / 10^6.
    assert (made["usage"]["calls"], made["usage"]["cost"]) == (8, pytest.approx(8 * 300e-6))
    assert (again["rationales"], again["usage"]["calls"], again["usage"]["cached"]) == (5, 0, 8)
    follow = next(body for body in stub.requests if len(body["messages"]) == 4 and "alcohol" in str(body))
    assert "calls an answer by its place" in follow["messages"][-1]["content"]
    assert [row["fault"] for row in _rows(out / "unused.jsonl")] == ["place"]

    written = load(out / "pairs.jsonl")
    given = load("truing/hh-sample", limit=6)
    assert [(row["prompt"], row["chosen"], row["rejected"]) for row in written] == [
        (row["prompt"], row["chosen"], row["rejected"]) for row in given
    ]
    part = PARTS.get("rationale")(written, 0)
    assert len(part) == 5
    assert {row["completion"][0]["content"] for row in part} == {GOOD}


def test_both_orders_occur_and_both_answers_are_shown(tmp_path: Path) -> None:
    pairs = [
        {"id": str(n), "prompt": f"Say {n}.", "chosen": f"{n} it is.", "rejected": "No idea."} for n in range(24)
    ]
    data = write_rows(tmp_path / "pairs.jsonl", pairs)
    with serving(lambda number, body: Answer(GOOD)) as stub:
        command = ["data", "rationales", data, "--model", f"{stub.url}#stub", "--variant", "general"]
        assert truing([*command, "-o", tmp_path / "out"], tmp_path / "p").code == 0
        firsts = [text.index("<<< preferred answer") < text.index("<<< other answer") for text in stub.asked]
    assert 4 < sum(firsts) < 20
    assert all("No idea." in text and "quote neither answer" in text for text in stub.asked)


def test_the_packaged_model_writes_and_a_run_reads(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["data", "rationales", "truing/hh-sample", "--model", "truing/tiny", "-o", out, "--limit", "4"]
    plan = truing([*command, "--dry-run", "--json"], tmp_path / "p")
    assert json.loads(plan.out)["replies, at most"] == 8
    assert not out.exists()
    ended = truing([*command, "--max-new-tokens", "8"], tmp_path / "p")
    assert ended.code == 0, ended.err
    assert "with a rationale" in ended.out
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f"model: truing/tiny\ndata: {{path: {out / 'pairs.jsonl'}, max_length: 256}}\nobjective: rationale-po\n"
        f"training: {{max_steps: 1, global_batch: 2}}\noutput: {tmp_path / 'run'}\n"
    )
    ended = truing(["align", recipe, "--dry-run"], tmp_path / "p")
    assert ended.code == 0, ended.err


def test_a_writer_of_no_use(tmp_path: Path) -> None:
    with serving(lambda number, body: Answer("The second response is better.")) as stub:
        command = ["data", "rationales", "truing/hh-sample", "--model", f"{stub.url}#stub", "--limit", "2"]
        ended = truing([*command, "-o", tmp_path / "out"], tmp_path / "p")
    assert "none of 2 rationales can be used" in ended.mistake()
    assert "calls an answer by its place" in ended.err


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([{"prompt": "a", "chosen": "b", "rejected": "c"}], ["--variant", "detail"], "did you mean 'detailed'"),
        ([{"prompt": "a", "completion": "b"}], [], "the objective cannot learn from demonstrations"),
        ([{"prompt": "a", "chosen": "b", "rejected": "c"}], ["--model", "http://localhost:1"], "#MODEL"),
    ],
)
def test_mistakes(rows: list[dict[str, Any]], options: list[str], message: str, tmp_path: Path) -> None:
    data = write_rows(tmp_path / "rows.jsonl", rows)
    ended = truing(
        ["data", "rationales", data, "--model", "truing/tiny", *options, "-o", tmp_path / "out"], tmp_path / "p"
    )
    assert message in ended.mistake()
