"""A tiny random model with the package's own tokenizer, and a small suite."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from truing.policies.causal import CausalPolicy
from truing.policies.loading import load_tokenizer
from truing.unlearning.suite import make_suite


@pytest.fixture(scope="session")
def tokenizer():
    return load_tokenizer("truing/tiny")


@pytest.fixture
def make_policy(tokenizer):
    """Random models, the same for the same seed."""

    def make(seed=0):
        torch.manual_seed(seed)
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=2,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
        return CausalPolicy(LlamaForCausalLM(config).eval(), tokenizer, precision="float32")

    return make


@pytest.fixture(scope="session")
def suite():
    return make_suite(3, 0.34, per_author=4)
