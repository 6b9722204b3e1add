"""Choose the weights of a language model that unlearning may change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from truing.errors import TruingError, did_you_mean
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree, partition
from truing.unlearning.attribution import DAMPING, Reduction, gradients, squared_gradients, trainable, wagle_scores
from truing.unlearning.baselines import feed_forward, gradient_size, magnitude, random_scores, wanda
from truing.unlearning.selection import select

Gamma = float | Literal["gauss-newton"]


class Answers(Protocol):
    """Prompts with one answer each, as token ids; see :class:`truing.unlearning.metrics.answers.Encoded`."""

    def answers(self) -> list[Tree]: ...


@dataclass(frozen=True)
class Selection:
    """Which weights are chosen.

    Attributes:
        rule: one of :data:`RULES`.
        keep: share of the weights that may change, above 0 and at most 1; 0.95 in the paper's TOFU runs.
            Feed-forward layers are chosen as a whole, whatever ``keep`` says.
        gamma: curvature of the retain loss; only WAGLE reads it. ``"gauss-newton"`` takes one for each weight.
        reduction: of the gradients over the data. γ has their scale; the paper's code has 1e-6 for sums.
        seed: of the random rule.
        budget: tokens in one pass; changes speed and memory only.
    """

    rule: str = "wagle"
    keep: float = 0.95
    gamma: Gamma = 1e-6
    reduction: Reduction = "sum"
    seed: int = 0
    budget: int = 4096


def weight_mask(
    policy: CausalPolicy, forget: Answers, retain: Answers | None = None, how: Selection | None = None
) -> dict[str, Tensor]:
    """A mask for :class:`~truing.unlearning.masking.MaskedUpdates`, from the model before unlearning.

    Both losses are the cross-entropy of the right answers, nats per token, one number for each answer.

    Args:
        policy: the model; left as it was.
        forget: answers to be forgotten.
        retain: answers to be kept; WAGLE needs them.
        how: rule and share.

    Raises:
        TruingError: if the rule is unknown, needs a retain set, or gives no scores.
    """
    chosen = how or Selection()
    if chosen.rule not in RULES:
        raise TruingError(
            f"unknown rule {chosen.rule!r}",
            where="rule",
            allowed=", ".join(RULES),
            fix=did_you_mean(chosen.rule, RULES),
        )
    return RULES[chosen.rule](policy, forget, retain, chosen)


def _wagle(policy: CausalPolicy, forget: Answers, retain: Answers | None, how: Selection) -> dict[str, Tensor]:
    if retain is None:
        raise TruingError(
            "WAGLE needs answers that are to be kept", where="retain", fix="or choose rule: gradient"
        )
    loss = _Loss(policy)
    kept = list(_batches(policy, retain, how.budget))
    # The curvature of the sum is that of the mean times the number of answers, like the gradients.
    scale = len(retain.answers()) if how.reduction == "sum" else 1
    gamma: float | Mapping[str, Tensor]
    if how.gamma == "gauss-newton":
        # One answer at a time: a backward pass goes through the whole batch, whichever answer it is for.
        squares = squared_gradients(policy.model, loss, _batches(policy, retain, 1))
        gamma = {name: value * scale for name, value in squares.items()}
    else:
        gamma = how.gamma
    of_forget = gradients(policy.model, loss, _batches(policy, forget, how.budget), reduction=how.reduction)
    of_retain = gradients(policy.model, loss, kept, reduction=how.reduction)
    scores = wagle_scores(trainable(policy.model), of_forget, of_retain, gamma, damping=DAMPING * scale)
    return select(scores, how.keep)


def _gradient(policy: CausalPolicy, forget: Answers, retain: Answers | None, how: Selection) -> dict[str, Tensor]:
    batches = _batches(policy, forget, how.budget)
    return select(
        gradient_size(gradients(policy.model, _Loss(policy), batches, reduction=how.reduction)), how.keep
    )


def _magnitude(policy: CausalPolicy, forget: Answers, retain: Answers | None, how: Selection) -> dict[str, Tensor]:
    return select(magnitude(trainable(policy.model)), how.keep)


def _random(policy: CausalPolicy, forget: Answers, retain: Answers | None, how: Selection) -> dict[str, Tensor]:
    return select(random_scores(trainable(policy.model), how.seed), how.keep)


def _wanda(policy: CausalPolicy, forget: Answers, retain: Answers | None, how: Selection) -> dict[str, Tensor]:
    def run(model: nn.Module, tree: Tree) -> Tensor:
        ids = torch.tensor([[*tree.prompt, *tree.branches[0]]], device=policy.device)
        logits: Tensor = model(input_ids=ids).logits
        return logits

    return select(wanda(policy.model, run, forget.answers()), how.keep)


def _feed_forward(
    policy: CausalPolicy, forget: Answers, retain: Answers | None, how: Selection
) -> dict[str, Tensor]:
    return feed_forward(trainable(policy.model))


def _none(policy: CausalPolicy, forget: Answers, retain: Answers | None, how: Selection) -> dict[str, Tensor]:
    return {name: torch.ones(p.shape, dtype=torch.bool) for name, p in trainable(policy.model).items()}


RULES: Mapping[str, Callable[[CausalPolicy, Answers, Answers | None, Selection], dict[str, Tensor]]] = {
    "wagle": _wagle,
    "gradient": _gradient,
    "magnitude": _magnitude,
    "wanda": _wanda,
    "feed-forward": _feed_forward,
    "random": _random,
    "none": _none,
}
"""Rules by name; ``"none"`` frees every weight."""


class _Loss:
    """Cross-entropy of right answers, nats per token, shape ``[answers]``."""

    def __init__(self, policy: CausalPolicy) -> None:
        self.policy = policy

    def __call__(self, model: nn.Module, trees: Sequence[Tree]) -> Tensor:
        scores = self.policy.score(trees)
        return -scores.total(scores.token_logps) / scores.lengths


def _batches(policy: CausalPolicy, encoded: Answers, budget: int) -> Iterator[list[Tree]]:
    trees = encoded.answers()
    for group in partition([policy.cost(tree) for tree in trees], budget):
        yield [trees[i] for i in group]


def gamma_of(text: str) -> Gamma:
    """γ as it is written on a command line: a number, ``inf``, or ``gauss-newton``.

    Raises:
        TruingError: if it is none of these.
    """
    if text == "gauss-newton":
        return "gauss-newton"
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not value > 0:
        raise TruingError(
            f"gamma is {text!r}", where="--gamma", allowed="a number above 0, inf (no retain term) or gauss-newton"
        )
    return value
