"""Training on whole distributions and with masks that learn along: whatever the engine does, the plain computation."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import kl_div

from tests.policies.models import tiny
from tests.training.distributional import distributional_step, masks_of, train_along
from tests.training.runs import in_two_processes, records, weights
from truing.objectives import METHODS, Batch, Objective, Scores, aot
from truing.objectives.modifiers import lcpo
from truing.training.reference import Live, MovingReference
from truing.training.step import PreferenceStep
from truing.training.token_masks import LearnedMask, activation_mask

OBJECTIVES: dict[str, Objective] = {
    **{name: METHODS.get(name).configure({}) for name in ("tdpo", "sparsepo", "mapo", "dckd", "kl")},
    # The whole batch is scored first: for the labels' reliability, and because pairs are sorted.
    "sparsepo, lcpo": lcpo(METHODS.get("sparsepo").configure({})),
    "aot + kl": aot() + 0.5 * METHODS.get("kl").configure({}),
}


def _gradients(preference_step: PreferenceStep, indices: list[int]) -> tuple[float, Tensor, Tensor]:
    """Loss, and the gradient in all weights and in those of the masks."""
    modules = (preference_step.policy.model, masks_of(preference_step))
    for module in modules:
        module.zero_grad()
    result = preference_step.train(indices, lambda loss, last: loss.backward())
    flat = [
        torch.cat([torch.zeros(0), *(p.grad.flatten() for p in module.parameters() if p.grad is not None)])
        for module in modules
    ]
    return result.loss, flat[0], flat[1]


def _plain(objective: Objective, indices: list[int]) -> tuple[float, Tensor, Tensor]:
    """The same by full logits of every sequence alone, and a mask from states of the reference's own forward pass."""
    trees = records("pairs").trees(indices)
    model, reference, teacher = tiny("llama"), tiny("llama"), tiny("llama", 1)
    torch.manual_seed(5)
    mask = LearnedMask(2, 32).eval()
    own, base, other, states, targets, lengths = [], [], [], [], [], []
    for tree in trees:
        for branch in tree.branches:
            ids, start = torch.tensor([[*tree.prompt, *branch]]), len(tree.prompt) - 1
            own.append(model(input_ids=ids).logits[0, start:-1].log_softmax(-1))
            with torch.no_grad():
                out = reference(input_ids=ids, output_hidden_states=True)
                base.append(out.logits[0, start:-1].log_softmax(-1))
                states.append(torch.stack([layer[0, start:-1] for layer in out.hidden_states]))
                other.append(teacher(input_ids=ids).logits[0, start:-1].log_softmax(-1))
            targets += list(branch)
            lengths.append(len(branch))
    policy, ref, better = torch.cat(own), torch.cat(base), torch.cat(other)
    sequence = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    layers = torch.cat(states, dim=1)
    place = (torch.arange(len(targets)), torch.tensor(targets))
    derived = {
        "kl:reference": kl_div(policy, ref, log_target=True, reduction="none").sum(-1),
        "kl:truing/tiny": kl_div(policy, better, log_target=True, reduction="none").sum(-1),
        "mask:common": mask(layers, sequence),
        "mask:activation": activation_mask(layers, sequence),
    }
    scores = Scores(policy[place], sequence, len(lengths), ref[place], derived=derived)
    batch = Batch.pairs(len(indices))
    state = objective.update(objective.init(), scores.detach(), batch)
    loss = objective(scores, batch, state).loss
    loss.backward()
    found = [
        torch.cat([torch.zeros(0), *(p.grad.flatten() for p in m.parameters() if p.grad is not None)])
        for m in (model, mask)
    ]
    return float(loss.detach()), found[0], found[1]


