"""What a model thinks of answers: the same as adding its log-probabilities up by hand."""

from __future__ import annotations

import pytest
import torch

from truing.data.synthesis.teacher import answer_scores
from truing.policies.loading import load_model
from truing.rewards.judges.local import load_policy


def test_the_mean_over_tokens_is_that_of_a_plain_forward_pass() -> None:
    """Prompt and answer are tokenised together by a space; the end-of-sequence token counts, as in training."""
    policy = load_policy("truing/tiny")
    tokenizer = policy.tokenizer
    assert tokenizer is not None
    asked = [("Input: a\nOutput:", " yes"), ("Input: a long one\nOutput:", " no, not at all")]
    done: list[tuple[int, int]] = []
    found = answer_scores(policy, asked, progress=lambda *at: done.append(at))
    assert done == [(2, 2)]
    model = load_model("truing/tiny").eval()
    for (prompt, answer), score in zip(asked, found, strict=True):
        bos = [tokenizer.bos_token_id] if tokenizer.bos_token_id is not None else []
        head = [*bos, *tokenizer(prompt, add_special_tokens=False)["input_ids"]]
        tail = [*tokenizer(answer, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        ids = torch.tensor([[*head, *tail]])
        with torch.no_grad():
            logps = model(ids).logits[0].double().log_softmax(-1)
        own = [float(logps[len(head) + place - 1, token]) for place, token in enumerate(tail)]
        assert score == pytest.approx(sum(own) / len(own), abs=1e-4)
