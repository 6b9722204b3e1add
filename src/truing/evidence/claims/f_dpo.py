"""f-DPO (2309.16240)."""

from __future__ import annotations

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import normals, random_policy
from truing.worlds import bradley_terry, exact_pairs, f_dpo_policy, fit, tilted, total_variation

SOURCE = "2309.16240: at the optimum f'(π/ref) = (u + c)/beta"


def _distance(make: Factory, seed: int, divergence: str, **options: float) -> Measurement:
    reference, utility, beta = random_policy(seed), normals(seed + 1, 1, 8), 1.0
    objective = make(beta=beta, divergence=divergence, **options)
    trained = fit(reference, objective, exact_pairs(bradley_terry(utility))).policy
    law = reference.probabilities()
    if divergence == "reverse-kl":
        target = tilted(law, utility, beta)
    else:
        target = f_dpo_policy(law, utility, beta, divergence, **options)
    return equals(0.0, total_variation(trained.probabilities(), target), 1e-3, "total variation")


@claim(
    method="f-dpo",
    statement="With reverse KL the minimiser is DPO's, ref·exp(u/beta)/Z, within 0.001.",
    source=SOURCE,
)
def reverse_kl(make: Factory, seed: int) -> Measurement:
    return _distance(make, seed, "reverse-kl")


@claim(
    method="f-dpo",
    statement="With forward KL the minimiser is ref/(1 − (u + c)/beta), within 0.001.",
    source=SOURCE,
)
def forward_kl(make: Factory, seed: int) -> Measurement:
    return _distance(make, seed, "forward-kl")


@claim(
    method="f-dpo",
    statement="With Jensen–Shannon the minimiser is ref·e^v/(2 − e^v), v = (u + c)/beta, within 0.001.",
    source=SOURCE,
)
def jensen_shannon(make: Factory, seed: int) -> Measurement:
    return _distance(make, seed, "jensen-shannon")


@claim(
    method="f-dpo",
    statement="With the alpha-divergence, alpha = 0.5, the minimiser is ref/(1 − v/2)², v = (u + c)/beta, within "
    "0.001.",
    source=SOURCE,
)
def alpha_divergence(make: Factory, seed: int) -> Measurement:
    return _distance(make, seed, "alpha", alpha=0.5)
