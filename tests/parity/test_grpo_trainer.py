"""TRL's GRPO trainer: value and gradient of its losses on the same answers, off the policy that drew them.

TRL multiplies the KL term by the ratio unless told not to (``use_bias_correction_kl``); the paper does not.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from torch import Tensor
from trl import GRPOConfig, GRPOTrainer

from truing.objectives import Batch, Objective, Scores, dapo, dr_grpo, grpo, gspo

from .compare import EXACT, TOLERANCE
from .setup import COMMON, model, perturbed, tokenizer

GROUPS, SIZE, PROMPT, LONGEST = 3, 4, 5, 9

CASES: list[tuple[Objective, dict[str, Any]]] = [
    (grpo(kl=0.0), {"loss_type": "grpo", "beta": 0.0}),
    (
        grpo(kl=0.3, low=0.1, high=0.3),
        {"loss_type": "grpo", "beta": 0.3, "epsilon": 0.1, "epsilon_high": 0.3, "use_bias_correction_kl": False},
    ),
    (dapo(), {"loss_type": "dapo", "beta": 0.0, "epsilon_high": 0.28}),
    (
        dr_grpo(tokens=LONGEST),
        {"loss_type": "dr_grpo", "beta": 0.0, "scale_rewards": "none", "max_completion_length": LONGEST},
    ),
    (
        gspo(low=0.02, high=0.05),
        {
            "loss_type": "grpo",
            "beta": 0.0,
            "importance_sampling_level": "sequence",
            "epsilon": 0.02,
            "epsilon_high": 0.05,
        },
    ),
]


def drawn() -> dict[str, Tensor]:
    """Answers of 1 to 9 random tokens to 3 prompts, and their rewards."""
    generator = torch.Generator().manual_seed(3)
    count = GROUPS * SIZE
    words = model().config.vocab_size
    lengths = torch.randint(1, LONGEST + 1, (count,), generator=generator)
    prompts = torch.randint(3, words, (GROUPS, PROMPT), generator=generator).repeat_interleave(SIZE, 0)
    return {
        "prompt_ids": prompts,
        "prompt_mask": torch.ones_like(prompts),
        "completion_ids": torch.randint(3, words, (count, LONGEST), generator=generator),
        "completion_mask": (torch.arange(LONGEST) < lengths[:, None]).long(),
        "rewards": torch.rand(count, generator=generator, dtype=torch.float64),
    }


def token_logps(policy: torch.nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Of all completion tokens, padding included."""
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
    logits = policy(input_ids=ids).logits[:, PROMPT - 1 : -1]
    return logits.log_softmax(-1).gather(-1, batch["completion_ids"][..., None])[..., 0]


def advantages(rewards: Tensor, scaled: bool) -> Tensor:
    """As TRL computes them before the loss."""
    groups = rewards.view(GROUPS, SIZE)
    gap = groups - groups.mean(1, keepdim=True)
    return (gap / (groups.std(1, keepdim=True) + 1e-4) if scaled else gap).flatten()


@pytest.mark.parametrize(("objective", "config"), CASES, ids=lambda case: getattr(case, "name", ""))
def test_loss_and_gradient(objective: Objective, config: dict[str, Any], tmp_path: Path) -> None:
    config = dict(config)
    # With a coefficient TRL would load a reference by name; its loss reads the values that are given.
    beta = config.pop("beta")
    base = model().double()
    policy = perturbed(base, scale=0.05).double()
    trainer = GRPOTrainer(
        model=copy.deepcopy(policy),
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        args=GRPOConfig(output_dir=str(tmp_path), num_generations=SIZE, beta=0.0, **{**COMMON, **config}),
        train_dataset=Dataset.from_list([{"prompt": "a"}] * 4),
        processing_class=tokenizer(),
    )
    trainer.beta = beta
    batch = drawn()
    mask = batch["completion_mask"].bool()
    with torch.no_grad():
        old, reference = token_logps(base, batch), token_logps(perturbed(base, seed=5).double(), batch)
    inputs = {
        **batch,
        "advantages": advantages(batch["rewards"], config.get("scale_rewards") != "none"),
        "old_per_token_logps": old,
        "ref_per_token_logps": reference,
        "num_items_in_batch": mask.sum(),
    }
    theirs = trainer.model.eval()
    expected = trainer._compute_loss(theirs, inputs)
    expected.backward()

    own = token_logps(policy, batch)[mask]
    sequence = torch.arange(GROUPS * SIZE)[:, None].expand_as(mask)[mask]
    scores = Scores(own, sequence, GROUPS * SIZE, reference[mask], drawn=old[mask])
    roles = Batch.samples([SIZE] * GROUPS, reward=batch["rewards"])
    loss = objective(scores, roles).loss
    loss.backward()

    ratio = (own.detach() - old[mask]).exp()
    assert float((ratio - 1).abs().max()) > 0.3, "nothing would be clipped"
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=EXACT)
    for (name, parameter), (_, other) in zip(policy.named_parameters(), theirs.named_parameters(), strict=True):
        assert parameter.grad is not None
        largest = float(other.grad.abs().max())
        assert float((parameter.grad - other.grad).abs().max()) <= TOLERANCE * largest, name
