"""f-DPG (2302.08215): every divergence reaches the target; families that cannot reach it show which modes it keeps."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals
from truing.objectives import Batch, Objective, Scores
from truing.objectives.algebra.policy_gradient import PROPOSAL
from truing.worlds import total_variation

DIVERGENCES = (
    "forward-kl",
    "reverse-kl",
    "total-variation",
    "jensen-shannon",
    "chi-square",
    "reverse-chi-square",
)


def world(logps: Tensor, reference: Tensor, reward: Tensor, drawn: Tensor | None = None) -> tuple[Scores, Batch]:
    """Samples of one prompt: all outputs once, as if drawn uniformly, or those of ``drawn``, drawn from the policy."""
    index = torch.arange(len(logps)) if drawn is None else drawn
    uniform = -torch.log(torch.tensor(float(len(logps)), dtype=torch.float64))
    proposal = uniform.expand(len(index)) if drawn is None else logps.detach()[index]
    scores = Scores(logps[index], torch.arange(len(index)), len(index), reference[index])
    none = torch.arange(0)
    samples = replace(
        Batch.samples([len(index)]),
        reward=reward[index],
        per_sequence={PROPOSAL: proposal},
        own=torch.arange(len(index)),
    )
    return scores, replace(samples, chosen=none, own=none, parts={"samples": samples})


def gradient(
    objective: Objective, logits: Tensor, reference: Tensor, reward: Tensor, drawn: Tensor | None
) -> Tensor:
    """Of the loss by the policy's logits."""
    leaf = logits.detach().clone().requires_grad_()
    scores, batch = world(torch.log_softmax(leaf, -1), reference, reward, drawn)
    return torch.autograd.grad(objective(scores, batch).loss, leaf)[0]


def trained(objective: Objective, parameters: Tensor, law: object, reference: Tensor, reward: Tensor) -> Tensor:
    """Log-probabilities after exact descent; ``law`` turns parameters into log-probabilities."""
    leaf = parameters.detach().clone().requires_grad_()
    optimiser = torch.optim.Adam([leaf], lr=0.05)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, [300, 420], gamma=0.1)
    for _ in range(480):
        scores, batch = world(law(leaf), reference, reward)  # type: ignore[operator]
        optimiser.zero_grad()
        objective(scores, batch).loss.backward()
        optimiser.step()
        schedule.step()
    return law(leaf).detach()  # type: ignore[operator, no-any-return]


@claim(
    method="f-dpg",
    statement="With 20 outputs and every output once, all six divergences end at ref·exp(reward/beta)/Z: largest total "
    "variation 0.01.",
    source="2302.08215, section 4: every f has its minimum at the target",
)
def every_divergence_reaches_the_target(make: Factory, seed: int) -> Measurement:
    logits, reward = normals(seed, 20), normals(seed + 1, 20)
    reference = torch.log_softmax(logits, -1)
    target = torch.softmax(reference + reward, -1)[None]
    errors = {}
    for name in DIVERGENCES:
        end = trained(
            make(divergence=name, beta=1.0, baseline=False),
            logits,
            lambda leaf: torch.log_softmax(leaf, -1),
            reference,
            reward,
        )
        errors[name] = total_variation(end.exp()[None], target)
    return equals(0.0, max(errors.values()), 0.01, "total variation", errors=errors)


@claim(
    method="f-dpg",
    statement="Where the policy is a single bump on a grid, starts near the larger of the target's two and cannot have "
    "both, forward KL ends more than 1 nat more spread out than reverse KL, and Jensen–Shannon between them.",
    source="2302.08215, section 2; catalogue, f-dpg: evidence, entropies",
)
def forward_kl_covers_and_reverse_kl_seeks(make: Factory, seed: int) -> Measurement:
    grid = torch.linspace(-6, 6, 61, dtype=torch.float64)

    def bump(parameters: Tensor) -> Tensor:
        return torch.log_softmax(-0.5 * ((grid - parameters[0]) / parameters[1].exp()) ** 2, -1)

    two = torch.logsumexp(
        torch.stack([-0.5 * ((grid + 2.5) / 0.6) ** 2, -0.5 * ((grid - 2.5) / 0.6) ** 2 - 0.51]), 0
    )
    reference = torch.full((61,), -torch.log(torch.tensor(61.0)).item(), dtype=torch.float64)
    entropies = {}
    for name in ("forward-kl", "jensen-shannon", "reverse-kl"):
        start = torch.tensor([-2.0, 0.0], dtype=torch.float64)
        end = trained(make(divergence=name, beta=1.0, baseline=False), start, bump, reference, two)
        entropies[name] = float(-(end.exp() * end).sum())
    wide, middle, narrow = entropies.values()
    spread = wide - narrow if wide >= middle >= narrow else float("nan")
    return above(1.0, spread, "nats", entropies=entropies)


@claim(
    method="f-dpg",
    statement="For reverse KL the gradient is that of REINFORCE with reward − beta·log(π/ref), divided by beta: "
    "largest error 1e-9.",
    source="2302.08215, section 4.1; catalogue, f-dpg: evidence",
)
def reverse_kl_is_reinforce(make: Factory, seed: int) -> Measurement:
    logits, reward, beta = normals(seed, 12), normals(seed + 1, 12), 0.7
    reference = torch.log_softmax(normals(seed + 2, 12), -1)
    found = gradient(make(divergence="reverse-kl", beta=beta, baseline=False), logits, reference, reward, None)
    leaf = logits.clone().requires_grad_()
    logp = torch.log_softmax(leaf, -1)
    shaped = (reward - beta * (logp - reference)).detach()
    (expected,) = torch.autograd.grad(-(logp.detach().exp() * shaped * logp).sum() / beta, leaf)
    # A constant in the pseudo-reward adds nothing: Σ π ∇log π = 0.
    return equals(0.0, float((found - expected).abs().max()), 1e-9, "per nat")


@claim(
    method="f-dpg",
    statement="With 8 samples of the policy and forward KL the baseline of the others lowers the gradient's variance "
    "to less than 0.6 of it; the mean of 400 draws keeps the exact gradient's direction, with a cosine above 0.98, and "
    "its length within a fifth.",
    source="2302.08215, section 4.2: baselines; catalogue, f-dpg: evidence",
)
def the_baseline_lowers_the_variance(make: Factory, seed: int) -> Measurement:
    logits, reward = normals(seed, 12), normals(seed + 1, 12)
    reference = torch.log_softmax(logits, -1)
    generator = torch.Generator().manual_seed(seed)
    draws = [torch.multinomial(torch.softmax(logits, -1), 8, True, generator=generator) for _ in range(400)]
    with_baseline, without = (
        torch.stack(
            [
                gradient(
                    make(divergence="forward-kl", beta=1.0, baseline=baseline), logits, reference, reward, drawn
                )
                for drawn in draws
            ]
        )
        for baseline in (True, False)
    )
    exact = gradient(make(divergence="forward-kl", beta=1.0, baseline=False), logits, reference, reward, None)
    mean = with_baseline.mean(0)
    cosine = float(torch.cosine_similarity(mean, exact, 0))
    length = float(mean.norm() / exact.norm())
    ratio = float(with_baseline.var(0).sum() / without.var(0).sum())
    kept = cosine > 0.98 and abs(length - 1) < 0.2
    return below(0.6, ratio if kept else float("nan"), "ratio of variances", cosine=cosine, length=length)
