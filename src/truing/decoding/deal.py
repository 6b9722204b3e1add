"""DeAL (2402.06147): beam search in which every hypothesis is also judged by how it might go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from truing.decoding.answers import Decoded
from truing.decoding.args import Width
from truing.decoding.engine import Tokens
from truing.decoding.foresight import Most
from truing.decoding.method import decoder
from truing.decoding.task import Task
from truing.decoding.values import Mean, OfContinuations
from truing.decoding.weighing import Weighed, tried, weighed
from truing.parameters import NON_NEGATIVE, Doc
from truing.policies.growing import Rows
from truing.registry import Paper

Beams = Annotated[int, Field(gt=0, le=1000), Doc("hypotheses that are kept for each prompt", "at least 1")]
Weight = Annotated[float, NON_NEGATIVE, Doc("λ, of the reward beside the log-probability", "0 is beam search")]
Ahead = Annotated[
    int | None,
    Field(ge=0),
    Doc(
        "tokens that each hypothesis is continued by before it is judged",
        "0 judges it as it is; None goes on to the end",
    ),
]
Standardise = Annotated[
    bool,
    Doc(
        "divide rewards by their spread among the hypotheses that are compared, so that λ has no unit",
        "true or false",
    ),
]
LengthPenalty = Annotated[
    float, Field(allow_inf_nan=False), Doc("finished hypotheses are compared by log P / tokens^penalty + λ·reward")
]


@dataclass
class _Search:
    """The hypotheses of one prompt."""

    logps: list[float] = field(default_factory=lambda: [0.0])
    finished: list[tuple[float, Tokens]] = field(default_factory=list)
    trace: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Deal:
    """See :func:`deal`."""

    beams: int
    k: int
    weight: float
    ahead: int | None
    standardise: bool
    length_penalty: float

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        if self.weight:
            task.valued("deal")

    def most(self, task: Task) -> Most:
        """See :class:`~truing.decoding.foresight.Bounded`."""
        finished = Most(rewards=self.beams if task.worth is not None else 0)
        return tried(task, self.beams * self.k, self._value) + finished

    @property
    def _value(self) -> OfContinuations | None:
        return OfContinuations(1, Mean(), self.ahead, greedy=True) if self.weight else None

    def __call__(self, task: Task) -> list[Decoded]:
        self.check(task)
        searches = [_Search() for _ in task.prompts]
        rows = task.engine.rows(task.encoded, 1)
        items = list(range(len(task.prompts)))
        for step in range(task.sampling.max_new_tokens):
            rows, items = self._step(task, searches, rows, items, step + 1 == task.sampling.max_new_tokens)
            if task.progress:
                task.progress(len(task.prompts) - len(set(items)), len(task.prompts))
            if not items:
                break
        return [self._decoded(task, item, search) for item, search in enumerate(searches)]

    def _step(
        self, task: Task, searches: Sequence[_Search], rows: Rows, items: list[int], last: bool
    ) -> tuple[Rows, list[int]]:
        logps, tokens = rows.logits.double().log_softmax(-1).topk(min(self.k, rows.logits.shape[1]))
        before = torch.tensor(
            [value for item in dict.fromkeys(items) for value in searches[item].logps], dtype=torch.float64
        )
        totals = (before.to(logps)[:, None] + logps).flatten().cpu()
        grown = weighed(task, rows, items, tokens, self._value)
        kept: list[int] = []
        for item in dict.fromkeys(items):
            places = [place for place, of in enumerate(grown.items) if of == item]
            scores = totals[places] + self._bonus(grown.values[places])
            kept += self._kept(
                task, searches[item], dict(zip(places, scores.tolist(), strict=True)), totals, grown, last
            )
        return grown.take(kept), [grown.items[place] for place in kept]

    def _bonus(self, values: Float[Tensor, " hypotheses"]) -> Float[Tensor, " hypotheses"]:
        """λ times the reward, of hypotheses that are compared with each other; −∞ where it is not known."""
        if not self.weight:
            return torch.zeros_like(values)
        return self.weight * (standardised(values) if self.standardise else values)

    def _kept(
        self,
        task: Task,
        search: _Search,
        scores: Mapping[int, float],
        totals: Float[Tensor, " grown"],
        grown: Weighed,
        last: bool,
    ) -> list[int]:
        """Which hypotheses of a prompt go on; those that have ended are set aside."""
        order = sorted(scores, key=lambda place: -scores[place])
        kept: list[int] = []
        for rank, place in enumerate(order):
            tokens = grown.answer(place)
            if tokens[-1] in task.engine.ends or last:
                # As in ordinary beam search an end counts only among the best.
                if rank < self.beams:
                    search.finished.append((float(totals[place]) / len(tokens) ** self.length_penalty, tokens))
            elif len(kept) < self.beams:
                kept.append(place)
        if task.trace:
            search.trace.append({"best": task.engine.text(grown.answer(order[0])), "score": scores[order[0]]})
        if len(search.finished) >= self.beams or last:
            return []
        search.logps = [float(totals[place]) for place in kept]
        return kept

    def _decoded(self, task: Task, item: int, search: _Search) -> Decoded:
        answers = [tokens for _, tokens in search.finished]
        texts = [task.text(item, tokens) for tokens in answers]
        worth = torch.full((len(texts),), -torch.inf, dtype=torch.float64)
        if task.worth is not None:
            worth = task.worth([item] * len(texts), texts)
        # Hypotheses end at different steps: what they are worth is compared among themselves, on one scale.
        scores = torch.tensor([logp for logp, _ in search.finished], dtype=torch.float64) + self._bonus(worth)
        order = sorted(range(len(answers)), key=lambda place: -float(scores[place]))
        candidates = task.candidates(item, [answers[place] for place in order], worth[order].tolist())
        notes = {"score": float(scores[order[0]])}
        return Decoded(task.prompts[item], candidates[0], tuple(candidates), notes, tuple(search.trace))


def standardised(values: Float[Tensor, " hypotheses"]) -> Float[Tensor, " hypotheses"]:
    """Less their mean, divided by their spread; all 0 where they are equal; what is −∞ is left so."""
    known = values > -torch.inf
    if not bool(known.any()):
        return values
    centred = values - values[known].mean()
    spread = values[known].std(unbiased=False)
    return torch.where(known, centred / spread if spread > 0 else 0.0, values)


@decoder(
    name="deal",
    slug="deal",
    paper=Paper("DeAL: Decoding-time Alignment for Large Language Models", 2024, "2402.06147"),
    summary="Searches with several hypotheses at a time, each judged by its probability and by the reward of how it "
    "would go on for some tokens.",
    formula="score(y_≤t) = log π(y_≤t | x) + λ r(x, y_≤t + the l likeliest tokens that follow)",
    legend=(
        "l: tokens ahead; 0 judges what is there",
        "λ: weight of the reward; with 0 this is beam search, token for token",
        "r: any reward or mix of rewards, programs as well as models",
    ),
    use_when="Something has to be in the answer, or must not be: keywords, a length, a format; rewards by program are "
    "cheap and right about the next few tokens.",
    avoid_when="Only a slow reward model knows what is good: every step asks it for beams · k texts.",
    requires=("a reward, unless weight is 0",),
    cost="for every token of the answer beams · k hypotheses, each with l tokens ahead and one reward",
)
def deal(
    beams: Beams = 4,
    k: Width = 10,
    weight: Weight = 1.0,
    ahead: Ahead = 16,
    standardise: Standardise = False,
    length_penalty: LengthPenalty = 1.0,
) -> Deal:
    """Beam search with a heuristic."""
    return Deal(beams, k, weight, ahead, standardise, length_penalty)
