"""QAlign (2504.03790): chains over answers that can be listed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from truing.decoding.best_of_n import best_of_n
from truing.decoding.qalign import log_acceptance
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, below
from truing.worlds.decoding import (
    ListedEngine,
    frequencies,
    listed_task,
    mean_reward,
    random_listed,
    tilted,
    wrong_about_the_rarest,
)

_SOURCE = "catalogue, qalign; 2504.03790"
_STEPS, _CHAINS = 80, 250


def _visited(make: Any, engine: ListedEngine, reward: Tensor, beta: float, seed: int) -> Tensor:
    """Share of steps, after a fifth of them, that chains spent on each answer."""
    chains = make(steps=_STEPS, beta=beta, chains=_CHAINS, burn_in=0.2, pick="last")
    (found,) = chains(listed_task(engine, reward, seed=seed))
    shares = {candidate.text: candidate.weight for candidate in found.candidates}
    return torch.tensor(
        [shares.get(engine.text(output), 0.0) for output in engine.policy.outputs], dtype=torch.float64
    )


@claim(
    method="qalign",
    statement="Chains visit answers as often as the tilt π e^(r/β) has them: the total variation is below 0.05.",
    source=_SOURCE,
)
def visits_follow_the_tilt(make: Any, seed: int) -> Measurement:
    engine, law, reward = random_listed(seed)
    apart = [
        float((_visited(make, engine, reward, beta, seed) - tilted(law, reward, beta)).abs().sum()) / 2
        for beta in (0.7, 2.0)
    ]
    return below(0.05, max(apart), "total variation", by_beta=apart)


@claim(
    method="qalign",
    statement="A chi-square test of 250 independent draws, the last states of as many chains, does not reject the "
    "tilt: its p-value is above 0.001.",
    source=_SOURCE,
)
def last_states_are_draws(make: Any, seed: int) -> Measurement:
    from scipy.stats import chisquare

    engine, law, reward = random_listed(seed)
    found = make(steps=25, beta=1.0, pick="last")(listed_task(engine, reward, prompts=250, seed=seed))
    expected = tilted(law, reward, 1.0) * 250
    counts = frequencies(engine, [one.text for one in found]) * 250
    # Rare answers are counted together, so that no cell expects fewer than five.
    rare = expected < 5
    cells = [torch.cat([part[~rare], part[rare].sum()[None]]).numpy() for part in (counts, expected)]
    return above(0.001, float(chisquare(*cells).pvalue), "p-value")


@claim(
    method="qalign",
    statement="With a proxy that is wrong about the rarest answer the true reward of the chains stays "
    "above that of best-of-n with as many answers, by more than 1.",
    source=_SOURCE,
)
def does_not_run_away(make: Any, seed: int) -> Measurement:
    engine, law, reward = random_listed(seed)
    proxy, gold = wrong_about_the_rarest(law, reward)
    chains, best = (
        mean_reward(decoder, engine, proxy, gold, prompts=40, seed=seed)
        for decoder in (make(steps=128, beta=1.0, pick="last"), best_of_n(n=128))
    )
    return above(1.0, chains - best, "reward", chains=chains, best_of_n=best)


def transitions(
    engine: ListedEngine, law: Tensor, reward: Tensor, beta: float, accept: Any = log_acceptance
) -> Tensor:
    """P(next answer | answer) of a chain, by enumeration of all cuts and all suffixes, shape ``[outputs, outputs]``."""
    outputs = [(*output, engine.end) for output in engine.policy.outputs]
    lengths = torch.tensor([len(output) for output in outputs], dtype=torch.float64)
    proposals = torch.zeros(len(outputs), len(outputs), dtype=torch.float64)
    for row, output in enumerate(outputs):
        for cut in range(len(output)):
            same = torch.tensor([other[:cut] == output[:cut] for other in outputs])
            proposals[row] += torch.where(same, law, 0.0) / law[same].sum() / len(output)
    count = len(outputs)
    odds = accept(
        reward.repeat(count),
        reward.repeat_interleave(count),
        beta,
        lengths.repeat(count),
        lengths.repeat_interleave(count),
    ).reshape(count, count)
    moves = proposals * odds.clamp(max=0.0).exp()
    found: Tensor = moves + torch.diag(1 - moves.sum(1))
    return found


@claim(
    method="qalign",
    statement="With the rule of acceptance the flows between any two answers balance under the tilt, by enumeration of "
    "all cuts: the largest difference is below 1e-12.",
    source=_SOURCE,
)
def flows_balance(make: Any, seed: int) -> Measurement:
    engine, law, reward = random_listed(seed)
    moves = transitions(engine, law, reward, 1.0, make(beta=1.0).accept)
    flows = tilted(law, reward, 1.0)[:, None] * moves
    return below(1e-12, float((flows - flows.T).abs().max()), "probability")
