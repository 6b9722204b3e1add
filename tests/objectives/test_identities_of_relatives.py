"""Where relatives of DPO, ORPO and each other meet: the identities at the end of the catalogue of objectives."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from truing.objectives import (
    METHODS,
    apo_zero,
    asft,
    cpo,
    dpo,
    flex_dpo,
    lcpo,
    mm_dpo,
    nll,
    orpo,
    rpo,
    sft_dpo,
)
from truing.objectives.algebra import Objective, Scores
from truing.objectives.modifiers import lcpo as wrap

from .test_identities import at_least, betas, every_example, loss, pairs, same

weights = st.floats(0.01, 2.0)


@every_example
@given(pairs(), betas)
def test_what_becomes_dpo(scores: Scores, beta: float) -> None:
    same(flex_dpo(beta_plus=beta, beta_minus=beta), dpo(beta), scores)
    same(rpo(beta, sft_weight=0.0), dpo(beta), scores)
    same(mm_dpo(beta, growth=0.0, gamma=0.0, margin_source="policy-batch"), dpo(beta), scores)
    # η = 1 − 10⁻¹² adds at most log(1/η) and a doubt of e^d·10⁻¹².
    assert loss(lcpo(min(beta, 0.1), start=1 - 1e-12), scores) == pytest.approx(
        loss(dpo(min(beta, 0.1)), scores), abs=1e-5
    )


@every_example
@given(pairs(), betas, weights)
def test_sums_with_the_likelihood(scores: Scores, beta: float, weight: float) -> None:
    mixed = dpo(beta) + weight * nll("mean")
    same(rpo(beta, weight, "mean"), mixed, scores)
    same(sft_dpo(beta, weight), mixed, scores)
    same(rpo(beta, weight, "sum"), dpo(beta) + weight * nll("sum"), scores)
    same(mm_dpo(beta, growth=0.0, gamma=weight, margin_source="policy-batch"), mixed, scores)


@every_example
@given(pairs(lengths=st.just(4)), betas, weights)
def test_reductions_differ_by_the_length(scores: Scores, beta: float, weight: float) -> None:
    same(rpo(beta, weight, "sum"), rpo(beta, 4 * weight, "mean"), scores)


@every_example
@given(pairs(), weights)
def test_asft_exceeds_orpo(scores: Scores, weight: float) -> None:
    assert at_least(loss(asft(weight), scores), loss(orpo(weight), scores))


@every_example
@given(pairs(count=1), weights)
def test_asft_is_cross_entropy_and_unlikelihood(scores: Scores, weight: float) -> None:
    """(1 + lambda)(−m_w) − lambda·log(1 − e^m_l), m the mean log-probability."""
    means = (scores.total(scores.token_logps) / scores.lengths).double()
    expected = -(1 + weight) * means[0] - weight * torch.log(-torch.expm1(means[1]))
    assert loss(asft(weight), scores) == pytest.approx(float(expected), rel=1e-9)


@every_example
@given(pairs(count=1))
def test_a_reference_of_even_odds_is_none(scores: Scores) -> None:
    """Where the reference gives every token probability ½, its log-odds are 0."""
    half = torch.full_like(scores.token_logps, 0.5).log()
    plain = Scores(scores.token_logps, scores.sequence, scores.count, half)
    same(asft(0.3, beta=1.0), asft(0.3), plain)


@every_example
@given(pairs(), st.floats(0.51, 0.99))
def test_latent_labels_of_an_absolute_loss(scores: Scores, eta: float) -> None:
    """Any loss of a pair has an implied probability of its label, also one that never compares its answers."""
    base = apo_zero(0.5)
    assert loss(wrap(base, start=eta), scores) <= -torch.log(torch.tensor(eta)) + loss(base, scores) + 1e-6


@pytest.mark.parametrize(("alias", "name"), [("3d-dpo", "flex-dpo"), ("re-po", "lcpo"), ("aligned-sft", "asft")])
def test_other_names(alias: str, name: str) -> None:
    assert METHODS.get(alias).name == name


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_cpo_leaves_a_likelihood_of_weight_0_out(weight: float) -> None:
    objective: Objective = cpo(alpha=weight)
    assert len(objective.terms) == 1 + (weight > 0)
