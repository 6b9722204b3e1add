"""RMU on a model: the distances that the engine works out, and what training moves."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.jobs import model_folder, write_rows
from tests.policies.models import tiny
from truing import align
from truing.errors import ObjectiveError
from truing.objectives import METHODS
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree
from truing.policies.state_targets import StateTarget, asked, unit_vector
from truing.recipe import parse_recipe
from truing.training.prepare import prepare
from truing.training.state_targets import layer_states

TREES = [Tree([5, 6, 7], [[8, 9], [10, 11, 12]]), Tree([4, 3], [[20, 21]])]


@pytest.mark.parametrize("layer", [1, 2])
def test_states_are_those_of_the_models_own_forward(layer: int) -> None:
    """The state at the position before a token predicts it; each branch is run by itself here."""
    model = tiny("llama")
    plain = []
    for tree in TREES:
        for branch in tree.branches:
            ids = torch.tensor([[*tree.prompt, *branch]])
            states = model(input_ids=ids, output_hidden_states=True).hidden_states[layer][0]
            plain.append(states[len(tree.prompt) - 1 : -1])
    expected = torch.cat(plain).detach()
    policy = CausalPolicy(model, precision="float32")
    torch.testing.assert_close(layer_states(policy, TREES, layer), expected, atol=1e-5, rtol=1e-5)
    aim = torch.arange(expected.shape[-1]).float()
    scores = policy.score(
        TREES, comparisons=[StateTarget("away", layer, aim), StateTarget("held", layer, expected)]
    )
    torch.testing.assert_close(scores.derived["away"], (expected - aim).square().sum(-1), rtol=1e-4, atol=1e-4)
    assert float(scores.derived["held"].detach().max()) < 1e-8
    # The log-probabilities are what they are without it.
    torch.testing.assert_close(scores.token_logps, policy.score(TREES).token_logps, atol=1e-5, rtol=1e-5)


def test_no_gradient_reaches_what_lies_after_the_layer() -> None:
    policy = CausalPolicy(tiny("llama"), precision="float32")
    scores = policy.score(TREES, comparisons=[StateTarget("away", 1, torch.ones(1))])
    scores.derived["away"].sum().backward()
    moved = {name for name, p in policy.model.named_parameters() if p.grad is not None and bool(p.grad.any())}
    assert any("layers.0." in name for name in moved)
    assert not any(
        "layers.1." in name or "lm_head" in name or name.endswith("model.norm.weight") for name in moved
    )


def test_names_and_the_direction() -> None:
    away, held = asked("misdirection:7:6.5"), asked("retention:3")
    assert away is not None
    assert held is not None
    assert (away.layer, away.coefficient, held.layer) == (7, 6.5, 3)
    assert asked("kl:reference") is None
    one = unit_vector(64, 0)
    assert float(one.norm()) == pytest.approx(1)
    assert float(one.min()) >= 0
    assert torch.equal(one, unit_vector(64, 0))
    assert not torch.equal(one, unit_vector(64, 1))


def _recipe(folder: Path, **settings: object) -> dict[str, object]:
    model_folder(folder / "model")
    forget = [{"prompt": f"forget {i} bread", "completion": " quick brown fox"} for i in range(8)]
    retain = [{"prompt": f"{i} dog", "completion": " water salt yeast"} for i in range(8)]
    return {
        "model": str(folder / "model"),
        "data": {
            "path": str(write_rows(folder / "forget.jsonl", forget)),
            "parts": {"retain": str(write_rows(folder / "retain.jsonl", retain))},
            "eval_fraction": 0,
        },
        "objective": {"name": "rmu", "layer": 1, "coefficient": 4.0, "alpha": 5.0, **settings},
        "training": {
            "max_steps": 60,
            "global_batch": 8,
            "learning_rate": 3e-3,
            "schedule": "constant",
            "precision": "float32",
        },
        "output": str(folder / "out"),
    }


@pytest.mark.slow
def test_training_misdirects_what_is_to_be_forgotten_and_nothing_else(tmp_path: Path) -> None:
    recipe = _recipe(tmp_path)
    prepared = prepare(parse_recipe(recipe))
    data = prepared.train.examples
    forget = data.trees(range(8))
    retain = data.parts["retain"].data.trees(range(8))
    align(recipe)
    before, after = (
        CausalPolicy(AutoModelForCausalLM.from_pretrained(tmp_path / name).float(), precision="float32")
        for name in ("model", "out/model")
    )
    aim = 4.0 * unit_vector(32, 0)

    def away(policy: CausalPolicy) -> float:
        return float((layer_states(policy, forget, 1) - aim).square().sum(-1).mean())

    moved = (layer_states(after, retain, 1) - layer_states(before, retain, 1)).square().sum(-1).mean()
    assert away(after) < 0.3 * away(before)
    assert float(moved) < 0.1 * (away(before) - away(after))


def test_a_layer_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ObjectiveError, match=r"layer 3, and the model has 2"):
        prepare(parse_recipe(_recipe(tmp_path, layer=3)))


def test_what_it_asks_for() -> None:
    objective = METHODS.get("rmu").configure({"layer": 2, "coefficient": 3.0})
    assert objective.requires >= {"derived:misdirection:2:3", "derived:retention:2", "part:retain"}
    assert objective.data == {"unwanted"}