@pytest.mark.parametrize("budget", [1, 30, 100_000])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_step_in_micro_batches_is_that_of_the_whole_batch(name: str, budget: int) -> None:
    indices = list(range(8))
    loss, gradient, of_masks = _gradients(distributional_step(OBJECTIVES[name], budget=budget), indices)
    expected, wanted, wanted_of_masks = _plain(OBJECTIVES[name], indices)
    assert loss == pytest.approx(expected, abs=1e-5)
    torch.testing.assert_close(gradient, wanted, atol=2e-5 * float(wanted.abs().max() + 1), rtol=1e-3)
    torch.testing.assert_close(of_masks, wanted_of_masks, atol=1e-5, rtol=1e-3)
    assert (len(of_masks) > 0) == name.startswith("sparsepo")
    assert not name.startswith("sparsepo") or of_masks.any()


def test_kl_is_zero_and_at_rest_at_the_reference() -> None:
    loss, gradient, _ = _gradients(distributional_step(METHODS.get("kl").configure({})), list(range(8)))
    assert abs(loss) < 1e-6
    assert float(gradient.abs().max()) < 1e-5


def test_evaluation_has_no_dropout_and_training_has() -> None:
    preference_step = distributional_step(METHODS.get("sparsepo").configure({"reward_sparsity": 0.1}), dropout=0.5)
    first, second = (preference_step.evaluate(list(range(8))).loss for _ in range(2))
    assert first == second
    assert preference_step.evaluate(list(range(8))).loss == pytest.approx(
        distributional_step(preference_step.objective).evaluate(list(range(8))).loss
    )
    one, two = (_gradients(preference_step, list(range(8)))[0] for _ in range(2))
    assert one != two


def _moving(objective: Objective, mix: float, folder: Path) -> list[float]:
    preference_step = distributional_step(objective, live=True)
    source = preference_step.references.own
    assert isinstance(source, Live)
    derived = preference_step.references.derived
    assert derived is not None
    # One model in memory, that both the log-probabilities and the distributions come from.
    derived.models = {**derived.models, "reference": source.policy}
    moving = MovingReference(source.policy.model, 1, mix)
    return train_along(preference_step, folder, companions=[moving])[0]


def test_a_reference_that_follows_at_once_keeps_tdpo_at_its_first_loss(tmp_path: Path) -> None:
    """With a hard update after every step policy and reference are the same in every batch: ln 2 for ever."""
    tdpo = METHODS.get("tdpo").configure({})
    assert _moving(tdpo, 1.0, tmp_path / "a") == pytest.approx([0.6931472] * 6, abs=1e-5)
    assert _moving(tdpo, 1e-6, tmp_path / "b")[-1] < 0.65


TWO_PROCESSES = """
import sys, torch
from pathlib import Path
from tests.training.distributional import distributional_step, train_along
from truing.objectives import METHODS
from truing.training.distributed import World
torch.distributed.init_process_group("gloo")
found = {
    name: train_along(distributional_step(METHODS.get(name)()), Path(sys.argv[1]) / name, seed=42, ddp_backend="gloo")
    for name in ("sparsepo", "dckd")
}
if World.current().is_main:
    torch.save(found, Path(sys.argv[1]) / "found.pt")
"""


@pytest.mark.slow
def test_two_processes_follow_one(tmp_path: Path) -> None:
    script = tmp_path / "two.py"
    script.write_text(TWO_PROCESSES)
    in_two_processes(script, tmp_path)
    found = torch.load(tmp_path / "found.pt")
    for name in ("sparsepo", "dckd"):
        preference_step = distributional_step(METHODS.get(name).configure({}))
        start = weights(masks_of(preference_step)) if name == "sparsepo" else torch.zeros(0)
        losses, model, masks = train_along(preference_step, tmp_path / "one", seed=42)
        assert found[name][0] == pytest.approx(losses, abs=2e-5)
        torch.testing.assert_close(found[name][1], model, atol=5e-5, rtol=0)
        torch.testing.assert_close(found[name][2], masks, atol=5e-5, rtol=0)
        if name == "sparsepo":
            # The masks have learned, by more than the tolerance.
            assert float((masks - start).abs().max()) > 1e-3
