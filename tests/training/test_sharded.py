"""Weights sharded over processes (FSDP2): the engine scores through them, and gathers them at the end."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.jobs import job
from tests.training.runs import in_two_processes

TWO_PROCESSES = """
import sys, torch
from pathlib import Path
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from truing.policies import llama_stack
from truing.recipe import load_recipe
from truing.training.distributed import World
from truing.training.prepare import prepare
from truing.training.whole import gathered

torch.distributed.init_process_group("gloo")
mesh = torch.distributed.init_device_mesh("cpu", (2,))
prepared = prepare(load_recipe(sys.argv[1], sys.argv[3:]))
policy, trees = prepared.policy, prepared.train.examples.trees(range(6))
policy.model.train()

def gradients():
    return {n: getattr(p.grad, "full_tensor", lambda p=p: p.grad)().clone()
            for n, p in policy.model.named_parameters() if p.grad is not None}

plain = policy.score(trees).token_logps
(plain ** 2).mean().backward()
expected = gradients()
policy.model.zero_grad()
before = {n: p.detach().clone() for n, p in policy.model.named_parameters()}
for layer in policy.inner.model.layers:
    fully_shard(layer, mesh=mesh)
fully_shard(policy.model, mesh=mesh)
assert all(isinstance(p, DTensor) for p in policy.model.parameters())
assert not llama_stack.supports(policy.inner, policy.request(trees).layout)
sharded = policy.score(trees).token_logps
(sharded ** 2).mean().backward()
found = gradients()
whole = gathered(prepared)
after = {n: p.detach() for n, p in whole.policy.model.named_parameters()}
if World.current().is_main:
    torch.save([plain.detach(), sharded.detach(), expected, found, before, after], Path(sys.argv[2]))
else:
    assert whole is prepared
"""


@pytest.mark.slow
@pytest.mark.parametrize("adapter", [False, True])
def test_sharded_weights_give_the_same_numbers(adapter: bool, tmp_path: Path) -> None:
    script, out = tmp_path / "two.py", tmp_path / "out.pt"
    script.write_text(TWO_PROCESSES)
    extra = ["training.peft=lora"] if adapter else []
    in_two_processes(script, job(tmp_path), out, *extra, TRUING_CACHE=str(tmp_path / "cache"))
    plain, sharded, expected, found, before, after = torch.load(out)
    torch.testing.assert_close(sharded, plain, atol=1e-5, rtol=0)
    assert found.keys() == expected.keys()
    assert any(("lora" in name) for name in found) == adapter
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-5, rtol=1e-4)
    assert after.keys() == before.keys()
    for name, weight in before.items():
        torch.testing.assert_close(after[name], weight, atol=0, rtol=0)
