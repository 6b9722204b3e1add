"""Identities between objectives, as properties over random pairs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from truing.objectives import (
    METHODS,
    alphapo,
    bco,
    bco_pair,
    cdpo,
    cpo,
    dpo,
    dpo_norm,
    f_dpo,
    infonca,
    ipo,
    kto,
    ld_dpo,
    nll,
    orpo,
    r_dpo,
    rdpo,
    simpo,
    wpo,
)
from truing.objectives.algebra import (
    Absolute,
    Batch,
    Divergence,
    Logistic,
    LogOdds,
    Objective,
    OnPolicyWeight,
    Pairwise,
    Scores,
    SharedPrefix,
    log_ratio,
)

every_example = settings(max_examples=40, deadline=None)
betas = st.floats(0.01, 5.0)
rates = st.floats(0.001, 0.499)


@st.composite
def pairs(draw: st.DrawFn, count: int = 2, lengths: st.SearchStrategy[int] | None = None) -> Scores:
    """``count`` pairs of random lengths with a reference and collisions, log-probabilities in [−8, −0.01]."""
    sizes = [draw(st.integers(1, 6) if lengths is None else lengths) for _ in range(2 * count)]
    seed = draw(st.integers(0, 2**31))
    generator = torch.Generator().manual_seed(seed)

    def column() -> torch.Tensor:
        return -8 * torch.rand(sum(sizes), generator=generator, dtype=torch.float64) - 0.01

    sequence = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    return Scores(column(), sequence, len(sizes), column(), {"log_collision": column()})


def loss(objective: Objective, scores: Scores) -> float:
    return float(objective(scores, Batch.pairs(scores.count // 2)).loss.detach())


def gradient(objective: Objective, scores: Scores) -> torch.Tensor:
    leaf = scores.token_logps.detach().clone().requires_grad_()
    out = objective(replace(scores, token_logps=leaf), Batch.pairs(scores.count // 2))
    return torch.autograd.grad(out.loss, leaf)[0]


def exchanged(scores: Scores) -> tuple[Scores, Batch]:
    """The same pairs with chosen and rejected exchanged."""
    batch = Batch.pairs(scores.count // 2)
    return scores, replace(batch, chosen=batch.rejected, rejected=batch.chosen)


def same(left: Objective, right: Objective, scores: Scores, rel: float = 1e-9) -> None:
    assert loss(left, scores) == pytest.approx(loss(right, scores), rel=rel, abs=1e-12)
    torch.testing.assert_close(gradient(left, scores), gradient(right, scores), rtol=rel, atol=1e-12)


class TestNoise:
    @every_example
    @given(pairs(), betas)
    def test_cdpo_and_rdpo_tend_to_dpo(self, scores: Scores, beta: float) -> None:
        for eps in (1e-4, 1e-8):
            for limit in (cdpo(beta, eps), rdpo(beta, eps)):
                # Both differ from DPO by a multiple of eps·beta·gap.
                assert abs(loss(limit, scores) - loss(dpo(beta), scores)) < eps * (beta * 200 + 1) * 2

    @every_example
    @given(pairs(), betas, rates)
    def test_rdpo_is_unbiased_under_flips(self, scores: Scores, beta: float, rate: float) -> None:
        """(1 − eps) rDPO(d) + eps rDPO(−d) = DPO(d)."""
        robust = rdpo(beta, rate)
        flipped = float(robust(*exchanged(scores)).loss)
        mean = (1 - rate) * loss(robust, scores) + rate * flipped
        scale = abs(loss(robust, scores)) + abs(flipped)
        assert mean == pytest.approx(loss(dpo(beta), scores), rel=1e-12, abs=1e-12 * scale)

    @every_example
    @given(pairs(), betas, rates)
    def test_cdpo_is_the_expectation_over_labels(self, scores: Scores, beta: float, eps: float) -> None:
        flipped = float(dpo(beta)(*exchanged(scores)).loss)
        expected = (1 - eps) * loss(dpo(beta), scores) + eps * flipped
        assert loss(cdpo(beta, eps), scores) == pytest.approx(expected)

    @every_example
    @given(betas, rates)
    def test_the_optimum_of_cdpo_is_finite(self, beta: float, eps: float) -> None:
        """beta d* = log((1 − eps)/eps)."""
        gap = math.log((1 - eps) / eps) / beta
        policy = torch.tensor([gap - 1, -1.0], dtype=torch.float64)
        scores = Scores.from_sequences(policy, torch.full_like(policy, -1.0))
        assert gradient(cdpo(beta, eps), scores).tolist() == pytest.approx([0.0, 0.0], abs=1e-12)

    @every_example
    @given(pairs(count=1), betas, rates)
    def test_rdpo_pushes_every_pair_and_cdpo_holds_back(self, scores: Scores, beta: float, eps: float) -> None:
        """Weights of grad(logp_w − logp_l): DPO's zeta, plus eps/(1 − 2 eps), or minus eps."""
        index = Batch.pairs(1).chosen[0]
        first = int((scores.sequence == index).nonzero()[0])
        zeta = [-float(gradient(o, scores)[first]) / beta for o in (dpo(beta), rdpo(beta, eps), cdpo(beta, eps))]
        assert zeta[1] == pytest.approx(zeta[0] + eps / (1 - 2 * eps), rel=1e-7, abs=1e-9)
        assert zeta[2] == pytest.approx(zeta[0] - eps, rel=1e-7, abs=1e-9)


