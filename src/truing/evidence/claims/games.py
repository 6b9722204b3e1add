"""Preferences as a game, in exact worlds: populations, mixtures, and what play ends in."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals, random_policy
from truing.objectives import Objective, dpo
from truing.worlds import Tabular, cyclic, exact_pairs, exploitability, fit, total_variation
from truing.worlds.games import regularised_nash
from truing.worlds.online import Contests, expected_gradient, train_online

_MNPO = "2509.23102, section 3; catalogue, mnpo: evidence"
_UNEVEN = (1.0, 0.8, 0.5)
SKEWED = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
EVEN = torch.full((3,), 1 / 3, dtype=torch.float64)


def _table() -> Tensor:
    """Log-odds of rock, paper, scissors with unequal stakes."""
    table = torch.zeros(3, 3, dtype=torch.float64)
    for place, margin in enumerate(_UNEVEN):
        table[place, (place + 1) % 3] = 3 * margin
    return table - table.T


def play(
    objective: Objective,
    win: Tensor,
    reference: Tensor,
    rounds: int,
    *,
    start: Tensor | None = None,
    history: Sequence[float] = (1.0,),
    follows: bool = False,
) -> Tensor:
    """The policies of all rounds, each fitted to labels of the last one's answers, shape ``[rounds + 1, K]``.

    Args:
        objective: a pairwise one.
        win: who wins, shape ``[K, K]``.
        reference: probabilities.
        rounds: of drawing and fitting.
        start: the first policy; the reference if left out.
        history: weights of the last policy, of the one before, and so on.
        follows: whether the reference is the last policy, as in iterative DPO.
    """
    anchor = Tabular(reference.log())
    past = [Tabular((reference if start is None else start).log())]
    for _ in range(rounds):
        last = past[-1]
        opponents = [(weight, one) for weight, one in zip(history, reversed(past), strict=False) if weight]
        data = exact_pairs(win[None], last.probabilities())
        made = fit(last, objective, data, reference=last if follows else anchor, opponents=opponents)
        past.append(made.policy)
    return torch.cat([one.probabilities() for one in past])


def _gaps(win: Tensor, policies: Tensor) -> Tensor:
    """How much more than half of the time each policy can be beaten."""
    return torch.tensor([exploitability(win, policy) for policy in policies], dtype=torch.float64)


def _one_round(objective: Objective, seed: int, share: float, eta: float, history: Sequence[float]) -> float:
    """Total variation of a fitted round from the closed form, with labels of the last policy's answers."""
    outputs = 5
    score = normals(seed, outputs, outputs)
    win = torch.sigmoid(score - score.T)
    laws = [torch.softmax(normals(seed + place + 1, outputs), -1) for place in range(len(history) + 1)]
    reference, past = laws[0], laws[1:]
    weights = torch.tensor(history, dtype=torch.float64)
    weights = weights / weights.sum()
    mixed = torch.einsum("h,hk->k", weights, torch.stack(past).log())
    rate = win @ past[0]
    predicted = torch.softmax(share * reference.log() + (1 - share) * mixed + rate / eta, -1)
    data = exact_pairs(win[None], past[0])
    members = [(weight, Tabular(law.log())) for weight, law in zip(history, past, strict=True)]
    fitted = fit(members[0][1], objective, data, reference=Tabular(reference.log()), opponents=members).policy
    return total_variation(fitted.probabilities(), predicted)


@claim(
    method="mnpo",
    statement="One round ends at ref^ρ · Π_j π_j^(λ_j(1 − ρ)) · exp(P(y beats the last policy)/eta), with ρ = 1/3, "
    "eta = 0.5 and opponents weighted 0.7 and 0.3: total variation below 1e-6.",
    source=f"{_MNPO}: multiplicative weights",
)
def one_round_in_closed_form(make: Factory, seed: int) -> Measurement:
    error = _one_round(make(rho=1 / 3, eta=0.5), seed, 1 / 3, 0.5, (0.7, 0.3))
    return equals(0.0, error, 1e-6, "total variation")


@claim(
    method="mnpo",
    statement="In an uneven rock, paper, scissors the last policy settles, at the equilibrium with tau = rho·eta = "
    "1/3: with the reference (0.6, 0.3, 0.1) it can be beaten by 0.149, the price of that reference, to 0.001.",
    source=f"{_MNPO}: 0.15 with rho = 1/3 and a unit step",
)
def settles_at_the_regularised_equilibrium(make: Factory, seed: int) -> Measurement:
    win = torch.sigmoid(_table())
    last = play(make(rho=1 / 3, eta=1.0), win, SKEWED, 30)[-1]
    expected = regularised_nash(win, SKEWED, 1 / 3)
    return equals(
        exploitability(win, expected),
        exploitability(win, last),
        1e-3,
        "win rate above one half",
        last=last.tolist(),
    )


