from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import pytest
from transformers import LlamaForCausalLM

from truing.policies.causal import CausalPolicy

from .setup import Row, hh_pairs, model, perturbed, random_pairs


@dataclass(frozen=True)
class Models:
    """The policy and its reference, as plain models in both precisions and on Truing's engine."""

    policy: LlamaForCausalLM
    reference: LlamaForCausalLM
    policy64: LlamaForCausalLM
    reference64: LlamaForCausalLM
    engine: CausalPolicy
    reference_engine: CausalPolicy


@pytest.fixture(scope="session")
def models() -> Models:
    reference = model()
    policy = perturbed(reference)
    return Models(
        policy,
        reference,
        copy.deepcopy(policy).double(),
        copy.deepcopy(reference).double(),
        CausalPolicy(copy.deepcopy(policy), precision="float32"),
        CausalPolicy(copy.deepcopy(reference), precision="float32"),
    )


@pytest.fixture(params=["random", "hh-rlhf"])
def pairs(request: pytest.FixtureRequest) -> list[Row]:
    """Random pairs, and real ones where the shared data are at hand."""
    if request.param == "random":
        return random_pairs()
    data: Path = request.getfixturevalue("shared_data")
    return hh_pairs(data)