def at_least(value: float, bound: float) -> bool:
    """``value >= bound``, up to rounding: the excess may be e^−70, of a loss of 70."""
    return value >= bound - 1e-12 * max(1.0, abs(bound))


class TestBounds:
    @every_example
    @given(pairs(), betas, st.floats(-20, 20))
    def test_bco_is_above_dpo_for_any_shift(self, scores: Scores, beta: float, shift: float) -> None:
        """σ(a − δ) σ(δ − b) < σ(a − b), so the classifier's loss exceeds DPO's whatever δ is."""
        # A constant added to the reference shifts every log-ratio by −shift.
        assert scores.reference is not None
        per_token = shift / scores.lengths[scores.sequence]
        shifted = replace(scores, reference=scores.reference + per_token)
        assert at_least(loss(bco_pair(beta), shifted), loss(dpo(beta), scores))

    @every_example
    @given(pairs(count=1), betas)
    def test_the_midpoint_makes_bco_no_worse(self, scores: Scores, beta: float) -> None:
        ratio = log_ratio()(scores, Batch.pairs(1))
        assert scores.reference is not None
        per_token = ratio.mean() / scores.lengths[scores.sequence]
        centred = replace(scores, reference=scores.reference + per_token)
        assert at_least(loss(bco_pair(beta), centred), loss(dpo(beta), scores))
        assert at_least(loss(bco_pair(beta), scores), loss(bco_pair(beta), centred))

    @every_example
    @given(pairs())
    def test_absolute_odds_are_above_the_odds_ratio(self, scores: Scores) -> None:
        """ASFT ≥ ORPO: −ls(a) − ls(−b) ≥ −ls(a − b) on the log-odds."""
        odds, link = LogOdds(), Logistic()
        relative = Objective("orpo", ((1.0, Pairwise(odds, link)),), reward=odds)
        terms = ((1.0, Absolute("chosen", odds, link, +1)), (1.0, Absolute("rejected", odds, link, -1)))
        assert at_least(loss(Objective("asft", terms, reward=odds), scores), loss(relative, scores))


