"""Prompt-aware weights (PRO, 2511.10656): what the preferred answer is good at shows what counts for its prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from truing.errors import DataError, ModelError
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper
from truing.rewards.algebra import Context, Rewards
from truing.rewards.method import reward_weighter
from truing.rewards.weighters.adapter import Adapter

_ITERATIONS = 100

Tau = Annotated[
    float,
    POSITIVE,
    Doc(
        "sharpness of the target weights",
        "tau > 0; near 0 one objective takes all, at large values all are equal",
    ),
]
Hidden = Annotated[int, Field(gt=0), Doc("width of the adapter's hidden layer", "hidden > 0")]
Ridge = Annotated[
    float,
    POSITIVE,
    Doc(
        "price of the adapter's squared weights; targets come from single answers and are noisy",
        "ridge > 0; without it the adapter learns the noise, far above it the weights are the same for all prompts",
    ),
]
Seed = Annotated[int, Field(ge=0), Doc("seed of the adapter's first weights", "a whole number of at least 0")]
File = Annotated[str | None, Doc("file of a fitted adapter, for use in a recipe", "a path")]


@dataclass(frozen=True)
class Orchestrator:
    """Learns weights from preferred answers, and gives them to prompts.

    Args:
        tau: temperature of the targets.
        hidden, ridge, seed: of the adapter and its training.
        adapter: the network, once it is fitted.
    """

    tau: float
    hidden: int
    ridge: float
    seed: int
    adapter: Adapter | None = None

    def targets(self, preferred: Rewards, among: Rewards | None = None) -> Float[Tensor, "prompts objectives"]:
        """softmax(z / tau) of the preferred answers' rewards z, standardised over ``among``.

        Args:
            preferred: of the preferred answer to each prompt.
            among: answers whose mean and standard deviation are the scale; the preferred ones if left out.

        Raises:
            DataError: if a reward is missing, or an objective does not vary.
        """
        scale = (preferred if among is None else among.only(preferred.names)).values
        if not preferred.valid.all():
            row, column = (~preferred.valid).nonzero()[0].tolist()
            raise DataError(
                f"the preferred answer {row} was not scored by {preferred.names[column]!r}",
                fix="leave the row out; a missing score says nothing about what counts",
            )
        mean = scale.nanmean(0)
        std = (scale - mean).square().nanmean(0).sqrt()
        for name, spread in zip(preferred.names, std.tolist(), strict=True):
            if not spread > 0:
                raise DataError(
                    f"the rewards of {name!r} do not differ, so they have no scale", fix="leave the objective out"
                )
        return torch.softmax((preferred.values - mean) / std / self.tau, 1)

    def fit(
        self, embeddings: Float[Tensor, "prompts width"], preferred: Rewards, among: Rewards | None = None
    ) -> Orchestrator:
        """The same with an adapter that minimises KL(target ‖ adapter) plus the ridge, by L-BFGS.

        Args:
            embeddings: of each prompt, from a frozen encoder.
            preferred: of the preferred answer to each prompt.
            among: see :meth:`targets`.

        Raises:
            DataError: if a reward is missing or does not vary, or the numbers of rows differ.
        """
        if len(embeddings) != len(preferred):
            raise DataError(f"there are {len(embeddings)} embeddings for {len(preferred)} preferred answers")
        target = self.targets(preferred, among)
        inputs = embeddings.detach().to(target)
        scale = inputs.std(0, correction=0)
        generator = torch.Generator().manual_seed(self.seed)
        first = torch.randn(inputs.shape[1], self.hidden, generator=generator, dtype=target.dtype)
        learned = {
            "w1": first / inputs.shape[1] ** 0.5,
            "b1": torch.zeros(self.hidden, dtype=target.dtype),
            "w2": torch.zeros(self.hidden, target.shape[1], dtype=target.dtype),
            "b2": torch.zeros(target.shape[1], dtype=target.dtype),
        }
        fixed = {"centre": inputs.mean(0), "scale": torch.where(scale > 0, scale, 1.0)}
        parameters = [tensor.requires_grad_() for tensor in learned.values()]
        adapter = Adapter(preferred.names, {**fixed, **learned})
        optimiser = torch.optim.LBFGS(parameters, max_iter=_ITERATIONS, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimiser.zero_grad()
            size = learned["w1"].square().sum() + learned["w2"].square().sum()
            # Cross-entropy is the divergence up to the targets' own entropy.
            total: Tensor = torch.nn.functional.cross_entropy(adapter.logits(inputs), target)
            total = total + self.ridge * size
            total.backward()
            return total

        optimiser.step(loss)
        tensors = {name: tensor.detach() for name, tensor in adapter.tensors.items()}
        return replace(self, adapter=Adapter(preferred.names, tensors))

    def __call__(self, names: Sequence[str], context: Context) -> Float[Tensor, "answers objectives"]:
        if self.adapter is None:
            raise ModelError(
                "preference-orchestrator has not been fitted",
                fix="call .fit(embeddings, rewards of the preferred answers), or name the file of a fitted adapter",
            )
        if set(names) != set(self.adapter.names):
            raise ModelError(
                f"the adapter was fitted for the objectives {list(self.adapter.names)}, not {list(names)}",
                fix="use the same rewards as in its training",
            )
        if context.embeddings is None:
            raise DataError(
                "preference-orchestrator reads embeddings of the prompts, and there are none",
                fix="give Context the embeddings of the encoder that the adapter was fitted with",
            )
        if context.embeddings.shape[1] != self.adapter.width:
            raise DataError(
                f"the embeddings have {context.embeddings.shape[1]} numbers, the adapter reads {self.adapter.width}",
                fix="use the encoder that the adapter was fitted with",
            )
        weights = torch.softmax(self.adapter.logits(context.embeddings), 1)
        return weights[:, [self.adapter.names.index(name) for name in names]]


@reward_weighter(
    name="preference-orchestrator",
    slug="preference-orchestrator",
    paper=Paper(
        "Preference Orchestrator: Prompt-Aware Multi-Objective Alignment for Large Language Models",
        2025,
        "2511.10656",
    ),
    summary="A small network reads the prompt and weighs the objectives as the answers do that people preferred; "
    "nobody has to label weights.",
    formula="w(x) = softmax(MLP(h_x)), fitted to softmax(z(R(x, y_w)) / τ) by KL",
    legend=(
        "h_x: embedding of the prompt by a frozen encoder",
        "z: standardised over the training set",
        "y_w: preferred answer",
        "τ: temperature; large values give equal weights",
    ),
    use_when="What counts differs from prompt to prompt, several reward models are at hand, and preferred answers "
    "show what was wanted.",
    avoid_when="The same weights suit all prompts: a constant is then as good, and better where they are uneven, as "
    "targets are softer than wishes. Correlated rewards count twice.",
    requires=("rewards of several objectives", "preferred answers", "embeddings of prompts"),
    cost="rewards of the preferred answers and a forward pass of the encoder over the prompts; seconds to fit",
    aliases=("pro",),
)
def preference_orchestrator(
    tau: Tau = 1.0,
    hidden: Hidden = 16,
    ridge: Ridge = 0.003,
    seed: Seed = 0,
    adapter: File = None,
) -> Orchestrator:
    """2511.10656. Temperature and normaliser are not stated in the summaries that could be read; see tau and among."""
    fitted = None if adapter is None else Adapter.load(Path(adapter))
    return Orchestrator(tau, hidden, ridge, seed, fitted)
