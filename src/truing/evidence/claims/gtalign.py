"""GTAlign (2510.08872): utilities of written answers, what a policy learns from them, and steering by payoffs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from truing.decoding.steering import steer
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.objectives import rloo
from truing.rewards.algebra import Combiner, Prompt, Rewards
from truing.rewards.combiners.geometric_mean import geometric_mean
from truing.rewards.combiners.mean import mean_of_members
from truing.rewards.welfare.payoffs import CELLS, Payoff, Payoffs
from truing.rewards.welfare.scorer import Utilities
from truing.worlds import Tabular
from truing.worlds.online import Groups, train_online

Make = Callable[..., Utilities]
SOURCE = "2510.08872, utilities and steering as in the authors' code; catalogue, gtalign"


def matrix(**changed: tuple[float, float]) -> Payoffs:
    """Payoffs of 1 to the model and 2 to the user, but for the cells that are named, as (LLM, user)."""
    return Payoffs({name: Payoff(*changed.get(name, (1.0, 2.0))) for name in CELLS})


def answer(thinking: str, response: str, payoffs: Payoffs | None = None) -> str:
    """An answer in four blocks."""
    return (
        f"<thinking>{thinking}</thinking><payoff>{(payoffs or matrix()).text()}</payoff>"
        f"<analyze>DQ_DA</analyze><response>{response}</response>"
    )


_RIGHT = {"name": "keywords", "all_of": ["right"]}


def _words(count: int) -> str:
    return " ".join(["word"] * count)


def _utilities(make: Make, answers: Sequence[str]) -> Float[Tensor, "answers sides"]:
    """Of answers whose response contains "right", or does not."""
    return make(accuracy=_RIGHT)(["A question?"] * len(answers), answers, {}).values


@claim(
    method="gtalign",
    statement="A right response of 260 words after 1000 characters is worth 0.659 to its user: 0.5 + 0.2 σ(1.2)² + "
    "0.3 e^(−2) and the 1e-4 that no answer lacks.",
    source=SOURCE,
)
def utility_of_the_user(make: Make, seed: int) -> Measurement:
    before = len(answer("", "").partition("<response>")[0])
    found = _utilities(make, [answer("x" * (1000 - before), f"right {_words(259)}")])
    predicted = 1e-4 + 0.5 + 0.2 / (1 + math.exp(-1.2)) ** 2 + 0.3 * math.exp(-2)
    return equals(predicted, float(found[0, 0]), 1e-9, "utility")


@claim(
    method="gtalign",
    statement="Where two of six cells pay both sides alike and one other apart by a twentieth, payoffs count 7/12, and "
    "a wrong answer of 750 words is worth 0.2 + 0.2 · 7/12 + 0.2 σ(1.25)² + 1e-4 = 0.438 to the model.",
    source=SOURCE,
)
def utility_of_the_model(make: Make, seed: int) -> Measurement:
    game = matrix(DQ_AQ=(2.0, 2.0), DQ_CQ=(-1.0, -1.0), VQ_DA=(2.0, 1.9))
    around = len(answer("", "", game).split())
    found = _utilities(make, [answer("", _words(751 - around), game)])
    predicted = 1e-4 + 0.2 + 0.2 * 7 / 12 + 0.2 / (1 + math.exp(-1.25)) ** 2
    return equals(predicted, float(found[0, 1]), 1e-9, "utility")


@dataclass(frozen=True)
class Dilemma:
    """An answer after long reasoning, and one that comes to the point; both are right.

    Attributes:
        rewards: utilities of both, shape ``[2, 2]``.
    """

    rewards: Float[Tensor, "answers sides"]

    def learned(self, combine: Combiner) -> Float[Tensor, " answers"]:
        """Probabilities after 200 exact steps of RLOO from an even start."""
        reward = combine(Rewards.of(self.rewards, ("user", "llm")))
        start = Tabular(torch.zeros(1, 2, dtype=torch.float64))
        trained = train_online(start, rloo(kl=0.0), Groups(reward, 2), steps=200, rate=2.0)
        return trained.probabilities()[0].detach()


def _dilemma(make: Make) -> Dilemma:
    verbose, brief = answer(_words(700), f"right {_words(60)}"), answer("It is definite.", f"right {_words(60)}")
    return Dilemma(_utilities(make, [verbose, brief]))


def _of_llm(rewards: Rewards, weights: Tensor | None = None) -> Tensor:
    return rewards.column("llm")


@claim(
    method="gtalign",
    statement="A prisoner's dilemma: of a verbose and a brief answer, both right, the model's utility alone teaches "
    "the verbose one, mutual welfare the brief one, each with a probability above 0.9.",
    source=f"{SOURCE}: bandit in which verbosity pays the model and costs the user",
)
def welfare_ends_the_dilemma(make: Make, seed: int) -> Measurement:
    world = _dilemma(make)
    selfish = float(world.learned(_of_llm)[0])  # type: ignore[arg-type]
    mutual = float(world.learned(geometric_mean())[1])
    return above(0.9, min(selfish, mutual), "probability", selfish=selfish, mutual=mutual)


@dataclass(frozen=True)
class _Out:
    """A judge that does not reply."""

    names: tuple[str, ...] = ("judge",)

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        values = torch.zeros(len(completions), 1, dtype=torch.float64)
        return Rewards.of(values, self.names, torch.zeros_like(values, dtype=torch.bool))


@claim(
    method="gtalign",
    statement="While the judge is out, an answer without the form is worth 0 and one with it nothing that is known, "
    "under 2 of 2 combiners.",
    source=f"{SOURCE}: a judge that is out must not count as 0",
)
def outage_is_not_zero(make: Make, seed: int) -> Measurement:
    scorer = replace(make(accuracy=_RIGHT), accuracy=_Out())
    found = scorer(["A question?"] * 2, [f"{answer('', 'right')} and more", answer("", "right")], {})
    both = [combine(found) for combine in (geometric_mean(), mean_of_members())]
    kept = sum(float(value[0]) == 0 and bool(value[1].isnan()) for value in both)
    return equals(2.0, float(kept), 0.0, "combiners")


@dataclass(frozen=True)
class Frozen:
    """A model that never changes: it writes one game, and does what its analysis ends in."""

    game: Payoffs

    def __call__(self, prompt: Prompt, begun: str, stop: str | None = None) -> str:
        if stop == "</payoff>":
            return f"<thinking>Is it vague?</thinking><payoff>{self.game.text()}</payoff>"
        action = begun.partition("<analyze>")[2].partition(":")[0].partition("_")[2]
        return f"I chose {action}.</response>"


@claim(
    method="gtalign",
    statement="Where asking back pays (3, 4) and answering (2, 3.5), the action of a model whose weights are frozen "
    "changes from asking to answering when asking costs the model 1.25 more: (3 − 1.25) · 4 = 2 · 3.5.",
    source=SOURCE,
)
def cost_changes_the_action(make: Make, seed: int) -> Measurement:
    # Payoffs stay positive, so that none is moved.
    model = Frozen(matrix(VQ_CQ=(3.0, 4.0), VQ_DA=(2.0, 3.5), DQ_CQ=(3.0, 1.0)))

    def said(cost: float) -> str:
        return steer(model, "Which one?", {"CQ": {"LLM": -cost}}).response

    if (said(0.0), said(2.0)) != ("I chose CQ.", "I chose DA."):
        return equals(1.25, math.nan, 0.01, "payoff", responses=[said(0.0), said(2.0)])
    low, high = 0.0, 2.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (middle, high) if said(middle) == "I chose CQ." else (low, middle)
    return equals(1.25, (low + high) / 2, 0.01, "payoff")