class TestReferenceFree:
    @every_example
    @given(st.data(), st.integers(1, 6), betas)
    def test_simpo_on_equal_lengths_is_cpo(self, data: st.DataObject, length: int, beta: float) -> None:
        scores = data.draw(pairs(lengths=st.just(length)))
        same(simpo(beta, gamma=0.0), cpo(beta / length, alpha=0.0), scores)

    @every_example
    @given(pairs(), st.floats(0.1, 5), st.floats(0, 3))
    def test_alphapo_tends_to_simpo(self, scores: Scores, beta: float, gamma: float) -> None:
        same(alphapo(beta, gamma, 0.0), simpo(beta, gamma), scores)
        assert loss(alphapo(beta, gamma, 1e-7), scores) == pytest.approx(
            loss(simpo(beta, gamma), scores), abs=1e-4
        )

    @every_example
    @given(pairs(), st.floats(0.01, 2))
    def test_the_odds_ratio_of_orpo(self, scores: Scores, weight: float) -> None:
        """log odds ratio = (m_w − m_l) − (log(1 − e^m_w) − log(1 − e^m_l)), m the mean log-probability."""
        mean = (scores.total(scores.token_logps) / scores.lengths).tolist()
        expected = 0.0
        for m_w, m_l in zip(mean[0::2], mean[1::2], strict=True):
            ratio = (m_w - m_l) - (math.log1p(-math.exp(m_w)) - math.log1p(-math.exp(m_l)))
            expected += -m_w + weight * math.log1p(math.exp(-ratio))
        assert loss(orpo(weight), scores) == pytest.approx(expected / 2)

    @every_example
    @given(pairs())
    def test_the_probability_is_the_logistic_of_the_odds(self, scores: Scores) -> None:
        """σ(log odds) = p, which is why ASFT's terms are −log p and −log(1 − p)."""
        mean = scores.total(scores.token_logps) / scores.lengths
        odds = LogOdds()(scores, Batch.pairs(2))
        torch.testing.assert_close(torch.sigmoid(odds), mean.exp(), rtol=1e-10, atol=0)


# Losses of the difference of two answers to one prompt, and losses of single answers.
DIFFERENCES = ["dpo", "cdpo", "rdpo", "hinge", "exo", "discopop", "aot", "cpo", "slic", "infonca", "wpo", "r-dpo"]
ABSOLUTE = ["nca", "bco-pair", "apo-zero", "sppo-hard", "apo-down"]


class TestPromptTerms:
    @staticmethod
    def with_prompt_term(scores: Scores, amount: float) -> Scores:
        """A function of the prompt added to the log-probability of both answers."""
        per_token = amount / scores.lengths[scores.sequence]
        return replace(
            scores,
            token_logps=scores.token_logps + per_token,
            # On-policy weights look at log π − log Σ π², which the prompt term must leave alone.
            signals={"log_collision": scores.signals["log_collision"] + per_token},
        )

    @pytest.mark.parametrize("name", DIFFERENCES)
    @every_example
    @given(pairs(count=1), st.floats(-5, 5))
    def test_differences_cancel_it(self, name: str, scores: Scores, amount: float) -> None:
        settings_ = {"alpha": 0.0} if name == "cpo" else {"sft_weight": 0.0} if name == "slic" else {}
        objective = METHODS.get(name).configure(settings_)
        assert loss(objective, self.with_prompt_term(scores, amount)) == pytest.approx(
            loss(objective, scores), rel=1e-9, abs=1e-9
        )

    @pytest.mark.parametrize("name", ABSOLUTE)
    @every_example
    @given(pairs(count=1), st.floats(0.5, 5) | st.floats(-5, -0.5))
    def test_absolute_losses_do_not(self, name: str, scores: Scores, amount: float) -> None:
        objective = METHODS.get(name).configure({})
        ratio = log_ratio()(scores, Batch.pairs(1))
        # Exactly at the symmetric point a shift and its mirror image cost the same.
        assume(abs(float(ratio.sum()) + amount) > 0.1)
        changed = loss(objective, self.with_prompt_term(scores, amount))
        assert abs(changed - loss(objective, scores)) > 1e-9

    @every_example
    @given(pairs(count=2), st.floats(-5, 5))
    def test_a_running_shift_cancels_it_and_a_baseline_too(self, scores: Scores, amount: float) -> None:
        """What all log-ratios have in common is absorbed by BCO's δ, and by KTO's z₀ where it is positive."""
        batch = Batch.unpaired([True, False, True, False])
        shifted = self.with_prompt_term(scores, amount)
        objective = bco(0.3)
        values = []
        for world in (scores, shifted):
            state = objective.update(objective.init(), world, batch)
            values.append(float(objective(world, batch, state).loss))
        assert values[1] == pytest.approx(values[0], rel=1e-9)
        baseline = kto(0.3)
        auxiliary = Scores.from_sequences(torch.full((4,), 10.0, dtype=torch.float64), torch.zeros(4))
        before = baseline.update(baseline.init(), scores, batch, auxiliary)
        lifted = replace(auxiliary, token_logps=auxiliary.token_logps + amount)
        after = baseline.update(baseline.init(), shifted, batch, lifted)
        assert float(baseline(shifted, batch, after).loss) == pytest.approx(
            float(baseline(scores, batch, before).loss), rel=1e-9
        )


