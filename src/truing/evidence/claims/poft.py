"""PoFT (2412.12865)."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals, sensitivity
from truing.objectives import Batch, Scores
from truing.objectives.methods.sft import nll
from truing.worlds import Autoregressive, Data, demonstrations, fit, kl

OTHER = "the aligned model"
COLUMN = f"mean_logp:{OTHER}"
CORRUPTED = 0.3
FEW_WORLDS = 10


@claim(
    method="poft",
    statement="The gradient of every answer is that of fine-tuning on its mean log-probability s times "
    "τ = σ(s̄ − s), s̄ that of the other model: largest error 1e-12 over 40 answers.",
    source="2412.12865, the gradient of eq. 6",
)
def reweights_the_gradient(make: Factory, seed: int) -> Measurement:
    lengths = torch.randint(1, 8, (40,), generator=torch.Generator().manual_seed(seed)).tolist()
    scores = Scores.from_sequences([-normals(seed + 1 + i, n).abs() for i, n in enumerate(lengths)])
    others = -normals(seed, 40).abs()
    batch = Batch.samples([1] * 40, columns={COLUMN: others})
    found = sensitivity(make(models=[OTHER]), scores, batch)
    plain = sensitivity(nll("mean"), scores, batch)
    means = scores.total(scores.token_logps) / scores.lengths
    tau = torch.sigmoid(others - means)
    return equals(0.0, float((found - tau[scores.sequence] * plain).abs().max()), 1e-12, "per nat")


class _Source:
    """Answers of a bigram source, of which 30 % come from another source, and a model that knows the clean one."""

    def __init__(self, seed: int) -> None:
        self.clean, self.corrupt, self.start = (
            Autoregressive.random(3 * seed + place, vocabulary=3, context="last", spread=spread)
            for place, spread in enumerate((1.5, 1.5, 0.1))
        )

    def data(self) -> Data:
        law = (1 - CORRUPTED) * self.clean.probabilities() + CORRUPTED * self.corrupt.probabilities()
        data = demonstrations(law)
        column = _mean(self.clean)[data.items[:, 1]]
        return replace(data, batch=replace(data.batch, columns={COLUMN: column}))

    def distance(self, trained: Autoregressive) -> float:
        """KL of the clean source from a model, nats an answer."""
        return float(kl(self.clean.probabilities(), trained.probabilities()))


def _mean(policy: Autoregressive) -> Float[Tensor, " outputs"]:
    return policy.logps().detach()[0] / policy.lengths


@claim(
    method="poft",
    statement="A bigram model learns from answers of which 30 % are of another source; a model that knows the clean "
    "source is the other model: it ends nearer to the clean source than after fine-tuning (10 worlds).",
    source="2412.12865: bad answers, which aligned models find unlikely, count less",
)
def nearer_to_the_clean_source(make: Factory, seed: int) -> Measurement:
    differences = []
    for number in range(FEW_WORLDS):
        world = _Source(1000 * seed + number)
        data = world.data()
        ours, plain = (
            world.distance(fit(world.start, objective, data, tolerance=1e-5).policy)
            for objective in (make(models=[OTHER]), nll("mean"))
        )
        differences.append(ours - plain)
    return below(0.0, differences, "nats")


@claim(
    method="poft",
    statement="In these worlds the weight τ of clean answers is on average above that of corrupted ones (10 worlds).",
    source="2412.12865: τ as a measure of quality",
)
def clean_answers_count_more(make: Factory, seed: int) -> Measurement:
    gaps = []
    for number in range(FEW_WORLDS):
        world = _Source(1000 * seed + number)
        trained = fit(world.start, make(models=[OTHER]), world.data(), tolerance=1e-5).policy
        # What the loss gives an answer, over what fine-tuning would.
        outputs = len(trained.lengths)
        batch = Batch.samples([1] * outputs, columns={COLUMN: _mean(world.clean)})
        scores = trained.score([(0, output) for output in range(outputs)])
        ours, plain = (
            scores.total(sensitivity(objective, scores, batch))
            for objective in (make(models=[OTHER]), nll("mean"))
        )
        tau = ours / plain
        gaps.append(float((world.clean.probabilities()[0] - world.corrupt.probabilities()[0]) @ tau))
    return above(0.0, gaps, "weight")
