"""Proposals keep what stands before their cut, grow to their end, and do not wait for each other."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tests.decoding.test_methods import PROMPTS, Letters, vowels
from truing.decoding.engine import ModelEngine
from truing.decoding.proposals import Proposals
from truing.decoding.rolling import finish, open_ended
from truing.decoding.task import Task, Worth
from truing.policies.causal import CausalPolicy
from truing.policies.generation import Sampling

LIMIT = 12


@pytest.fixture
def task() -> Task:
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=30,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        eos_token_id=1,
    )
    engine = ModelEngine(CausalPolicy(LlamaForCausalLM(config).eval(), Letters()))  # type: ignore[arg-type]
    sampling = Sampling(max_new_tokens=LIMIT, temperature=1.0)
    return Task(engine, [""] * 3, PROMPTS, sampling, Worth(vowels))


def walked(task: Task, seed: int) -> tuple[list[tuple[int, list[int], list[int]]], Proposals]:
    """Ten steps of six chains that take every other proposal: (chain, answer before, proposal)."""
    generator = torch.Generator().manual_seed(seed)
    rows = task.engine.rows(task.encoded, 2)
    finish(rows, task.engine.ends, task.sampling, torch.rand(6, LIMIT, generator=generator, dtype=torch.float64))
    proposals = Proposals(task, rows, generator)
    left = dict.fromkeys(range(6), 10)
    seen = []
    while proposals.chains:
        ended = proposals.ended()
        for chain in ended:
            seen.append((chain, list(rows.tokens[chain]), list(proposals.tokens(chain))))
            left[chain] -= 1
        taken = [chain for chain in ended if left[chain] % 2]
        proposals.accept(taken)
        for chain in taken:
            assert rows.tokens[chain] == proposals.tokens(chain)
        proposals.leave([chain for chain in ended if not left[chain]])
        proposals.begin([chain for chain in ended if left[chain]])
    return seen, proposals


def test_every_proposal_has_ended_and_shares_a_beginning(task: Task) -> None:
    with torch.no_grad():
        seen, _ = walked(task, 0)
    assert len(seen) == 60
    shared = []
    for _, before, proposal in seen:
        assert not open_ended(proposal, task.engine.ends, LIMIT)
        same = [a == b for a, b in zip(before, proposal, strict=False)]
        shared.append(same.index(False) if False in same else len(same))
    # A cut of an answer of twelve tokens is uniform on 0 to 11.
    assert 3 < sum(shared) / len(shared) < 8


def test_tokens_are_counted_as_they_are_drawn(task: Task) -> None:
    """A token that is pushed again because what follows it must be known was drawn before."""
    with torch.no_grad():
        _, proposals = walked(task, 1)
    drawn = task.answer_tokens
    passes = task.engine.work.passes
    assert 0 < drawn < 60 * LIMIT
    # Sixty proposals of up to twelve tokens; if chains waited for the longest of six, ten steps would take more.
    assert passes < 10 * (LIMIT - 1)
    assert proposals.chains == []


def test_rows_know_what_a_model_says_after_them(task: Task) -> None:
    """After cuts without logits, copies and drops, a proposal's logits are those of its text run alone."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        rows = task.engine.rows(task.encoded, 2)
        finish(
            rows, task.engine.ends, task.sampling, torch.rand(6, LIMIT, generator=generator, dtype=torch.float64)
        )
        proposals = Proposals(task, rows, generator)
        for _ in range(8):
            ended = proposals.ended()
            proposals.accept(ended[:1])
            proposals.leave(ended[1:2] if len(proposals.chains) > 3 else [])
            proposals.begin([chain for chain in ended if chain in proposals.chains])
        proposals.ended()
        grown = proposals._grown
        for row, tokens in enumerate(grown.tokens):
            text = [*PROMPTS[int(grown.prompt[row])], *tokens]
            alone = task.engine.policy.model(input_ids=torch.tensor([text])).logits[0, -1]  # type: ignore[attr-defined]
            torch.testing.assert_close(grown.logits[row], alone.float(), atol=2e-5, rtol=1e-4)