class TestDivergences:
    @every_example
    @given(pairs(), betas)
    def test_reverse_kl_is_dpo(self, scores: Scores, beta: float) -> None:
        same(f_dpo(beta, "reverse-kl"), dpo(beta), scores)

    @every_example
    @given(pairs(), betas)
    def test_the_alpha_divergence_tends_to_both_kls(self, scores: Scores, beta: float) -> None:
        mild = replace(scores, reference=scores.token_logps * 0.9)
        for alpha, limit in ((1 - 1e-9, dpo(beta)), (1e-9, f_dpo(beta, "forward-kl"))):
            assert loss(f_dpo(beta, "alpha", alpha), mild) == pytest.approx(loss(limit, mild), rel=1e-4, abs=1e-6)
        # Close to 1 there is no jump where the limit takes over.
        near = [Divergence("alpha", 1 - step)(mild, Batch.pairs(2)) for step in (1e-7, 1e-9)]
        torch.testing.assert_close(near[0], near[1], rtol=1e-5, atol=1e-5)

    @every_example
    @given(pairs(), betas)
    def test_small_ratios_make_all_divergences_alike(self, scores: Scores, beta: float) -> None:
        """f' is log u + const to first order at u = 1; Jensen–Shannon has half the slope."""
        near = replace(scores, reference=scores.token_logps + 1e-6)
        plain = gradient(dpo(beta), near)
        torch.testing.assert_close(gradient(f_dpo(beta, "forward-kl"), near), plain, rtol=1e-4, atol=1e-9)
        torch.testing.assert_close(gradient(f_dpo(beta, "alpha", 0.3), near), plain, rtol=1e-4, atol=1e-9)
        torch.testing.assert_close(gradient(f_dpo(beta, "jensen-shannon"), near), plain / 2, rtol=1e-4, atol=1e-9)


class TestLength:
    @every_example
    @given(pairs(), betas)
    def test_ld_dpo_tends_to_dpo(self, scores: Scores, beta: float) -> None:
        assert loss(ld_dpo(beta, 1 - 1e-9), scores) == pytest.approx(loss(dpo(beta), scores), rel=1e-6, abs=1e-6)
        same(dpo(beta).with_token_weights(SharedPrefix(1.0)), dpo(beta), scores)

    @every_example
    @given(pairs(), betas)
    def test_at_zero_the_tail_gets_no_gradient(self, scores: Scores, beta: float) -> None:
        found = gradient(ld_dpo(beta, 0.0), scores)
        shorter = torch.minimum(scores.lengths[0::2], scores.lengths[1::2]).repeat_interleave(2)
        tail = scores.position >= shorter[scores.sequence]
        assert not found[tail].any()
        assert found[~tail].all()

    @every_example
    @given(st.data(), st.integers(1, 6), betas)
    def test_equal_lengths_leave_nothing_to_correct(self, data: st.DataObject, length: int, beta: float) -> None:
        scores = data.draw(pairs(lengths=st.just(length)))
        same(ld_dpo(beta, 0.3), dpo(beta), scores)
        same(r_dpo(beta, 0.3), dpo(beta), scores)
        same(dpo_norm(beta * length), dpo(beta), scores)

    @every_example
    @given(pairs(count=1), betas, st.floats(0.001, 0.2))
    def test_a_price_on_length_is_a_shift_of_the_gap(self, scores: Scores, beta: float, alpha: float) -> None:
        gap = log_ratio()(scores, Batch.pairs(1)).diff().neg()
        lengths = scores.lengths[0] - scores.lengths[1]
        z = float(beta * gap + alpha * lengths)
        expected = max(-z, 0) + math.log1p(math.exp(-abs(z)))
        assert loss(r_dpo(beta, alpha), scores) == pytest.approx(expected)


