"""IPO (2310.12036)."""

from __future__ import annotations

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, equals
from truing.evidence.setups import gap, long_and_short, normals, random_policy, versus
from truing.worlds import cyclic, exact_pairs, fit, ipo_gap, ipo_policy, total_variation, win_rate


@claim(
    method="ipo",
    statement="Answers of 4 and 2 tokens with win rate 0.9 end with a gap of per-token log-ratios of (2p − 1)/(2 "
    "tau) = 0.8 for tau = 0.5.",
    source="catalogue, baseline-pairwise: log-ratios are averaged over tokens, both label orders count",
)
def finite_gap_per_token(make: Factory, seed: int) -> Measurement:
    world, share, tau = long_and_short(seed), 0.9, 0.5
    trained = fit(world.policy, make(tau=tau), versus(world.long, world.short, share)).policy
    change = (trained.logps() - world.policy.logps()).detach()[0] / world.policy.lengths
    measured = float(change[world.long] - change[world.short])
    return equals(ipo_gap(share, tau), measured, 1e-3, "nats per token")


@claim(
    method="ipo",
    statement="When one answer always wins, the gap stops at 1/(2 tau) = 1 for tau = 0.5, where DPO's grows for "
    "ever.",
    source="2310.12036, section 5",
)
def finite_when_certain(make: Factory, seed: int) -> Measurement:
    reference, tau = random_policy(seed, outputs=2), 0.5
    trained = fit(reference, make(tau=tau), versus(0, 1, 1.0)).policy
    return equals(ipo_gap(1.0, tau), gap(trained, reference), 1e-3, "nats")


@claim(
    method="ipo",
    statement="On cyclic preferences, which no utility explains, the minimiser is ref·exp((P(y beats the data) − "
    "1/2)/tau)/Z, within 0.001.",
    source="2310.12036, the identity case of ΨPO",
)
def general_preferences(make: Factory, seed: int) -> Measurement:
    reference, tau = random_policy(seed, outputs=5), 0.2
    win, sampler = cyclic(5, strength=0.8), normals(seed + 1, 1, 5).softmax(-1)
    trained = fit(reference, make(tau=tau), exact_pairs(win, sampler)).policy
    target = ipo_policy(reference.probabilities(), win_rate(win, sampler), tau)
    return equals(0.0, total_variation(trained.probabilities(), target), 1e-3, "total variation")
