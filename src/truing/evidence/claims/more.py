"""MORE (2312.07401): gradients of sources weighed so that all gain, and what that does to calibration."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals
from truing.objectives import Batch, Objective, Scores, bradley_terry
from truing.objectives.algebra.sources import MinNormSources, products
from truing.worlds.sources import Path, Sources, descend, draw, shared_calibration

COLUMN = "source:source"
WORLDS, COUNT, SOURCES = 5, 20, 4


def _given(seed: int, sources: int = SOURCES) -> tuple[Scores, Batch, Tensor]:
    """Random states and rewards of 12 pairs, of several sources in turn."""
    states, source = normals(seed, 24, 6), torch.arange(12) % sources
    scores = Scores(
        torch.zeros(24, dtype=torch.float64),
        torch.arange(24),
        24,
        values=normals(seed + 1, 24, 1),
        states=states,
    )
    return scores, Batch.pairs(12, columns={COLUMN: source.double()}), source


def _gradients(scores: Scores, batch: Batch, source: Tensor) -> Tensor:
    """By hand: of each source's mean −log σ(R_w − R_l), in the head's matrix."""
    assert scores.values is not None
    assert scores.states is not None
    gaps = scores.values[batch.chosen, 0] - scores.values[batch.rejected, 0]
    slopes = -torch.sigmoid(-gaps)[:, None] * (scores.states[batch.chosen] - scores.states[batch.rejected])
    return torch.stack([slopes[source == k].mean(0) for k in range(int(source.max()) + 1)])


def _weights(objective: Objective, scores: Scores, batch: Batch) -> Tensor:
    """Of the sources after one batch: those by which the loss weighs them, found by its derivative."""
    values = scores.values
    assert values is not None
    state = objective.update(objective.init(), scores, batch)
    found = torch.zeros(SOURCES, dtype=torch.float64)
    plain = bradley_terry(centre=0.0)
    leaf = values.clone().requires_grad_()
    (own,) = torch.autograd.grad(objective(_with(scores, leaf), batch, state).loss, [leaf])
    leaf = values.clone().requires_grad_()
    (usual,) = torch.autograd.grad(plain(_with(scores, leaf), batch).loss, [leaf])
    for k in range(SOURCES):
        pair = int((batch.columns[COLUMN] == k).nonzero()[0])
        # Sources are of equal size: a weight of 1/K is the plain mean.
        found[k] = own[2 * pair, 0] / usual[2 * pair, 0] / SOURCES
    return found


def _with(scores: Scores, values: Tensor) -> Scores:
    return Scores(scores.token_logps, scores.sequence, scores.count, values=values, states=scores.states)


@claim(
    method="more",
    statement="The combination of four sources' gradients that it steps along is no longer than any of them: the "
    "largest excess over 20 batches is 0.",
    source="2312.07401, minimum-norm weights; the hull contains every gradient",
)
def no_longer_than_any(make: Factory, seed: int) -> Measurement:
    worst = -1.0
    for number in range(COUNT):
        scores, batch, source = _given(100 * seed + 10 * number)
        gradients = _gradients(scores, batch, source)
        step = _weights(make(momentum=0.0, unit=False, centre=0.0), scores, batch) @ gradients
        worst = max(worst, float(step.norm() - gradients.norm(dim=1).min()))
    return equals(0.0, max(0.0, worst), 1e-7, "gradient", worst=worst)


@claim(
    method="more",
    statement="Its step d goes downhill for every source, g_j·d >= ‖d‖²: the largest shortfall over 20 batches of four "
    "sources is 0.",
    source="2312.07401; optimality of the shortest vector of a hull (Désidéri 2012)",
)
def all_sources_gain(make: Factory, seed: int) -> Measurement:
    worst = -1.0
    for number in range(COUNT):
        scores, batch, source = _given(100 * seed + 10 * number)
        gradients = _gradients(scores, batch, source)
        step = _weights(make(momentum=0.0, unit=False, centre=0.0), scores, batch) @ gradients
        worst = max(worst, float((step @ step - gradients @ step).max()))
    return equals(0.0, max(0.0, worst), 1e-7, "gradient²", worst=worst)


@claim(
    method="more",
    statement="In a network of two layers, weighed by gradients in all of it, a step d goes downhill for every source "
    "in all weights, g_j·d >= ‖d‖²: the largest shortfall over 20 batches of four sources is 0.",
    source="2312.07401; optimality of the shortest vector of a hull (Désidéri 2012), in all weights",
)
def all_sources_gain_in_all_weights(make: Factory, seed: int) -> Measurement:
    worst = -1.0
    for number in range(COUNT):
        own = 100 * seed + 10 * number
        scores, batch, source = _given(own)
        assert scores.states is not None
        body, head = (normals(own + place, *shape).requires_grad_() for place, shape in ((2, (6, 5)), (3, (5, 1))))
        values = torch.tanh(scores.states @ body) @ head
        gaps = values[batch.chosen, 0] - values[batch.rejected, 0]
        losses = [torch.nn.functional.softplus(-gaps[source == k]).mean() for k in range(SOURCES)]
        found = (torch.autograd.grad(loss, [body, head], retain_graph=True) for loss in losses)
        gradients = torch.stack([torch.cat([part.flatten() for part in parts]) for parts in found])
        term = make(momentum=0.0, unit=False, centre=0.0, over="all").terms[0][1]
        assert isinstance(term, MinNormSources)
        state = term.weighed(term.init(), batch, products(gradients))
        step = state["weights"][1:] @ gradients
        worst = max(worst, float((step @ step - gradients @ step).max()))
    return equals(0.0, max(0.0, worst), 1e-7, "gradient²", worst=worst)


@claim(
    method="more",
    statement="Of one source it is Bradley–Terry, loss and gradient alike: largest difference 0.",
    source="2312.07401 with one source; catalogue, list of reductions",
)
def one_source_is_bradley_terry(make: Factory, seed: int) -> Measurement:
    differences = []
    for number in range(COUNT):
        scores, batch, _ = _given(100 * seed + 10 * number, sources=1)
        objective, other = make(), bradley_terry()
        state = objective.update(objective.init(), scores, batch)
        found = []
        for one, own in ((objective, state), (other, None)):
            assert scores.values is not None
            leaf = scores.values.clone().requires_grad_()
            loss = one(_with(scores, leaf), batch, own).loss
            found.append(torch.cat([loss.detach()[None], torch.autograd.grad(loss, [leaf])[0][:, 0]]))
        differences.append(float((found[0] - found[1]).abs().max()))
    return equals(0.0, max(differences), 1e-12, "nats")


@cache
def _paths(make: Factory, seed: int) -> list[tuple[int, Path, Path, float]]:
    """Both on the way down, and a loss that both reach late."""
    found = []
    for number in range(WORLDS):
        own = 100 * seed + number
        data: Sources = draw(own)
        weighed = descend(data, make(momentum=0.9, centre=0.0), COLUMN)
        equal = descend(data, bradley_terry(centre=0.0), COLUMN)
        found.append((own, weighed, equal, max(min(weighed.losses), min(equal.losses)) + 0.002))
    return found


@claim(
    method="more",
    statement="Where sources share one direction and contradict each other in stronger ones, its expected calibration "
    "error on pairs that differ in the shared direction is lower than an equal mix's at equal training loss.",
    source="2312.07401, section 5; catalogue, more-calibration: linear reward, three sources",
)
def better_calibrated_on_what_is_shared(make: Factory, seed: int) -> Measurement:
    gains = [
        shared_calibration(equal.at(loss), own).ece - shared_calibration(weighed.at(loss), own).ece
        for own, weighed, equal, loss in _paths(make, seed)
    ]
    return above(0.0, gains, "expected calibration error")


@claim(
    method="more",
    statement="In that world the mix is too little sure of what is shared, not too much: its confidence on such pairs "
    "is lower than that of the sources weighed, at equal training loss.",
    source="measured; the catalogue expects larger margins of the mix, which holds for networks that are too sure",
)
def the_mix_is_less_sure(make: Factory, seed: int) -> Measurement:
    gaps = [
        shared_calibration(equal.at(loss), own).confidence - shared_calibration(weighed.at(loss), own).confidence
        for own, weighed, equal, loss in _paths(make, seed)
    ]
    return below(0.0, gaps, "confidence")
