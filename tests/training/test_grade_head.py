"""The classifier of grades against a slow computation."""

from __future__ import annotations

import math

import pytest
import torch

from tests.policies.models import tiny
from truing.objectives import METHODS, Batch, Scores
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree
from truing.training.grade_head import GradeHead
from truing.training.roles import joined

PARTS = ("graded_chosen_2", "graded_rejected_3")
TREES = [
    # Chosen, rejected, two grades of the chosen, three of the rejected.
    Tree([5, 6], [[7, 8, 9], [10], [7, 8, 9], [7], [10, 11], [10], [12]]),
    Tree([4], [[20], [21, 22], [20, 30, 31], [20, 30], [21, 22, 23], [21], [23]]),
]
BATCH = joined(
    Batch.pairs(2), {"graded_chosen_2": Batch.samples([2, 2]), "graded_rejected_3": Batch.samples([3, 3])}
)
# Places of the graded answers in the batch, and the grade of each.
PLACES = {
    "graded_chosen_2": [(2, 0), (3, 1), (9, 0), (10, 1)],
    "graded_rejected_3": [(4, 0), (5, 1), (6, 2), (11, 0), (12, 1), (13, 2)],
}


def head(part: str, seed: int = 0) -> GradeHead:
    torch.manual_seed(seed)
    return GradeHead(part, 32)


def slow(found: GradeHead, state: torch.Tensor, grade: int) -> float:
    """−log softmax of a two-layer network with GELU, one number after another."""
    first, second = found.layers[0], found.layers[2]
    hidden = [0.5 * a * (1 + math.erf(a / math.sqrt(2))) for a in (first.weight @ state + first.bias).tolist()]
    logits = [
        sum(w * h for w, h in zip(row, hidden, strict=True)) + b
        for row, b in zip(second.weight.tolist(), second.bias.tolist(), strict=True)
    ]
    return math.log(sum(math.exp(x) for x in logits)) - logits[grade]


@pytest.mark.parametrize("part", PARTS)
def test_cross_entropy_equals_a_slow_computation(part: str) -> None:
    scores = CausalPolicy(tiny("llama"), precision="float32").score(TREES, pooled=True)
    assert scores.states is not None
    found = head(part)
    values = found(scores, (), BATCH)
    means = scores.total(values) / scores.lengths
    expected = torch.zeros(scores.count)
    for place, grade in PLACES[part]:
        expected[place] = slow(found, scores.states[place].detach(), grade)
    torch.testing.assert_close(means, expected, rtol=1e-5, atol=1e-6)
    # Every token of an answer has the same value.
    assert all(len(set(values[scores.sequence == s].tolist())) == 1 for s in range(scores.count))


def test_gradient_reaches_the_policy_and_the_head() -> None:
    policy = CausalPolicy(tiny("llama"), precision="float32")
    found = head("graded_chosen_2")
    found(policy.score(TREES, pooled=True), (), BATCH).sum().backward()
    reached = {name for name, p in policy.model.named_parameters() if p.grad is not None and p.grad.any()}
    assert any("layers.0" in name for name in reached)
    assert any("embed_tokens" in name for name in reached)
    # The output head has no part in it.
    assert not any("lm_head" in name for name in reached)
    assert all(p.grad is not None and p.grad.any() for p in found.parameters())


def test_the_loss_is_that_of_dpo_and_both_classifiers() -> None:
    policy = CausalPolicy(tiny("llama"), precision="float32")
    batch = joined(Batch.pairs(2), dict.fromkeys(("graded_chosen_2", "graded_rejected_2"), Batch.samples([2, 2])))
    short = [Tree(tree.prompt, tree.branches[:6]) for tree in TREES]
    with torch.no_grad():
        scores = policy.score(short, pooled=True)
    heads = {f"degree:{part}": head(part, seed) for seed, part in enumerate(batch.parts)}
    derived = {name: found(scores, (), batch) for name, found in heads.items()}
    given = Scores(
        scores.token_logps,
        scores.sequence,
        scores.count,
        scores.token_logps,
        derived=derived,
        states=scores.states,
    )
    loss = METHODS.get("spo-degree").configure({"gamma": 0.3, "grades": 2})(given, batch).loss
    expected = math.log(2)
    for found, places in zip(heads.values(), ([2, 3, 8, 9], [4, 5, 10, 11]), strict=True):
        entropies = [
            slow(found, scores.states[place], grade) for place, grade in zip(places, [0, 1] * 2, strict=True)
        ]
        expected += 0.3 * sum(entropies) / 4
    assert float(loss) == pytest.approx(expected, rel=1e-5)
