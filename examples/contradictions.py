"""Where a measurement contradicts what papers, or summaries of them, say. Printed in docs/verify.md.

Usage (about half a minute):
    python examples/contradictions.py
"""

from __future__ import annotations

import torch

from truing.evidence.setups import (
    bystander,
    expected_length,
    gap,
    mean_length,
    normals,
    overlap,
    random_policy,
    versus,
)
from truing.objectives import bco, cdpo, discopop, dpo, dpo_norm, exo, nll, r_dpo, sppo_hard
from truing.objectives.algebra import LengthMargin
from truing.worlds import (
    Autoregressive,
    LogLinear,
    bradley_terry,
    descend,
    deterministic,
    entropy,
    exact_pairs,
    exact_thumbs,
    fit,
    kl,
    logistic_thumbs,
    pairs,
    sppo_log_ratio,
    tilted,
    total_variation,
    win_rate,
)

BONUS = 0.5


def show(topic: str, *lines: str) -> None:
    print(topic, *(f"  {line}" for line in lines), sep="\n")


def sign_of_r_dpo() -> None:
    """Annotators pay 0.5 a token: which sign of the regulariser removes the bonus."""
    policy = Autoregressive.random(0)
    quality = normals(1, 1, len(policy.outputs))
    data = exact_pairs(bradley_terry(quality + BONUS * policy.lengths))
    wanted = expected_length(tilted(policy.probabilities(), quality, 0.5), policy)
    paper = mean_length(fit(policy, r_dpo(beta=0.5, alpha=BONUS), data).policy)
    plain = mean_length(fit(policy, dpo(beta=0.5), data).policy)
    other = mean_length(fit(policy, dpo(beta=0.5).with_margin(LengthMargin(BONUS / 0.5)), data).policy)
    show(
        "R-DPO: mean length of answers, tokens",
        f"asked for by quality alone {wanted:.3f}; dpo {plain:.3f}",
        f"+ alpha·(|y_w| - |y_l|) inside the link, as derived: {paper:.3f}",
        f"- alpha·(|y_w| - |y_l|), as often restated: {other:.3f}",
    )


def weights_of_wpo() -> None:
    """Two answers drawn from the policy itself."""
    law = normals(0, 8).softmax(-1)
    weight = law / law.square().sum()
    pair = weight[:, None] * weight[None, :]
    share = law[:, None] * law[None, :]
    clamped = float((share * pair.clamp(max=1)).sum())
    show(
        "WPO: weights of answers drawn from the policy itself",
        f"mean weight of an answer {float(law @ weight):.3f}, but from {weight.min():.3f} to {weight.max():.3f}",
        f"mean weight of a pair {float((share * pair).sum()):.3f}; clamped at 1 {clamped:.3f}",
    )


def commitment_of_exo() -> None:
    """Entropy of what 20 policies of a family that cannot fit two peaks end with."""
    grid = torch.linspace(-3, 3, 15, dtype=torch.float64)
    family = LogLinear(torch.stack([grid, -grid.square()], -1))
    objectives = {"exo": exo(0.2, 0.05), "cdpo": cdpo(0.2, 0.05), "dpo": dpo(0.2)}
    sums = dict.fromkeys(objectives, 0.0)
    for world in range(20):
        generator = torch.Generator().manual_seed(world)
        left, right, lower = torch.rand(3, generator=generator, dtype=torch.float64)
        peaks = torch.stack([-(grid + 1 + left).square() / 0.2, -(grid - 1 - right).square() / 0.2 - lower])
        utility = peaks.logsumexp(0)
        for name, objective in objectives.items():
            # With labels that are always right DPO has no finite optimum, so its labels are the utilities' own.
            win = bradley_terry(utility) if name == "dpo" else deterministic(utility)
            sums[name] += (
                entropy(fit(family, objective, exact_pairs(win), tolerance=1e-7).policy.probabilities()) / 20
            )
    start = random_policy(0, outputs=2)
    gaps = {
        name: 0.5 * gap(fit(start, objective, versus(0, 1, 0.8)).policy, start)
        for name, objective in {"exo": exo(0.5, 0.05), "cdpo": cdpo(0.5, 0.05), "dpo": dpo(0.5)}.items()
    }
    show(
        "EXO: does it commit where DPO covers?",
        "mean entropy over 20 worlds, nats: " + ", ".join(f"{name} {value:.3f}" for name, value in sums.items()),
        "beta·gap where 80 % prefer one of two answers: " + ", ".join(f"{n} {v:.3f}" for n, v in gaps.items()),
    )


