"""MAPL (2505.12845): answers that obey instructions or not, prompts that give them, and a reward of both."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import WORLDS, normals
from truing.objectives import Batch, Objective, Scores
from truing.objectives.methods.dpo import dpo
from truing.worlds import Data, LogLinear, beside, descend, pairs

INSTRUCTIONS, ANSWERS, TRAITS = 6, 24, 2
RECORDS = 6
HELD_OUT = 300
BETA = 0.1


@dataclass(frozen=True)
class Instructed:
    """A policy with a weight for obeying each instruction, where the prompt gives it, and one for each trait.

    Traits decide which answer of a pair people chose; what prompts ask for decides which one is right under them.

    Attributes:
        policy: a prompt for every set of instructions that the records use; the first gives none.
        records: the chosen and rejected answer, and the prompts without instructions, met, unmet, wide and narrow.
        asked: which three instructions each held-out prompt gives, 0 or 1.
        obeyed: of two answers to it, what the first obeys and the second does not, 1, 0 or −1.
        traits: of the first minus those of the second.
    """

    policy: LogLinear
    records: Int[Tensor, "records roles"]
    asked: Float[Tensor, "pairs instructions"]
    obeyed: Float[Tensor, "pairs instructions"]
    traits: Float[Tensor, "pairs traits"]

    @classmethod
    def random(cls, seed: int) -> Instructed:
        draw = torch.Generator().manual_seed(seed)
        obeys = (torch.rand(ANSWERS, INSTRUCTIONS, generator=draw) < 0.5).double()
        traits = 0.2 * torch.randn(ANSWERS, TRAITS, generator=draw, dtype=torch.float64)
        liking = traits @ torch.randn(TRAITS, generator=draw, dtype=torch.float64)
        prompts: list[Tensor] = [torch.zeros(INSTRUCTIONS, dtype=torch.float64)]
        records: list[list[int]] = []

        def prompt(*given: int) -> int:
            prompts.append(torch.zeros(INSTRUCTIONS, dtype=torch.float64).index_fill(0, torch.tensor(given), 1.0))
            return len(prompts) - 1

        def any_of(flags: Tensor, count: int) -> list[int]:
            places = torch.nonzero(flags)[:, 0]
            chosen: list[int] = places[torch.randperm(len(places), generator=draw)[:count]].tolist()
            return chosen

        while len(records) < RECORDS:
            one, other = torch.randperm(ANSWERS, generator=draw)[:2].tolist()
            better, worse = (one, other) if liking[one] > liking[other] else (other, one)
            obeyed = obeys[better] > 0
            two, broken = any_of(obeyed, 2), any_of(~obeyed, 1)
            only, both = (any_of(obeyed & flags, 1) for flags in (obeys[worse] == 0, obeys[worse] > 0))
            if len(two) < 2 or not broken or not only or not both:
                continue
            under = [0, prompt(*two), prompt(two[0], *broken), prompt(*only), prompt(*both)]
            records.append([better, worse, *under])
        asked = torch.zeros(HELD_OUT, INSTRUCTIONS, dtype=torch.float64)
        asked.scatter_(1, torch.rand(HELD_OUT, INSTRUCTIONS, generator=draw).argsort(-1)[:, :3], 1.0)
        first, second = torch.rand(HELD_OUT, ANSWERS, generator=draw).argsort(-1)[:, :2].T
        flags = torch.stack(prompts)
        features = torch.cat([flags[:, None] * obeys, traits.expand(len(flags), -1, -1)], -1)
        return cls(
            LogLinear(features),
            torch.tensor(records),
            asked,
            obeys[first] - obeys[second],
            traits[first] - traits[second],
        )

    def data(self) -> Data:
        """The pairs, and beside them the four parts."""
        better, worse, plain, met, unmet, wide, narrow = self.records.T
        return beside(
            pairs(better, worse, prompt=plain),
            met=_single(met, better),
            unmet=_single(unmet, better),
            wide=pairs(better, worse, prompt=wide),
            narrow=pairs(better, worse, prompt=narrow),
        )

    def trained(self, objective: Objective) -> Float[Tensor, " weights"]:
        """The weights after training: those of obeying, then those of traits."""
        return descend(self.policy, objective, self.data(), steps=30, rate=8.0).policy.theta.detach()

    def accuracy(self, weights: Float[Tensor, " weights"]) -> float:
        """How often, of two answers to three instructions, the one that obeys more is the likelier.

        Pairs that obey equally many are left out.
        """
        return _agreement(self._gaps(weights), self._asked_gaps())

    def gap_accuracy(self, weights: Float[Tensor, " weights"]) -> float:
        """How often a pair's gap is the wider under that of two prompts that asks for more of the difference."""
        gaps = self._gaps(weights) - self._gaps(weights, other=True)
        return _agreement(gaps, self._asked_gaps() - self._asked_gaps(other=True))

    def _gaps(self, weights: Tensor, *, other: bool = False) -> Float[Tensor, " pairs"]:
        """Log-probability of the first answer minus that of the second, under its prompt or another's."""
        asked = self.asked.roll(1, 0) if other else self.asked
        return torch.cat([asked * self.obeyed, self.traits], -1) @ weights

    def _asked_gaps(self, *, other: bool = False) -> Float[Tensor, " pairs"]:
        asked = self.asked.roll(1, 0) if other else self.asked
        return (asked * self.obeyed).sum(-1)


