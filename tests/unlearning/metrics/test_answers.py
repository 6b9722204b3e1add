"""Scoring of questions through the policy engine."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from truing.data import load
from truing.data.text import TextEncoder
from truing.errors import DataError, ModelError
from truing.unlearning.items import Item
from truing.unlearning.metrics.answers import encode, score

ITEMS = [
    Item("Who?", "Nobody at all.", paraphrased_answer="No one.", perturbed_answer=("Ann.", "Bob and Eve.")),
    Item("Where?", "In Oslo.", perturbed_answer=("In Rome.",)),
]


def test_tokens_are_those_of_training(tokenizer):
    rows = [{"question": item.question, "answer": item.answer} for item in ITEMS]
    trained = TextEncoder(tokenizer).encode(load(rows), cache=False).dataset
    found = encode(ITEMS, tokenizer)
    assert found.prompts == trained["prompt_ids"]
    assert [branches[0] for branches in found.branches] == [row[0] for row in trained["completion_ids"]]
    # answer, paraphrase and two wrong ones; answer and one wrong one
    assert [len(branches) for branches in found.branches] == [4, 2]
    # the token that ends the turn is not content
    assert found.content == [len(row[0]) - 1 for row in trained["completion_ids"]]


def test_scores_are_the_model_s_own(make_policy, tokenizer):
    policy, encoded = make_policy(), encode(ITEMS, tokenizer)
    found = score(policy, encoded)
    plain = make_policy().model

    def alone(prompt, answer):
        with torch.no_grad():
            logits = plain(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
        logps = logits.log_softmax(-1)
        return logps.gather(1, torch.tensor(answer)[:, None])[:, 0].numpy(), logits.argmax(-1).numpy()

    for number, (prompt, branches) in enumerate(zip(encoded.prompts, encoded.branches, strict=True)):
        own, best = alone(prompt, branches[0])
        assert found.answer[number] == pytest.approx(own, abs=1e-5)
        assert (found.correct[number] == (best == np.array(branches[0]))).all()
        rest = [alone(prompt, branch)[0].mean() for branch in branches[1:]]
        wrong = rest[1:] if number == 0 else rest
        assert found.perturbed[number] == pytest.approx(wrong, abs=1e-5)
        # without a paraphrase the answer itself is the right one
        assert found.paraphrased[number] == pytest.approx(rest[0] if number == 0 else own.mean(), abs=1e-5)


def test_the_budget_changes_nothing(make_policy, tokenizer):
    policy, encoded = make_policy(), encode(ITEMS, tokenizer)
    first, second = score(policy, encoded), score(policy, encoded, budget=1)
    assert first.per_token == pytest.approx(second.per_token, abs=1e-6)


def test_a_model_that_diverged_is_refused(make_policy, tokenizer):
    policy = make_policy()
    with torch.no_grad():
        policy.model.model.norm.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="log-probabilities are not numbers") as caught:
        score(policy, encode(ITEMS, tokenizer))
    assert "'Who?'" in caught.value.where


def test_an_answer_of_nothing_is_named(tokenizer):
    with pytest.raises(DataError, match="an empty completion") as caught:
        encode([ITEMS[0], Item("Why?", "Because.", perturbed_answer=(" ",))], tokenizer)
    assert caught.value.where == "question 2: 'Why?'"


def test_a_tokenizer_without_template_needs_one(tokenizer, monkeypatch):
    monkeypatch.setattr(tokenizer, "chat_template", None)
    with pytest.raises(DataError, match="has no chat template"):
        encode(ITEMS, tokenizer)
    assert encode(ITEMS, tokenizer, "chatml").prompts[0]
