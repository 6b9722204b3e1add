"""Pairs that the model judges itself, from a rollout."""

from __future__ import annotations

import pytest

from truing.errors import ModelError
from truing.objectives.algebra.internal import VERDICTS
from truing.rewards.judges.local import LocalJudge, load_policy
from truing.training.online.rollouts import Rollout
from truing.training.online.verdicts import SelfJudged

TEXTS = [["Rome.", "Oslo.", "Rome.", "Rome."], ["Yes.", "No.", "Maybe.", "Never."]]
REWARDS: list[list[float | None]] = [[0.0, 1.0, 0.5, 0.5], [2.0, 1.0, None, 3.0]]


@pytest.fixture(scope="module")
def chooser() -> SelfJudged:
    return SelfJudged(
        LocalJudge(load_policy("truing/tiny")), {"a": "Capital of Norway?", "b": "Is it?"}.__getitem__
    )


def rollout() -> Rollout:
    ids = [[[10 * n + m] for m in range(4)] for n in range(2)]
    return Rollout(0, ["a", "b"], [[1, 2], [1, 3]], ids, TEXTS, REWARDS)


def test_answers_are_paired_as_they_were_drawn(chooser: SelfJudged) -> None:
    rows = chooser(rollout()).take(range(4))
    assert [row["id"] for row in rows] == ["a/0", "a/1", "b/0", "b/1"]
    # The second answer has the higher reward in the first pair; of the last one reward is not known.
    assert [row["completion_ids"] for row in rows] == [[[1], [0]], [[2], [3]], [[10], [11]], [[12], [13]]]
    assert [row["weight"] for row in rows] == [1.0, 0.0, 1.0, 1.0]


def test_each_is_asked_for_in_both_orders(chooser: SelfJudged) -> None:
    data = chooser(rollout())
    decode = chooser.judge.policy.tokenizer.decode
    for name, places in zip(VERDICTS, (("Oslo.", "Rome."), ("Rome.", "Oslo.")), strict=True):
        row = data.parts[name].data.take([0])[0]
        text = decode(row["prompt_ids"])
        assert text.index(f"Answer A:\n{places[0]}") < text.index(f"Answer B:\n{places[1]}")
        replies = [decode(ids).strip() for ids in row["completion_ids"]]
        # The chosen answer is Oslo, whose letter is A in the first question and B in the second.
        assert replies == (["A", "B"] if name == VERDICTS[0] else ["B", "A"])


def test_a_question_that_the_model_cannot_read(chooser: SelfJudged) -> None:
    short = SelfJudged(chooser.judge, chooser.prompt, longest=20)
    with pytest.raises(ModelError, match=r"the model reads 20[\s\S]*record 'a'"):
        short(rollout())
