"""Contexts in prompts, and reversals."""

from __future__ import annotations

import json

from truing.data.derive import in_context, relabelled
from truing.data.derive.context import CRITERIA, every_reversal, reversals, with_context
from truing.data.sources import load

PAIR = {
    "id": "7",
    "prompt": "\n\nHuman: Hello.\n\nAssistant:",
    "chosen": " I am well. And you?",
    "rejected": " Fine.",
}


def test_where_a_context_stands():
    assert in_context("Say hello.", "Be brief.") == "Be brief.\n\nSay hello."
    assert in_context(PAIR["prompt"], "Be brief.") == "Be brief.\n\nHuman: Hello.\n\nAssistant:"
    turns = [{"role": "user", "content": "Hi"}]
    assert in_context(turns, "Be brief.") == [{"role": "system", "content": "Be brief."}, *turns]
    system = [{"role": "system", "content": "You are kind."}, *turns]
    assert in_context(system, "Be brief.")[0]["content"] == "You are kind.\n\nBe brief."
    assert system[0]["content"] == "You are kind."


def test_a_row_without_a_context_stays():
    assert list(with_context({**PAIR, "context": None})) == [{**PAIR, "context": None}]


def test_both_orders_of_a_pair():
    """Five words against one: the longer is chosen under one context, the shorter under the other."""
    more, less = reversals(CRITERIA["length"], PAIR)
    assert (more["chosen"], more["rejected"]) == (less["rejected"], less["chosen"]) == (PAIR["chosen"], " Fine.")
    assert more["context"] == "Prefer the longer answer."
    assert less["context"] == "Prefer the shorter answer."
    assert {row["id"] for row in every_reversal(PAIR)} == {
        f"7/{name}{sign}" for name in ("length", "questions", "first-person") for sign in "+-"
    }


def test_equal_answers_have_no_reversal():
    assert list(reversals(CRITERIA["questions"], {**PAIR, "chosen": " Yes.", "rejected": " No."})) == []


def test_reversals_of_real_rows_balance(shared_data):
    records = load(str(shared_data / "hh-rlhf" / "harmless-base-test.jsonl.gz"), limit=60)
    made = relabelled(records, ["reversals"]).dataset
    names = ("prompt", "chosen", "rejected")
    pairs = {(*(json.dumps(row[name]) for name in names), row["source"]) for row in made}
    assert len(pairs) > 100
    assert all((prompt, rejected, chosen, source) in pairs for prompt, chosen, rejected, source in pairs)


def test_reversals_stay_on_one_side_of_the_split(tmp_path):
    """Prompts are held out before reversals are made, so that both orders of a pair stand on one side."""
    from truing.rewards.models.training import reward_recipe
    from truing.training.splits import load_splits

    path = tmp_path / "pairs.jsonl"
    rows = [{**PAIR, "id": str(n), "prompt": f"\n\nHuman: Hello {n}.\n\nAssistant:"} for n in range(20)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    recipe = reward_recipe(
        {
            "model": "truing/tiny",
            "data": {"path": str(path), "eval_fraction": 0.3, "relabel": ["reversals", "context-aware-pm"]},
            "output": str(tmp_path / "run"),
        }
    )
    train, held = load_splits(recipe)
    sides = [{name.split("/")[0] for name in side.dataset["id"]} for side in (train, held)]
    assert not sides[0] & sides[1]
    assert len(train) == 14 * 6
    assert all("Prefer the" in prompt for prompt in held.dataset["prompt"])
