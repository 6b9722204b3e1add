"""Benchmarks add up as their authors do, and judges are asked in both orders."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from truing.data import load
from truing.errors import DataError, TruingError
from truing.rewards.evaluation.benchmarks import CONVENTIONS, benchmark_scores, combined
from truing.rewards.evaluation.orders import order_report, settled
from truing.rewards.evaluation.rewrites import REWRITES, rewritten, stability
from truing.rewards.evaluation.run import drawn, evaluate_rewards, subsets_of
from truing.statistics import rate


def scored(layout: str, parts: dict[str, list[float]]) -> dict[str, float]:
    right = np.array([value for values in parts.values() for value in values])
    subsets = [name for name, values in parts.items() for _ in values]
    found = benchmark_scores(right, subsets, np.zeros(len(right), dtype=int), CONVENTIONS[layout])
    return {
        **{name: e.value for name, e in found.sections.items()},
        "average": found.average.value,
        "pooled": found.pooled.value,
    }


def test_reward_bench_weighs_mathematics_like_all_of_the_code() -> None:
    """Reasoning: (984·1 + 6·164·½) / (984 + 984) = ¾, whatever the numbers of pairs. Chat pools its subsets: 3 of 4."""
    code = {name: [1.0, 0.0] for name in ("hep-cpp", "hep-go", "hep-java", "hep-js", "hep-python", "hep-rust")}
    chat = {"alpacaeval-easy": [1.0, 1.0, 1.0], "mt-bench-med": [0.0]}
    found = scored(
        "reward-bench", {"math-prm": [1.0], **code, **chat, "llmbar-natural": [0.0], "mt-bench-hard": [1.0]}
    )
    assert found["Reasoning"] == pytest.approx(0.75)
    assert found["Chat"] == pytest.approx(0.75)
    assert found["Chat Hard"] == pytest.approx(0.5)
    assert found["average"] == pytest.approx((0.75 + 0.75 + 0.5) / 3)
    assert "Safety" not in found


def test_judge_bench_puts_all_fields_of_knowledge_together() -> None:
    found = scored("judgebench", {"mmlu-pro-math": [1.0], "mmlu-pro-law": [0.0, 0.0], "livebench-math": [1.0]})
    assert found["Knowledge"] == pytest.approx(1 / 3)
    assert found["Mathematics"] == 1.0
    assert found["pooled"] == 0.5
    assert CONVENTIONS["judgebench"].pooled


def test_an_interval_of_one_section_is_its_own_and_of_two_is_narrower() -> None:
    one = rate(30, 40)
    assert combined([one], [3.0]) == one
    two = combined([one, one], [1.0, 1.0])
    assert two.value - two.low == pytest.approx((one.value - one.low) / math.sqrt(2))


def test_a_judge_that_likes_the_first_place_contradicts_itself() -> None:
    """Four pairs: right in both orders; wrong in both; the first place wins twice; a tie in both."""
    orders = np.array([[1.0, 2.0], [-1.0, -1.0], [3.0, -3.0], [0.0, 0.0]])
    found = order_report(orders)
    assert found.consistent.value == 0.75
    assert found.first.value == pytest.approx((0.5 + 0.5 + 1.0 + 0.5) / 4)
    assert found.strict.value == pytest.approx((1 + 0 + 0 + 0.5) / 4)
    assert found.lenient.value == pytest.approx((1 + 0 + 0.5 + 0.5) / 4)
    assert settled(orders, 0.0).tolist() == [1.0, 0.0, 0.0, 0.5]
    assert settled(np.array([[np.nan, 1.0]]), 0.5).tolist() == [0.5]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("whitespace", "One. Two! Three", "One.  Two!  Three"),
        ("casing", " apples are fruit", " Apples are fruit"),
        ("punctuation", "Yes.", "Yes"),
        ("punctuation", "Yes\n", "Yes.\n"),
        ("punctuation", "`x = 1`", "`x = 1`"),
        ("synonyms", "use a small house, User", "employ a little house, User"),
    ],
)
def test_rewrites(name: str, before: str, after: str) -> None:
    assert REWRITES[name](before) == after


def test_one_answer_of_a_pair_is_rewritten() -> None:
    rows = [
        {"prompt": "a", "chosen": "Yes.", "rejected": "No."},
        {"prompt": "b", "chosen": "Yes.", "rejected": "No."},
        {"prompt": "c", "chosen": "(", "rejected": "No."},
        {"prompt": "d", "chosen": "(", "rejected": ")"},
    ]
    changed, sides = rewritten(load(rows), REWRITES["punctuation"])
    assert sides == {"1": "chosen", "2": "rejected", "3": "rejected"}
    assert [(row["chosen"], row["rejected"]) for row in changed] == [("Yes", "No."), ("Yes.", "No"), ("(", "No")]


def test_a_reward_that_likes_a_new_form_is_told() -> None:
    """The rewritten side gains 1 in each of two pairs; the second pair changes its order."""
    found = stability({"a": 2.0, "b": 0.5}, {"a": 3.0, "b": -0.5}, {"a": "chosen", "b": "rejected"})
    assert found.same_order.value == 0.5
    assert found.shift.value == 1.0
    assert stability({"a": 2.0}, {"a": 1.0}).shift.n == 0
    with pytest.raises(DataError, match="no paraphrased pair has the id"):
        stability({"a": 1.0}, {"b": 1.0})


def test_files_of_a_benchmark_are_its_subsets(tmp_path: Path) -> None:
    row = '{"prompt": "[1] A.", "question": "B?", "chosen": "C", "reject": "D", "subset": "x"}\n'
    for name in ("abstain", "citation"):
        (tmp_path / f"{name}.jsonl").write_text(row)
    records = load(str(tmp_path))
    assert records.layout == "rag-rewardbench"
    assert records.dataset[0]["prompt"] == [{"role": "user", "content": "[1] A.\n\nB?"}]
    assert sorted(subsets_of(records, None).values()) == ["abstain", "citation"]
    assert set(subsets_of(records, "source").values()) == {"x"}
    one = load(str(tmp_path / "abstain.jsonl"))
    assert set(subsets_of(one, None).values()) == {"x"}


def test_a_question_that_stands_in_the_prompt_is_not_asked_twice() -> None:
    row = {"prompt": "[1] A. Answer: B?", "question": "B?", "chosen": "C", "reject": "D", "subset": "x"}
    assert load([row]).dataset[0]["prompt"][0]["content"] == "[1] A. Answer: B?"


def test_a_sample_keeps_the_order() -> None:
    rows = [{"prompt": str(i), "chosen": "a", "rejected": "b"} for i in range(20)]
    kept = [int(row["prompt"]) for row in drawn(load(rows), 5, seed=0)]
    assert len(kept) == 5
    assert kept == sorted(kept)
    assert len(drawn(load(rows), None, seed=0)) == 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": []}, "nothing is to be judged"),
        ({"models": ["a"], "judges": ["a"]}, "named twice"),
        ({"models": ["a"], "sample": 0}, "a sample of 0 pairs"),
    ],
)
def test_mistakes_are_explained(options: dict[str, object], message: str) -> None:
    models = options.pop("models")
    with pytest.raises(TruingError, match=message):
        evaluate_rewards(models, "none.jsonl", **options)  # type: ignore[arg-type]


@pytest.mark.slow
def test_judges_and_implicit_rewards_on_published_pairs(shared_data: Path) -> None:
    """The embedded model as judge and as its own reference, whose implicit reward is 0 of everything."""
    options = {"sample": 8, "max_length": 256, "rewrites": True}
    judged = evaluate_rewards([], str(shared_data / "llmbar"), judges=["truing/tiny"], **options)  # type: ignore[arg-type]
    assert judged.orders["truing/tiny"].consistent.n == 8
    assert judged.benchmark["truing/tiny"].title == "LLMBar"
    assert set(judged.benchmark["truing/tiny"].sections) <= {p.stem for p in (shared_data / "llmbar").iterdir()}
    assert "casing" in judged.stability["truing/tiny"]
    path = str(shared_data / "judgebench" / "gpt-4o-2024-05-13.jsonl.gz")
    own = evaluate_rewards(["truing/tiny"], path, reference="truing/tiny", **options)  # type: ignore[arg-type]
    assert own.reports["truing/tiny"].accuracy.value == 0.5
    assert own.reports["truing/tiny"].ties == 8
    assert own.cut["truing/tiny"]["prompts"] > 0
    assert own.stability["truing/tiny"]["casing"].shift.value == 0


def test_one_section_is_not_called_a_mean() -> None:
    """A file alone names no section; its pairs are all there is."""
    found = benchmark_scores(np.array([1.0, 0.0]), ["", ""], np.array([1, 2]), CONVENTIONS["llmbar"])
    (line,) = found.sentences()
    assert line.startswith("LLMBar: 50.0% (")
    assert "mean of" not in line