class TestWeights:
    @every_example
    @given(pairs())
    def test_on_policy_weights_are_detached_and_at_most_one(self, scores: Scores) -> None:
        leaf = replace(scores, token_logps=scores.token_logps.requires_grad_())
        weight = OnPolicyWeight()(leaf, Batch.pairs(2))
        assert not weight.requires_grad
        assert ((weight > 0) & (weight <= 1)).all()

    @every_example
    @given(pairs(count=1), betas)
    def test_wpo_is_dpo_times_the_weight(self, scores: Scores, beta: float) -> None:
        weight = float(OnPolicyWeight()(scores, Batch.pairs(1)))
        same(wpo(beta), weight * dpo(beta), scores)


class TestRankings:
    @every_example
    @given(pairs(), betas)
    def test_infonca_without_rewards_is_dpo(self, scores: Scores, beta: float) -> None:
        same(infonca(beta), dpo(beta), scores)

    @every_example
    @given(pairs(), betas)
    def test_infonca_with_clear_rewards_tends_to_dpo(self, scores: Scores, beta: float) -> None:
        batch = Batch.ranked([2, 2], torch.tensor([1e3, 0.0, 1e3, 0.0], dtype=torch.float64))
        value = float(infonca(beta, alpha=1.0)(scores, batch).loss)
        assert value == pytest.approx(loss(dpo(beta), scores))

    @every_example
    @given(pairs(), betas, st.floats(0.1, 3))
    def test_infonca_with_close_rewards_is_cdpo(self, scores: Scores, beta: float, gap: float) -> None:
        """softmax of rewards that differ by g is the label 1 − σ(−g)."""
        batch = Batch.ranked([2, 2], torch.tensor([gap, 0.0, gap, 0.0], dtype=torch.float64))
        eps = 1 / (1 + math.exp(gap))
        assert float(infonca(beta)(scores, batch).loss) == pytest.approx(loss(cdpo(beta, eps), scores))


class TestSums:
    @every_example
    @given(pairs(), st.floats(0.001, 10), st.floats(0.001, 10))
    def test_loss_and_gradient_are_linear(self, scores: Scores, first: float, second: float) -> None:
        parts = (simpo(), nll(), ipo())
        total = first * parts[0] + second * parts[1] + parts[2]
        expected = first * loss(parts[0], scores) + second * loss(parts[1], scores) + loss(parts[2], scores)
        assert loss(total, scores) == pytest.approx(expected)
        combined = (
            first * gradient(parts[0], scores) + second * gradient(parts[1], scores) + gradient(parts[2], scores)
        )
        torch.testing.assert_close(gradient(total, scores), combined, rtol=1e-9, atol=1e-12)

    @every_example
    @given(pairs(), betas)
    def test_a_weight_of_zero_for_sft_is_the_plain_loss(self, scores: Scores, beta: float) -> None:
        same(dpo(beta) + 1e-300 * nll(), dpo(beta), scores)


@every_example
@given(pairs(), betas)
def test_the_gradient_of_dpo(scores: Scores, beta: float) -> None:
    """−beta σ(−beta d) on every token of the chosen answer, plus that on every token of the rejected one."""
    gap = log_ratio()(scores, Batch.pairs(2))
    zeta = beta * torch.sigmoid(-beta * (gap[0::2] - gap[1::2])) / 2
    signs = torch.tensor([-1.0, 1.0], dtype=torch.float64).repeat(2)
    expected = (signs * zeta.repeat_interleave(2))[scores.sequence]
    torch.testing.assert_close(gradient(dpo(beta), scores), expected, rtol=1e-9, atol=1e-300)


@every_example
@given(st.floats(0.05, 1.0), st.floats(0.51, 1.0))
def test_the_optimum_of_ipo_is_finite_even_for_certain_labels(tau: float, rate: float) -> None:
    """Over both label orders the optimum is d = (2p − 1)/(2 tau)."""
    gap = (2 * rate - 1) / (2 * tau)
    policy = torch.tensor([gap - 1, -1.0], dtype=torch.float64, requires_grad=True)
    scores = Scores.from_sequences(policy, torch.full((2,), -1.0, dtype=torch.float64))
    straight, flipped = ipo(tau)(scores, Batch.pairs(1)).loss, ipo(tau)(*exchanged(scores)).loss
    (found,) = torch.autograd.grad(rate * straight + (1 - rate) * flipped, policy)
    assert found.tolist() == pytest.approx([0.0, 0.0], abs=1e-9)
