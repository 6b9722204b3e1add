"""The same batch through TRL's trainer and through Truing: loss, and gradient of every parameter.

Two comparisons. In float64 the objective is compared on its own: completions are scored one by one by the
model's plain forward. In float32 it runs on Truing's engine (trees). Float32 sums of a hundred log-probabilities
carry an error of 1e-5 and more, which exponentials amplify; there, TRL in float64 is the truth, and Truing's
distance from it may be at most 1e-5, or what TRL in float32 has itself where that is more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from truing.objectives.algebra import Batch, Objective, Scores
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree

# Relative to the value, and to the largest entry of the gradient.
TOLERANCE = 1e-5
# What float64 agrees to. Most losses do to 1e-13; TRL rounds EXO's epsilon to float32.
EXACT = 1e-6


@dataclass(frozen=True)
class Result:
    """A loss and its gradient by parameter name."""

    loss: float
    gradient: dict[str, Tensor]


def collated(trainer: Any) -> dict[str, Tensor]:
    """All rows of a trainer's data set as one batch, tokenised and padded by TRL."""
    rows = trainer.train_dataset
    return trainer.data_collator([rows[index] for index in range(len(rows))])


def by_trl(trainer: Any, batch: dict[str, Any]) -> Result:
    """TRL's own ``compute_loss``."""
    trainer.model.zero_grad()
    loss = trainer.compute_loss(trainer.model, dict(batch))
    loss.backward()
    return Result(float(loss.detach()), _gradient(trainer.model))


def by_truing(
    objective: Objective,
    policy: nn.Module | CausalPolicy,
    reference: nn.Module | CausalPolicy,
    trees: Sequence[Tree],
    roles: Batch,
    mismatched: Sequence[Tree] = (),
) -> Result:
    """Truing's objective on trees, scored by Truing's engine or by a plain forward."""
    module = policy.model if isinstance(policy, CausalPolicy) else policy
    module.zero_grad()
    scores = _scored(policy, reference, trees)
    others = _scored(policy, reference, mismatched) if mismatched else None
    state = objective.update(objective.init(), scores.detach(), roles, others)
    loss = objective(scores, roles, state).loss
    loss.backward()
    return Result(float(loss.detach()), _gradient(module))


def _scored(
    policy: nn.Module | CausalPolicy, reference: nn.Module | CausalPolicy, trees: Sequence[Tree]
) -> Scores:
    scores = score(policy, trees)
    with torch.no_grad():
        return replace(scores, reference=score(reference, trees).token_logps)


def score(model: nn.Module | CausalPolicy, trees: Sequence[Tree]) -> Scores:
    """Log-probabilities of every completion, and the log of the sum of squared probabilities."""
    if isinstance(model, CausalPolicy):
        return model.score(list(trees), signals=["log_collision"])
    logps, collisions, lengths = [], [], []
    for tree in trees:
        for branch in tree.branches:
            ids = torch.tensor([[*tree.prompt, *branch]])
            logits = model(input_ids=ids).logits[0, len(tree.prompt) - 1 : -1]
            every = logits.log_softmax(-1)
            logps.append(every.gather(1, torch.tensor(branch)[:, None])[:, 0])
            collisions.append((2 * every).logsumexp(-1))
            lengths.append(len(branch))
    sequence = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    signals = {"log_collision": torch.cat(collisions)}
    return Scores(torch.cat(logps), sequence, len(lengths), signals=signals)


def _gradient(model: nn.Module) -> dict[str, Tensor]:
    return {name: p.grad.double() for name, p in model.named_parameters() if p.grad is not None}


def distance(own: Result, other: Result) -> tuple[float, float]:
    """Largest difference of loss and of gradient, relative to the loss and to the largest gradient entry."""
    assert own.gradient.keys() == other.gradient.keys()
    largest = max(float(value.abs().max()) for value in other.gradient.values())
    assert largest > 0
    worst = max(float((own.gradient[name] - value).abs().max()) for name, value in other.gradient.items())
    return abs(own.loss - other.loss) / max(1.0, abs(other.loss)), worst / largest


def assert_equal(own: Result, other: Result, tolerance: float = EXACT) -> None:
    """Equal loss and equal gradient."""
    loss, gradient = distance(own, other)
    assert loss <= tolerance, f"loss {own.loss} against {other.loss}"
    assert gradient <= tolerance


def assert_as_good(own: Result, peer: Result, truth: Result) -> None:
    """Within 1e-5 of the truth, or at most twice as far from it as the peer is in the same precision."""
    for mine, theirs in zip(distance(own, truth), distance(peer, truth), strict=True):
        assert mine <= max(TOLERANCE, 2 * theirs)


def pair_trees(rows: Sequence[dict[str, Any]]) -> tuple[list[Tree], Batch]:
    """TRL's tokens of pairs as trees: one prompt, two branches."""
    trees = [Tree(row["prompt_ids"], [row["chosen_ids"], row["rejected_ids"]]) for row in rows]
    return trees, Batch.pairs(len(trees))


def unpaired_trees(rows: Sequence[dict[str, Any]], key: str = "completion_ids") -> tuple[list[Tree], Batch]:
    """TRL's tokens of single completions as trees."""
    trees = [Tree(row["prompt_ids"], [row[key]]) for row in rows]
    return trees, Batch.unpaired([row["label"] for row in rows])


def labelled_trees(rows: Sequence[dict[str, Any]]) -> tuple[list[Tree], Batch]:
    """Trees from the label masks of TRL's experimental trainers."""
    trees = []
    for row in rows:
        split = row["chosen_labels"].count(-100)
        assert row["chosen_input_ids"][:split] == row["rejected_input_ids"][:split]
        branches = [row[f"{side}_input_ids"][split:] for side in ("chosen", "rejected")]
        trees.append(Tree(row["chosen_input_ids"][:split], branches))
    return trees, Batch.pairs(len(trees))


def rows_of(trainer: Any) -> Iterator[dict[str, Any]]:
    """TRL's tokenised rows."""
    yield from trainer.train_dataset
