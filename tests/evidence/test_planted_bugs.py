"""Every claim must be able to fail: it does on each of the bugs that it is paired with here."""

from __future__ import annotations

import pytest

from tests.evidence import mutants as m
from truing.evidence import CLAIMS, verify
from truing.objectives import METHODS

BUGS: dict[str, list[m.Mutation]] = {
    "alphapo/margin-in-bent-rewards": [m.plain_logps, m.margin_inside_beta, m.exchanged_roles],
    "alphapo/moderates-displacement": [m.plain_logps, m.exchanged_roles],
    "aot/quantiles-dominate": [m.unsmoothed, m.exchanged_roles],
    "aot/ignores-which-pair": [m.unsorted],
    "aot-unpaired/quantiles-apart": [m.unsmoothed, m.exchanged_roles, m.no_reference],
    "apo-down/first-pull": [m.flipped_term(0), m.exchanged_roles, m.other_beta],
    "apo-down/lowers-both": [m.without_term(0), m.flipped_term(0)],
    "apo-zero/absolute-pull": [m.logistic_link, m.no_reference, m.other_beta],
    "apo-zero/raises-chosen-lowers-rejected": [m.exchanged_roles, m.flipped_term(1), m.wrong_sign],
    "apo-zero-unpaired/majority-decides": [m.exchanged_roles, m.without_term(1)],
    "apo-zero-unpaired/saturates": [m.logistic_link],
    "bco/tilted-optimum": [m.no_shift, m.other_beta, m.shift_of_one_class],
    "bco/pull-ignores-an-offset": [m.no_shift, m.shift_with_gradient, m.shift_of_one_class],
    "bco/shift-tightens-the-bound": [m.no_shift, m.shift_of_one_class],
    "bco-pair/exceeds-dpo": [m.without_term(1), m.flipped_term(1), m.no_reference],
    "bco-pair/absolute-optimum": [m.exchanged_roles, m.other_beta, m.gradient_through_reference],
    "ccpo/milder-than-cpo": [m.unconditioned, m.exchanged_roles, m.other_beta],
    "ccpo/pull-on-tokens": [m.unconditioned, m.summed, m.exchanged_formulas],
    "cdpo/finite-optimum": [m.unsmoothed, m.exchanged_roles],
    "cdpo/shrinks-the-win-rate": [m.unsmoothed, m.no_reference],
    "cpo/uniform-reference": [m.with_reference, m.wrong_sign, m.other_beta],
    "cpo/imitation": [m.no_likelihood, m.likelihood_of_rejected],
    "cpo-simpo/keeps-the-chosen": [m.no_likelihood, m.no_effect, m.exchanged_roles],
    "cpo-simpo/stops-before-collapse": [m.no_likelihood, m.margin_inside_beta],
    "discopop/local-maximum": [m.logistic_link, m.other_beta],
    "discopop/local-minimum": [m.logistic_link, m.exchanged_roles, m.no_reference],
    "dpo/tilted-optimum": [
        m.wrong_sign,
        m.exchanged_roles,
        m.no_reference,
        m.policy_as_reference,
        m.gradient_through_reference,
        m.detached_rejected,
        m.other_beta,
    ],
    "dpo/logarithmic-growth": [m.exchanged_roles, m.gradient_through_reference, m.detached_rejected, m.other_beta],
    "dpo/ranking-needs-a-lower-loss": [m.no_reference, m.exchanged_roles],
    "dpo/idealised-ranking": [m.exchanged_roles, m.no_reference],
    "dpo-norm/length-normalised-optimum": [m.summed, m.exchanged_roles, m.no_reference],
    "dpo-norm/pull-per-token": [m.summed],
    "dpo-norm/less-verbose": [m.summed],
    "exo/averages-log-odds": [m.forward_cross_entropy, m.smoothing_ignored, m.exchanged_roles],
    "exo/commits-more-than-cdpo": [m.forward_cross_entropy],
    "f-dpo/reverse-kl": [m.exchanged_roles, m.no_reference],
    "f-dpo/forward-kl": [m.reverse_kl, m.exchanged_roles],
    "f-dpo/jensen-shannon": [m.reverse_kl, m.exchanged_roles],
    "f-dpo/alpha-divergence": [m.reverse_kl, m.exchanged_roles],
    "hinge/corner": [m.logistic_link, m.no_reference, m.exchanged_roles],
    "hinge/stops": [m.logistic_link, m.doubled_delta, m.gradient_through_reference],
    "infonca/reward-tilt": [m.reward_temperature_ignored, m.no_reference, m.exchanged_roles],
    "infonca/pairs-are-dpo": [m.no_reference, m.exchanged_roles, m.other_beta],
    "ipo/finite-gap-per-token": [m.summed, m.exchanged_roles, m.no_reference],
    "ipo/finite-when-certain": [m.doubled_target, m.no_reference],
    "ipo/general-preferences": [m.exchanged_roles, m.detached_rejected, m.doubled_target],
    "kto/majority-decides": [m.exchanged_roles, m.wrong_sign],
    "kto/weights-move-the-threshold": [m.unscaled],
    "kto/baseline-takes-up-a-shift": [m.no_shift],
    "kto/baseline-is-not-negative": [m.unclamped_baseline],
    "kto/saturates-on-both-sides": [m.logistic_link],
    "ld-dpo/tail-counts-alpha": [m.no_token_weights],
    "ld-dpo/shorter-than-dpo": [m.no_token_weights],
    "logic/all-losses-of-two-answers": [m.other_beta, m.exchanged_formulas, m.squared_link],
    "logic/entailment-orders-losses": [m.wrong_sign, m.squared_link, m.exchanged_formulas],
    "logic/orpo-from-its-formula": [m.summed, m.unconditioned, m.exchanged_roles, m.other_beta],
    "nca/self-normalised-optimum": [m.without_term(1), m.without_term(2), m.no_reference],
    "nca/absolute-optimum": [m.without_term(1), m.exchanged_roles],
    "nca/stops-before-the-chosen-sinks": [m.without_term(1), m.flipped_term(2)],
    "nll/mean-reduction-favours-short": [m.summed, m.wrong_sign],
    "nll/rpo-stops-on-the-bandit": [m.no_effect, m.wrong_sign, m.likelihood_of_rejected],
    "nll/rpo-keeps-the-chosen-arm": [m.no_effect, m.wrong_sign],
    "orpo/odds-of-two-answers": [m.plain_logps, m.no_likelihood, m.likelihood_only],
    "orpo/pull-on-tokens": [m.summed_likelihood, m.plain_logps, m.no_likelihood],
    "r-dpo/charges-for-length": [m.reversed_margin, m.no_margin, m.no_reference],
    "r-dpo/removes-the-length-bonus": [m.reversed_margin, m.no_margin],
    "rdpo/unbiased-loss": [m.unsmoothed, m.smoothed_instead],
    "rdpo/clean-optimum": [m.unsmoothed, m.smoothed_instead, m.exchanged_roles],
    "rdpo/order-of-distances": [m.unsmoothed, m.smoothed_instead],
    "rrhf/order-of-rewards": [m.exchanged_roles, m.wrong_sign],
    "rrhf/imitates-the-best": [m.no_likelihood, m.summed_ranking, m.summed_likelihood],
    "sft/empirical-distribution": [m.averaged, m.wrong_sign],
    "simpo/margin-outside-beta": [m.margin_inside_beta, m.no_margin, m.summed, m.exchanged_roles],
    "simpo/length-normalised-optimum": [m.summed, m.with_reference, m.exchanged_roles],
    "simpo/shorter-without-margin": [m.summed],
    "slic/reference-free-margin": [m.with_reference, m.doubled_delta, m.logistic_link],
    "slic/imitation": [m.no_likelihood, m.likelihood_of_rejected],
    "sppo-hard/regresses-on-the-win-rate": [m.exchanged_roles, m.doubled_target, m.no_reference],
    "sppo-hard/equilibrium-is-a-fixed-point": [m.no_reference],
    "sppo-hard/average-play-approaches-nash": [m.exchanged_roles, m.no_effect],
    "uncpo/content-with-two-improbable-answers": [m.exchanged_roles],
    "uncpo/semantic-loss-of-the-implication": [m.other_beta, m.summed, m.exchanged_formulas],
    "wpo/weight-of-a-pair": [m.unweighted, m.weight_with_gradient, m.unaligned_weight],
    "wpo/on-policy-answers-weigh-one": [m.unweighted, m.unaligned_weight],
    "wpo/gains-on-off-policy-pairs": [m.unweighted, m.exchanged_roles, m.no_effect],
}


def test_every_claim_has_a_planted_bug():
    assert {entry.name for entry in CLAIMS if entry.method in METHODS} == set(BUGS)


@pytest.mark.parametrize(
    ("name", "bug"),
    [pytest.param(name, bug, id=f"{name}-{bug.__name__}") for name, bugs in BUGS.items() for bug in bugs],
)
def test_claim_fails_on_the_bug(name, bug):
    method = METHODS.get(name.split("/")[0])
    (result,) = verify(name, factory=lambda **options: bug(method(**options)))
    assert not result.passed, f"{name} holds on {bug.__name__}: measured {result.measured_text}"
