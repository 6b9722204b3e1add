"""WAGLE: how much each weight matters for forgetting, corrected by what retaining needs of it (2410.17509).

    S_i = (θ_i − g_r,i / γ_i) g_f,i

with g_f and g_r the gradients of the forget and the retain loss at the weights θ before unlearning, and γ the curvature
of the retain loss, a number or one for each weight. Where γ is the true curvature, θ_i − g_r,i/γ_i is where the retain
loss alone would put the weight. The largest |S_i| are the weights that unlearning may change.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from truing.diagnostics.audit import AUDITS
from truing.errors import DataError, TruingError
from truing.registered import Registrar
from truing.registry import Paper

Tensors = Mapping[str, Tensor]
Batch = TypeVar("Batch")
Loss = Callable[[nn.Module, Batch], Tensor]
"""From a model and a batch to one loss for each record, shape ``[records]``."""

Reduction = Literal["mean", "sum"]

DAMPING = 1e-8
"""Added to a curvature that is given for each weight, for gradients with the reduction ``"mean"``."""


def gradients(
    model: nn.Module, loss: Loss[Batch], batches: Iterable[Batch], *, reduction: Reduction
) -> dict[str, Tensor]:
    """Gradient of a loss over a data set, in evaluation mode; float32, by the name of the parameter.

    Args:
        model: its trainable parameters are those that count.
        loss: one number for each record of a batch.
        batches: the data; how they are cut makes no difference.
        reduction: over all records. γ has the scale of the gradients: with ``"sum"`` it grows with the data set, with
            ``"mean"`` it does not.

    Raises:
        DataError: if there is no record.
        TruingError: if a gradient is not finite.
    """
    weights = trainable(model)
    total = {name: torch.zeros_like(p, dtype=torch.float32) for name, p in weights.items()}
    count = 0
    with _evaluating(model), torch.enable_grad():
        for batch in batches:
            losses = _checked(loss(model, batch))
            found = torch.autograd.grad(losses.sum(), list(weights.values()), allow_unused=True)
            _add(total, found)
            count += len(losses)
    return _reduced(total, count, reduction)


def squared_gradients(model: nn.Module, loss: Loss[Batch], batches: Iterable[Batch]) -> dict[str, Tensor]:
    """Mean over records of the squared gradient: the diagonal of the (empirical) Gauss-Newton matrix.

    One backward pass for each record. It is the curvature of the *mean* loss; multiply by the number of records for
    that of the sum.

    Args:
        model, loss, batches: as for :func:`gradients`.

    Raises:
        DataError: if there is no record.
        TruingError: if a gradient is not finite.
    """
    weights = trainable(model)
    total = {name: torch.zeros_like(p, dtype=torch.float32) for name, p in weights.items()}
    count = 0
    with _evaluating(model), torch.enable_grad():
        for batch in batches:
            losses = _checked(loss(model, batch))
            for place, value in enumerate(losses):
                last = place == len(losses) - 1
                found = torch.autograd.grad(
                    value, list(weights.values()), retain_graph=not last, allow_unused=True
                )
                _add(total, [None if g is None else g.float().square() for g in found])
            count += len(losses)
    return _reduced(total, count, "mean")


def wagle_scores(
    weights: Tensors, forget: Tensors, retain: Tensors, gamma: float | Tensors, *, damping: float = DAMPING
) -> dict[str, Tensor]:
    """S_i for every weight.

    Args:
        weights: before unlearning, by the name of the parameter.
        forget: gradient of the forget loss, in the same shapes.
        retain: gradient of the retain loss, with the same reduction.
        gamma: curvature of the retain loss, above 0; ``math.inf`` leaves the retain loss out, which gives the
            first-order score θ·g_f. Or one for each weight, see :func:`squared_gradients`.
        damping: added to γ where it is given for each weight, since it is 0 where retaining does not use a weight.

    Raises:
        TruingError: if names or shapes differ, γ is not above 0, or a γ of a weight is negative.
    """
    _check_names(weights, forget, "the forget gradient")
    _check_names(weights, retain, "the retain gradient")
    if isinstance(gamma, Mapping):
        _check_names(weights, gamma, "gamma")
        if not damping > 0:
            raise TruingError(f"damping is {damping:g}", where="damping", allowed="above 0")
        if any(bool((value < 0).any()) for value in gamma.values()):
            raise TruingError("a curvature is negative", where="gamma", allowed="0 or more for each weight")
        curvature = {name: gamma[name].float() + damping for name in weights}
    else:
        if not gamma > 0:
            raise TruingError(
                f"gamma is {gamma:g}", where="gamma", allowed="above 0; infinity leaves retaining out"
            )
        curvature = {name: torch.tensor(gamma, dtype=value.dtype) for name, value in weights.items()}
    return {
        name: (value.detach() - retain[name] / curvature[name].to(value.device)) * forget[name]
        for name, value in weights.items()
    }


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Parameters that require a gradient, by name; one that is used in two places has one name.

    Raises:
        TruingError: if there are none.
    """
    found = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not found:
        raise TruingError(
            "no weight of the model requires a gradient", fix="set requires_grad on those that may move"
        )
    return found


def _checked(losses: Tensor) -> Tensor:
    if losses.dim() != 1:
        raise TruingError(
            f"the loss has the shape {list(losses.shape)}",
            where="loss",
            allowed="one number for each record of the batch, so that their mean does not depend on the batches",
        )
    return losses


def _add(total: dict[str, Tensor], found: Iterable[Tensor | None]) -> None:
    for name, gradient in zip(total, found, strict=True):
        if gradient is None:
            continue
        if not bool(torch.isfinite(gradient).all()):
            raise TruingError("a gradient is not finite", where=name, fix="look for empty or very long answers")
        total[name] += gradient


def _reduced(total: dict[str, Tensor], count: int, reduction: Reduction) -> dict[str, Tensor]:
    if count == 0:
        raise DataError("there are no records to take a gradient over", where="batches")
    return {name: value / count for name, value in total.items()} if reduction == "mean" else total


def _check_names(weights: Tensors, other: Tensors, what: str) -> None:
    for name, value in weights.items():
        if name not in other or other[name].shape != value.shape:
            found = "missing" if name not in other else f"of the shape {list(other[name].shape)}"
            raise TruingError(f"{what} of {name!r} is {found}", allowed=f"the shape {list(value.shape)}")


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


wagle = Registrar(AUDITS, "unlearning")(
    name="wagle",
    slug="wagle",
    paper=Paper(
        "WAGLE: Strategic Weight Attribution for Effective and Modular Unlearning in Large Language Models",
        2024,
        "2410.17509",
    ),
    summary="Scores weights for forgetting, corrected by retaining; unlearning changes the best scored only.",
    formula="S_i = (θ_i − g_r,i / γ) g_f,i; the share p of weights with the largest |S_i| may move",
    legend=(
        "θ: weights before unlearning",
        "g_f, g_r: gradients of the forget and of the retain loss",
        "γ: curvature of the retain loss, a number or one for each weight; with γ = ∞ the score is θ·g_f",
    ),
    use_when="Unlearning damages what is to be kept, and a retain set shows it; goes with any objective.",
    avoid_when="There is no retain set, or γ cannot be tried out: its scale decides which term counts. On the tiny "
    "model it kept less than training all weights, at equal forgetting (guide on unlearning).",
    requires=("forget", "retain", "weights", "gradients"),
    cost="one pass with gradient over the forget and the retain set, and a copy of the weights that are held",
)(wagle_scores)
