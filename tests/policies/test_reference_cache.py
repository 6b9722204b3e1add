"""Reference log-probabilities: found again when they must be, computed again when they must be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model

from tests.policies.models import tiny
from tests.policies.reference_scores import random_trees
from truing.policies import reference_cache
from truing.policies.causal import CausalPolicy
from truing.policies.reference_cache import reference_logps


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_cache, "SHARD_TREES", 2)


def _policy(seed: int = 0) -> CausalPolicy:
    return CausalPolicy(tiny("llama", seed), precision="float32")


@pytest.mark.usefixtures("small_shards")
def test_second_run_reads_what_the_first_wrote(tmp_path: Path) -> None:
    trees = random_trees()
    first = reference_logps(_policy(), trees, folder=tmp_path)
    second = reference_logps(_policy(), trees, folder=tmp_path)
    assert (first.reused, second.reused) == (0.0, 1.0)
    np.testing.assert_array_equal(first.values, second.values)
    expected = _policy().score_all(trees).token_logps.numpy()
    np.testing.assert_allclose(first.values, expected, atol=1e-5)


@pytest.mark.usefixtures("small_shards")
def test_a_killed_run_goes_on_with_the_next_shard(tmp_path: Path) -> None:
    trees = random_trees()
    reference_logps(_policy(), trees[:2], folder=tmp_path)
    assert reference_logps(_policy(), trees, folder=tmp_path).reused == 0.5


def test_other_weights_tokens_or_precision_are_other_entries(tmp_path: Path) -> None:
    trees = random_trees()
    reference_logps(_policy(), trees, folder=tmp_path)
    assert reference_logps(_policy(seed=1), trees, folder=tmp_path).reused == 0.0
    changed = [*trees[:3], type(trees[3])(trees[3].prompt, [[9], *trees[3].branches[1:]])]
    assert reference_logps(_policy(), changed, folder=tmp_path).reused == 0.0
    low = CausalPolicy(tiny("llama"), precision="bfloat16")
    assert reference_logps(low, trees, folder=tmp_path).reused == 0.0


def test_a_damaged_file_is_computed_again(tmp_path: Path) -> None:
    trees = random_trees()
    expected = reference_logps(_policy(), trees, folder=tmp_path).values
    (stored,) = tmp_path.rglob("*.safetensors")
    stored.write_bytes(b"not safetensors")
    found = reference_logps(_policy(), trees, folder=tmp_path)
    assert found.reused == 0.0
    np.testing.assert_array_equal(found.values, expected)


def test_an_adapter_shares_the_entry_of_its_base(tmp_path: Path) -> None:
    trees = random_trees()
    base = reference_logps(_policy(), trees, folder=tmp_path)
    adapted = get_peft_model(tiny("llama"), LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.fill_(0.1)
    policy = CausalPolicy(adapted, precision="float32")
    found = reference_logps(policy, trees, folder=tmp_path)
    assert found.reused == 1.0
    # And without the cache, the adapter is switched off for it.
    np.testing.assert_allclose(reference_logps(policy, trees, use_cache=False).values, base.values, atol=1e-5)
    assert not np.allclose(policy.score_all(trees).token_logps.numpy(), base.values, atol=1e-3)


def test_values_of_some_trees(tmp_path: Path) -> None:
    trees = random_trees()
    values = reference_logps(_policy(), trees, folder=tmp_path)
    expected = torch.cat([_policy().score_all([trees[i]]).token_logps for i in (2, 0)])
    torch.testing.assert_close(values.of([2, 0]), expected, atol=1e-5, rtol=1e-5)