def length_at_equal_distance() -> None:
    """Mean length under DPO for two values of beta, and under dpo-norm at one."""
    policy = Autoregressive.random(0)
    quality = normals(500, 1, len(policy.outputs))
    utility = quality + BONUS * policy.lengths
    law, data = policy.probabilities(), exact_pairs(bradley_terry(utility))
    norm = fit(policy, dpo_norm(beta=5.0), data).policy
    rows = {f"dpo, beta {beta:g}": tilted(law, utility, beta) for beta in (0.5, 2.0)}
    rows["dpo-norm, beta 5"] = norm.probabilities()
    show(
        "Length drift: a longer mean length may only mean a larger distance",
        f"start {mean_length(policy):.3f} tokens",
        *(
            f"{name}: {expected_length(found, policy):.3f} tokens at KL {kl(found, law):.3f} nats"
            for name, found in rows.items()
        ),
    )


def weight_of_rpo() -> None:
    """Probability of the chosen arm, and of the arm that is in no pair."""
    lines = []
    for eta in (0.0, 0.005, 0.05, 0.5):
        objective = dpo(beta=1.0) + eta * nll(reduction="sum") if eta else dpo(beta=1.0)
        arms = fit(overlap(), objective, pairs([0], [1])).policy.probabilities()[0]
        lines.append(f"eta {eta:g}: chosen {float(arms[0]):.3f}, uncovered {float(arms[2]):.3f}")
    show("RPO: DPO plus eta times the likelihood of the chosen arm", *lines)


def shift_of_bco() -> None:
    """Steps until the policy is within 0.001 of the optimum, for two ways of averaging the shift."""
    reference = random_policy(0, outputs=5)
    utility = torch.tensor([[-2.0, -1.0, 0.0, 1.0, 2.0]], dtype=torch.float64)
    data, target = exact_thumbs(logistic_thumbs(utility)), tilted(reference.probabilities(), utility, 1.0)
    lines = []
    for name, momentum in (("all rewards so far (the default)", None), ("the last batch, momentum 0", 0.0)):
        trace = descend(
            reference,
            bco(beta=1.0, momentum=momentum),
            data,
            steps=1000,
            rate=8.0,
            watch=lambda policy: {"tv": total_variation(policy.probabilities(), target)},
        )
        first = next((step for step, seen in enumerate(trace.watched) if seen["tv"] < 1e-3), None)
        lines.append(
            f"{name}: {'not within 1000 steps' if first is None else f'{first} steps'}, "
            f"{trace.watched[-1]['tv']:.4f} after 1000"
        )
    show("BCO: steps until the policy is within 0.001 of the optimum", *lines)


def target_of_sppo() -> None:
    """The default target, and whether a closed world can reach it."""
    beta = 0.5
    win = bradley_terry(normals(1, 1, 6))
    open_world = bystander(0)
    trained = fit(open_world.policy, sppo_hard(beta=beta), exact_pairs(win, open_world.sampler)).policy
    error = open_world.change(trained) - sppo_log_ratio(win_rate(win, open_world.sampler), beta)[:, :-1]
    closed = random_policy(0, outputs=6)
    uniform = torch.full((1, 6), 1 / 6, dtype=torch.float64)
    law = fit(closed, sppo_hard(beta=beta), exact_pairs(win)).policy
    change = (law.logps() - closed.logps()).detach() - sppo_log_ratio(win_rate(win, uniform), beta)
    goal, largest = 1 / (2 * 1e-3), [float(values.abs().max()) for values in (error, change)]
    show(
        "SPPO: log-ratios against (P(y wins) - 1/2)/beta",
        f"default beta 1e-3: the target is ±{goal:.0f} nats, the loss starts at {2 * goal**2:,.0f}",
        f"largest error with room outside the data {largest[0]:.3f}, without {largest[1]:.3f} nats",
    )


def start_of_discopop() -> None:
    """Where training ends, by the gap at which it starts."""
    reference = random_policy(0, outputs=2)
    lines = []
    for start in (0.0, 1.4, 1.5):
        policy = type(reference)(reference.logps().detach() + torch.tensor([[start / 2, -start / 2]]))
        trained = descend(policy, discopop(), pairs([0], [1]), reference=reference, steps=5000, rate=2.0).policy
        lines.append(f"gap {start:.1f} at the start: {gap(trained, reference):+.3f} after 5000 steps")
    show("DiscoPOP (beta = tau = 0.05): a pair may end in the wrong order", *lines)


def main() -> None:
    sign_of_r_dpo()
    weights_of_wpo()
    commitment_of_exo()
    length_at_equal_distance()
    weight_of_rpo()
    shift_of_bco()
    target_of_sppo()
    start_of_discopop()


if __name__ == "__main__":
    main()
