"""A judge in a local folder."""

import math

import pytest
import torch

from truing.errors import ModelError, ObjectiveError
from truing.recipe.online import RewardsSection
from truing.rewards.algebra import skew
from truing.rewards.build import build
from truing.rewards.judges.local import LocalJudge, load_policy
from truing.rewards.judges.pairs import Tables


@pytest.fixture(scope="module")
def judge() -> LocalJudge:
    return LocalJudge(load_policy("truing/tiny"))


PROMPTS, FIRST, SECOND = ["What is rain?", "Why?"], ["Water that falls.", "So."], ["No.", "Because it is late."]


def test_equals_plain_transformers(judge: LocalJudge) -> None:
    """Both letters scored by the model's own forward pass over the whole text."""
    policy = judge.policy
    tree = judge.tree(PROMPTS[0], FIRST[0], SECOND[0])
    logps = []
    for branch in tree.branches:
        ids = torch.tensor([[*tree.prompt, *branch]])
        with torch.no_grad():
            found = torch.log_softmax(policy.model(input_ids=ids).logits[0].double(), -1)
        places = range(len(tree.prompt) - 1, ids.shape[1] - 1)
        logps.append(sum(float(found[place, ids[0, place + 1]]) for place in places))
    order = judge.orders(PROMPTS[:1], FIRST[:1], SECOND[:1])[0, 0]
    assert float(order) == pytest.approx(logps[0] - logps[1], abs=1e-4)


def test_exchanging_the_answers_changes_the_sign(judge: LocalJudge) -> None:
    there, back = judge.compare(PROMPTS, FIRST, SECOND), judge.compare(PROMPTS, SECOND, FIRST)
    assert torch.allclose(there, -back, atol=1e-9)
    assert float(there.abs().max()) > 0
    assert torch.allclose(judge.compare(["p"], ["same"], ["same"]), torch.zeros(1, dtype=torch.float64), atol=1e-9)


def test_what_it_prefers_about_the_letters_cancels(judge: LocalJudge, monkeypatch: pytest.MonkeyPatch) -> None:
    there = judge.compare(PROMPTS, FIRST, SECOND)
    right = LocalJudge.orders
    monkeypatch.setattr(LocalJudge, "orders", lambda *args: right(*args) + 5.0)
    assert torch.allclose(judge.compare(PROMPTS, FIRST, SECOND), there, atol=1e-9)


def test_does_not_depend_on_the_batch(judge: LocalJudge) -> None:
    together = judge.compare(PROMPTS, FIRST, SECOND)
    alone = [judge.compare([p], [a], [b])[0] for p, a, b in zip(PROMPTS, FIRST, SECOND, strict=True)]
    assert torch.allclose(together, torch.stack(alone), atol=1e-5)


def test_a_table_is_skew(judge: LocalJudge) -> None:
    table = skew(Tables(judge)("What is rain?", ["Water.", "No.", "It is late."]))
    assert float(table[0, 1]) == pytest.approx(
        float(judge.compare(["What is rain?"], ["Water."], ["No."])), abs=1e-5
    )


def test_in_a_recipe() -> None:
    spec = {"name": "model-judge", "model": "truing/tiny", "column": "other"}
    pipeline = build(RewardsSection.model_validate({"rewards": [spec]}))
    reward = pipeline.judge(["p"] * 2, ["a b", "c"], columns={"other": ["d", None]}).reward
    assert math.isfinite(float(reward[0]))
    assert math.isnan(float(reward[1]))
    # Nothing to judge is no error.
    assert math.isnan(float(pipeline.judge(["p"], ["a"], columns={"other": [None]}).reward[0]))


def test_a_judge_that_cannot_be_used(judge: LocalJudge) -> None:
    with pytest.raises(ObjectiveError, match="model-judge has no model"):
        build(RewardsSection.model_validate({"rewards": ["model-judge"]}))
    with pytest.raises(ModelError, match="no model folder"):
        build(RewardsSection.model_validate({"rewards": [{"name": "model-judge", "model": "./nowhere"}]}))
    without = type("Policy", (), {"tokenizer": None})()
    with pytest.raises(ModelError, match="a judge needs its tokenizer"):
        LocalJudge(without).compare(["p"], ["a"], ["b"])