@claim(
    method="mnpo",
    statement="In rock, paper, scissors from (0.6, 0.3, 0.1) with an even reference the last policy can be beaten by "
    "less than 0.01 after 20 rounds, where iterative DPO still can be by more than 0.2 on average over rounds 10 to "
    "20.",
    source=f"{_MNPO}: cyclic preferences are judged by the duality gap",
)
def settles_where_dpo_cycles(make: Factory, seed: int) -> Measurement:
    win = cyclic(3, 0.8)[0]
    settled = float(_gaps(win, play(make(rho=1 / 3, eta=1.0), win, EVEN, 20, start=SKEWED))[-1])
    cycling = float(_gaps(win, play(dpo(beta=1.0), win, EVEN, 20, start=SKEWED, follows=True))[10:].mean())
    return above(0.0, min(0.01 - settled, cycling - 0.2), "win rate", settled=settled, cycling=cycling)


@claim(
    method="mnpo",
    statement="Without a share of the reference the last policy keeps cycling, beaten by over 0.2 on average of "
    "rounds 30 to 60, while the average of all policies can be beaten by less than 0.06.",
    source=f"{_MNPO}: the average policy reaches 0.011 after 400 rounds, the last one cycles",
)
def average_play_without_the_reference(make: Factory, seed: int) -> Measurement:
    win = torch.sigmoid(_table())
    policies = play(make(rho=0.0, eta=1.0), win, SKEWED, 60)
    cycling, average = float(_gaps(win, policies)[30:].mean()), exploitability(win, policies.mean(0))
    return above(0.0, min(cycling - 0.2, 0.06 - average), "win rate", cycling=cycling, average=average)


@claim(
    method="mnpo",
    statement="Two past policies as opponents lower the cycling and do not end it: rounds 20 to 40 can be beaten by "
    "less on average than with one, and still by over 0.1.",
    source=f"{_MNPO}: a two-iterate population only slightly lowers the cycling",
)
def a_population_dampens(make: Factory, seed: int) -> Measurement:
    win = torch.sigmoid(_table())
    one, two = (
        float(_gaps(win, play(make(rho=0.0, eta=1.0), win, SKEWED, 40, history=history))[20:].mean())
        for history in ((1.0,), (0.5, 0.5))
    )
    return above(0.0, min(one - two, two - 0.1), "win rate", one=one, two=two)


@claim(
    method="inpo",
    statement="One round ends at ref^ρ · π_t^(1 − ρ) · exp(P(y beats π_t)/eta), with ρ = tau/eta = 0.4 and eta = 0.5: "
    "total variation below 1e-6.",
    source="2407.00617, online mirror descent; catalogue, mnpo",
)
def mirror_step(make: Factory, seed: int) -> Measurement:
    return equals(0.0, _one_round(make(rho=0.4, eta=0.5), seed, 0.4, 0.5, (1.0,)), 1e-6, "total variation")


@claim(
    method="inpo",
    statement="Where it settles depends on tau and not on the step eta: with tau = 0.4 and eta = 0.8 and 1.6 the last "
    "policies are the equilibrium with a price 0.4 on KL, total variation below 0.001.",
    source="2407.00617, last-iterate convergence to the regularised Nash policy",
)
def equilibrium_of_tau(make: Factory, seed: int) -> Measurement:
    win = torch.sigmoid(_table())
    expected = regularised_nash(win, SKEWED, 0.4)
    apart = [
        total_variation(play(make(rho=0.4 / eta, eta=eta), win, SKEWED, rounds)[-1], expected)
        for eta, rounds in ((0.8, 20), (1.6, 30))
    ]
    return below(1e-3, max(apart), "total variation", apart=apart)


@claim(
    method="nash-md",
    statement="Over all groups of 2, 3 and 4 of 3 answers its expected gradient is Z times that of P(y beats "
    "π^0.5·ref^0.5) − 0.1·(log π − log ref), with Z = Σ π^0.5·ref^0.5: largest error 1e-9.",
    source="2312.00886, Nash-MD-PG; the normaliser of a geometric mixture",
)
def unbiased_up_to_the_normaliser(make: Factory, seed: int) -> Measurement:
    score = normals(seed, 3, 3)
    table = score - score.T
    policy, reference = random_policy(seed + 1, outputs=3), random_policy(seed + 2, outputs=3)
    law, other = policy.probabilities()[0], reference.probabilities()[0]
    weight = law.sqrt() * other.sqrt()
    rate = torch.sigmoid(table) @ (weight / weight.sum())
    worth = rate - 0.1 * (law / other).log()
    true = -law * (worth - (law * worth).sum())
    errors = [
        float(
            (
                expected_gradient(policy, make(mixture=0.5, kl=0.1), Contests(table, size), reference)[0]
                - weight.sum() * true
            )
            .abs()
            .max()
        )
        for size in (2, 3, 4)
    ]
    return equals(0.0, max(errors), 1e-9, "per nat", errors=errors)


@claim(
    method="nash-md",
    statement="In an uneven rock, paper, scissors it settles where π ∝ ref·exp(P(y beats π^0.75·ref^0.25)/0.4), total "
    "variation below 0.01.",
    source="2312.00886: fixed point of the regularised best response to the mixture",
)
def fixed_point_against_the_mixture(make: Factory, seed: int) -> Measurement:
    table = _table()
    objective = make(mixture=0.25, kl=0.4)
    policy = train_online(Tabular(SKEWED.log()), objective, Contests(table, 2), steps=200, rate=1.0)
    expected = regularised_nash(torch.sigmoid(table), SKEWED, 0.4, share=0.25)
    return equals(0.0, total_variation(policy.probabilities(), expected), 0.01, "total variation")
