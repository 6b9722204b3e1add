"""Transfer Q* (2405.20495): tokens are weighed by answers that a model ends which is aligned already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Protocol

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from truing.decoding.args import Width
from truing.decoding.controlled import Ahead, Beta
from truing.decoding.engine import Tokens
from truing.decoding.foresight import check
from truing.decoding.guided import Guided
from truing.decoding.method import decoder
from truing.decoding.other_model import ByEngine, NamedEngine
from truing.decoding.task import FromPipeline, Task
from truing.decoding.values import Mean, Merge, OfContinuations
from truing.errors import RecipeError
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper
from truing.rewards.pipeline import Pipeline

Aligned = Annotated[str | None, Doc("model that is aligned already: folder or hub name", "the same tokenizer")]
Alpha = Annotated[float, POSITIVE, Doc("α, of values beside log-probabilities; apart from β", "alpha > 0")]
Count = Annotated[
    int, Field(gt=0, le=10_000), Doc("continuations for each token", "1 in the paper; more to transfer")
]
Baseline = Annotated[
    Any,
    Doc(
        "what the aligned model was aligned to, if to something else: rewards as under `rewards`, or implicit for "
        "β log(π_aligned/π)",
        "None, implicit, or rewards",
    ),
]


class BaselineReward(Protocol):
    """What an aligned model was aligned to."""

    def __call__(self, task: Task, answers: Sequence[Tokens], items: Sequence[int]) -> Float[Tensor, " answers"]:
        """Of each answer to its prompt."""


@dataclass(frozen=True)
class Transferred:
    """Σ w_m r_m / Σ w_m with w = e^((r − r_BL)/β): as if the other model had been aligned to r (eq. 12).

    Args:
        beta: of the alignment, in the rewards' unit.
        baseline: r_BL.
    """

    beta: float
    baseline: BaselineReward

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        check(task, self.baseline)

    def __call__(
        self, rewards: Float[Tensor, "rows m"], task: Task, answers: Sequence[Tokens], items: Sequence[int]
    ) -> Float[Tensor, " rows"]:
        other = self.baseline(task, answers, items).reshape(rewards.shape).to(rewards)
        weights = ((rewards - other) / self.beta).softmax(1)
        # An unknown reward, −∞, has no weight.
        found: Tensor = (weights * rewards).masked_fill(weights == 0, 0.0).sum(1)
        return found


@dataclass(frozen=True)
class ByRewards:
    """r_BL from rewards that a recipe names.

    Args:
        rewards: as under ``rewards``.
    """

    rewards: Any

    @cached_property
    def _pipeline(self) -> Pipeline:
        from truing.recipe.online import RewardsSection
        from truing.rewards.build import build

        return build(RewardsSection(rewards=self.rewards), where="decode.baseline")

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        self._judging(task)

    def _judging(self, task: Task) -> FromPipeline:
        return FromPipeline.of(self._pipeline, task.prompts, task.contexts, "decode.baseline")

    def __call__(self, task: Task, answers: Sequence[Tokens], items: Sequence[int]) -> Float[Tensor, " answers"]:
        return self._judging(task)(items, task.texts(items, answers))


@dataclass(frozen=True)
class Implicit:
    """r_BL = β (log π_aligned(y) − log π(y)), up to what is the same for all answers to a prompt.

    Args:
        aligned: the aligned model.
        beta: of its alignment.
    """

    aligned: NamedEngine
    beta: float

    def __call__(self, task: Task, answers: Sequence[Tokens], items: Sequence[int]) -> Float[Tensor, " answers"]:
        from truing.decoding.engine import ModelEngine
        from truing.policies.packing import Tree

        if not isinstance(task.engine, ModelEngine):
            raise TypeError("log-probabilities are those of models")
        totals = []
        sides = ((self.aligned.beside(task.engine), task.plain), (task.engine, task.encoded.__getitem__))
        for engine, prompt in sides:
            trees = [Tree(prompt(item), [tokens]) for item, tokens in zip(items, answers, strict=True)]
            scores = engine.policy.score_all(trees)
            totals.append(scores.total(scores.token_logps).double().cpu())
            task.engine.work.add(sum(engine.policy.cost(tree) for tree in trees))
        return self.beta * (totals[0] - totals[1])


@decoder(
    name="transfer-q",
    slug="transfer-q",
    paper=Paper("Transfer Q Star: Principled Decoding for LLM Alignment", 2024, "2405.20495"),
    summary="Weighs each of the likeliest next tokens by the reward of answers that an aligned model ends from there, "
    "also where it was aligned to another reward.",
    formula="π(z | s) ∝ π_ref(z | s) e^(TQ(s, z)/α);  direct: TQ = E_aligned[r];  indirect: TQ = Σ w r / Σ w, "
    "w = e^((r − r_BL)/β)",
    legend=(
        "aligned: a model aligned with r (direct) or with r_BL (indirect), from the model that answers",
        "α: of the decoding; the smaller, the further from the model",
        "β: of the aligned model's training",
        "w: with one continuation it has no effect",
    ),
    use_when="A model aligned with this reward or a related one is at hand, and the model that answers shall follow "
    "the reward at once, without training.",
    avoid_when="No aligned model has the same tokenizer, or answers are long. It is not better than controlled "
    "decoding in every world: greedy steps over two different models are not ordered.",
    requires=("a reward", "an aligned model"),
    cost="for every token of the answer k·m continuations by the aligned model, and rewards",
    aliases=("tq",),
)
def transfer_q(
    aligned: Aligned = None,
    alpha: Alpha = 1.0,
    k: Width = 10,
    m: Count = 1,
    baseline: Baseline = None,
    beta: Beta = 1.0,
    ahead: Ahead = None,
) -> Guided:
    """Guided by an aligned model's continuations.

    Raises:
        RecipeError: without an aligned model; or if there is a baseline and one continuation, or β without a baseline.
    """
    if aligned is None:
        raise RecipeError(
            "transfer-q has no aligned model",
            where="decode.aligned",
            allowed="a folder or a hub name",
            fix="e.g. aligned: runs/first/model",
        )
    engine = NamedEngine(aligned, "decode.aligned")
    return guided_by(ByEngine(engine), alpha, k, m, _merge(baseline, beta, m, engine), ahead)


def guided_by(
    continuing: ByEngine, alpha: float, k: int, m: int, merge: Merge, ahead: int | None = None
) -> Guided:
    """Guided by continuations of an engine that is there already; one continuation takes the likeliest tokens."""
    return Guided(OfContinuations(m, merge, ahead, greedy=m == 1, continuing=continuing), k, 1 / alpha)


def _merge(baseline: Any, beta: float, m: int, engine: NamedEngine) -> Merge:
    if baseline is None:
        if beta != 1.0:
            raise RecipeError("beta has no effect without a baseline", where="decode.beta", fix="remove beta")
        return Mean()
    if m == 1:
        raise RecipeError(
            "one continuation has no weight, so that nothing is transferred",
            where="decode.m",
            allowed="2 or more with a baseline",
            fix="e.g. m: 8",
        )
    return Transferred(beta, Implicit(engine, beta) if baseline == "implicit" else ByRewards(baseline))