def _agreement(found: Tensor, right: Tensor) -> float:
    return float(((found > 0) == (right > 0))[right != 0].double().mean())


def _single(prompt: Tensor, output: Tensor) -> Data:
    return Data(torch.stack([prompt, output], -1), Batch.samples([1] * len(output)))


@claim(
    method="mapl",
    statement="After DPO on pairs without instructions, which of two answers obeys more of three instructions is not "
    "known; with the comparison between two prompts more than 80 % are in the right order (10 worlds).",
    source="2505.12845, response-conditioned comparisons; catalogue, mapl: evidence",
)
def learns_what_prompts_ask_for(make: Factory, seed: int) -> Measurement:
    found, plain = [], []
    for number in range(WORLDS):
        world = Instructed.random(1000 * seed + number)
        found.append(world.accuracy(world.trained(make(beta=BETA, intra=1.0, inter=0.0))))
        plain.append(world.accuracy(world.trained(dpo(beta=BETA))))
    return above(0.8, found, "accuracy", dpo=plain)


@claim(
    method="mapl",
    statement="With the comparison of two gaps on top, more gaps are ordered by how much of the difference the prompt "
    "asks for than with the comparison between prompts alone (10 worlds).",
    source="2505.12845, inter-sample comparisons",
)
def orders_gaps(make: Factory, seed: int) -> Measurement:
    gains = []
    for number in range(WORLDS):
        world = Instructed.random(1000 * seed + number)
        both, one = (world.trained(make(beta=BETA, intra=1.0, inter=inter)) for inter in (1.0, 0.0))
        gains.append(world.gap_accuracy(both) - world.gap_accuracy(one))
    return above(0.0, gains, "accuracy")


@claim(
    method="mapl",
    statement="A constant of each prompt, added to the log-ratios of its answers, moves the loss of two gaps by "
    "nothing: largest change 1e-10 nats over 6 records.",
    source="2505.12845: inside each gap the partition functions cancel",
)
def gaps_ignore_prompt_constants(make: Factory, seed: int) -> Measurement:
    world = Instructed.random(seed)
    data = world.data()
    objective = make(beta=1.0, intra=0.0, inter=1.0)
    ratios = 2 * normals(seed, len(data.items))
    shift = 3 * normals(seed + 1, len(world.policy.features))
    # The pairs themselves have one prompt, so that nothing of them moves either.
    losses = [
        objective(Scores.from_sequences(values - 30.0, torch.full_like(values, -30.0)), data.batch).per_example
        for values in (ratios, ratios + shift[data.items[:, 0]])
    ]
    return equals(0.0, float((losses[0] - losses[1]).abs().max()), 1e-10, "nats")
