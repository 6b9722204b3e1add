"""QAlign (2504.03790): a Markov chain over answers whose law is the tilt π e^(r/β), by resampling suffixes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from truing.decoding.answers import Candidate, Decoded
from truing.decoding.chains import effective_size, split_rhat
from truing.decoding.choosing import best
from truing.decoding.controlled import Beta
from truing.decoding.engine import Tokens
from truing.decoding.foresight import Most, whole_answers
from truing.decoding.method import decoder
from truing.decoding.proposals import Proposals
from truing.decoding.rolling import finish
from truing.decoding.task import Task, Worth
from truing.decoding.vote import Result, elected
from truing.errors import RecipeError
from truing.parameters import Doc
from truing.registry import Paper

Steps = Annotated[int, Field(gt=0, le=10_000_000), Doc("steps of each chain", "at least 1; hundreds to thousands")]
Chains = Annotated[int, Field(gt=0, le=10_000), Doc("chains for each prompt, side by side", "at least 1")]
BurnIn = Annotated[
    float, Field(ge=0, lt=1), Doc("share of the steps that is left out at the start", "0 to below 1")
]
Picked = Result | Literal["best", "last"]
Pick = Annotated[
    Picked,
    Doc(
        "which answer of the chains is given: the vote on final results or whole texts, the least risky, the best "
        "seen, or the last of the first chain, which is a draw from the tilt",
        "number, option, boxed, text, similarity, best or last",
    ),
]


def log_acceptance(
    proposed: Float[Tensor, " chains"],
    current: Float[Tensor, " chains"],
    beta: float,
    proposed_length: Float[Tensor, " chains"],
    current_length: Float[Tensor, " chains"],
) -> Float[Tensor, " chains"]:
    """Log of (e^((r' − r)/β) |y| / |y'|), above 0 where a proposal is taken for certain (eq. 6).

    Args:
        proposed, current: rewards; −∞ is never moved to from a finite one.
        beta: in the reward's unit.
        proposed_length, current_length: tokens that might have been resampled, the end token included.
    """
    change = torch.where(proposed == current, 0.0, (proposed - current) / beta)
    found: Tensor = change + current_length.log() - proposed_length.log()
    return found


Acceptance = Callable[[Tensor, Tensor, float, Tensor, Tensor], Tensor]


@dataclass
class _Chain:
    """What a chain went through: its state and that state's reward at every step."""

    tokens: list[tuple[int, ...]]
    rewards: list[float]
    accepted: int = 0

    def step(self, tokens: Tokens, reward: float, *, accepted: bool) -> None:
        """Take a proposal, or stay."""
        self.tokens.append(tuple(tokens) if accepted else self.tokens[-1])
        self.rewards.append(reward if accepted else self.rewards[-1])
        self.accepted += accepted


@dataclass(frozen=True)
class QAlign:
    """See :func:`qalign`."""

    steps: int
    beta: float
    chains: int
    burn_in: float
    pick: Picked
    accept: Acceptance = log_acceptance

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        task.valued("qalign")
        if task.sampling.temperature == 0:
            raise RecipeError(
                "at temperature 0 every proposal is the same",
                where="sampling.temperature",
                allowed="above 0; 1 draws from the model as it is",
            )

    def most(self, task: Task) -> Most:
        """See :class:`~truing.decoding.foresight.Bounded`."""
        return whole_answers(task, self.chains * self.steps)

    def __call__(self, task: Task) -> list[Decoded]:
        self.check(task)
        worth = task.valued("qalign")
        generator = torch.Generator().manual_seed(task.sampling.seed)
        items = [item for item in range(len(task.prompts)) for _ in range(self.chains)]
        rows = task.engine.rows(task.encoded, self.chains)
        luck = torch.rand(len(items), task.sampling.max_new_tokens, generator=generator, dtype=torch.float64)
        task.answer_tokens += finish(rows, task.engine.ends, task.sampling, luck)
        rewards = worth(items, task.texts(items, rows.tokens)).tolist()
        chains = [_Chain([tuple(tokens)], [value]) for tokens, value in zip(rows.tokens, rewards, strict=True)]
        if self.steps > 1:
            self._walk(task, worth, chains, items, Proposals(task, rows, generator))
        return [
            self._decoded(task, item, chains[item * self.chains : (item + 1) * self.chains], generator)
            for item in range(len(task.prompts))
        ]

    def _walk(
        self, task: Task, worth: Worth, chains: Sequence[_Chain], items: Sequence[int], proposals: Proposals
    ) -> None:
        left = [self.steps - 1] * len(chains)
        while proposals.chains:
            ended = proposals.ended()
            answers = [proposals.tokens(chain) for chain in ended]
            asked = [items[chain] for chain in ended]
            new = worth(asked, task.texts(asked, answers))
            now = torch.tensor([chains[chain].rewards[-1] for chain in ended], dtype=torch.float64)
            lengths = torch.tensor([len(tokens) for tokens in answers], dtype=torch.float64)
            now_lengths = torch.tensor([len(chains[chain].tokens[-1]) for chain in ended], dtype=torch.float64)
            odds = self.accept(new, now, self.beta, lengths, now_lengths)
            luck = torch.rand(len(ended), generator=proposals.generator, dtype=torch.float64)
            taken = (luck.log() < odds).tolist()
            for chain, tokens, value, accepted in zip(ended, answers, new.tolist(), taken, strict=True):
                chains[chain].step(tokens, value, accepted=accepted)
                left[chain] -= 1
            proposals.accept([chain for chain, accepted in zip(ended, taken, strict=True) if accepted])
            proposals.leave([chain for chain in ended if not left[chain]])
            proposals.begin([chain for chain in ended if left[chain]])
            if task.progress:
                done = 1 - sum(left) / (len(chains) * (self.steps - 1))
                task.progress(int(done * len(task.prompts)), len(task.prompts))

    def _decoded(self, task: Task, item: int, chains: Sequence[_Chain], generator: torch.Generator) -> Decoded:
        first = int(self.burn_in * self.steps)
        states = [state for chain in chains for state in chain.tokens[first:]]
        values = {
            state: value for chain in chains for state, value in zip(chain.tokens, chain.rewards, strict=True)
        }
        counts = Counter(states)
        distinct = list(counts)
        weights = torch.tensor([counts[state] / len(states) for state in distinct], dtype=torch.float64)
        plain = task.candidates(item, [list(state) for state in distinct], [values[state] for state in distinct])
        candidates = [
            Candidate(c.text, c.tokens, c.reward, c.finished, float(weight))
            for c, weight in zip(plain, weights, strict=True)
        ]
        series = np.array([chain.rewards[first:] for chain in chains])
        notes: dict[str, float] = {
            "acceptance": sum(chain.accepted for chain in chains) / max(1, self.chains * (self.steps - 1)),
            "effective_size": effective_size(series) if np.isfinite(series).all() else float("nan"),
            "split_rhat": split_rhat(series) if np.isfinite(series).all() else float("nan"),
            "mean_reward": float(series.mean()),
            "distinct": float(len(distinct)),
        }
        if self.pick == "last":
            place = distinct.index(chains[0].tokens[-1])
        elif self.pick == "best":
            place = best(torch.tensor([values[state] for state in distinct]), generator)
        else:
            place, more = elected(candidates, weights, self.pick, generator)
            notes |= more
        return Decoded(
            task.prompts[item],
            candidates[place],
            tuple(candidates),
            notes,
            _trace(chains, first) if task.trace else (),
        )


def _trace(chains: Sequence[_Chain], first: int) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "step": step,
            "kept": step >= first,
            "rewards": [chain.rewards[step] for chain in chains],
            "lengths": [len(chain.tokens[step]) for chain in chains],
        }
        for step in range(len(chains[0].tokens))
    )


@decoder(
    name="qalign",
    slug="qalign",
    paper=Paper("Sample, Don't Search: Rethinking Test-Time Alignment for Language Models", 2025, "2504.03790"),
    summary="Resamples the ends of answers, and keeps what the reward likes as often as the tilt of the model asks "
    "for; more steps come nearer to the tilt instead of exploiting the reward.",
    formula="y' = y_<i with a new end, i uniform;  accept with min(1, e^((r(y') − r(y))/β) |y|/|y'|)",
    legend=(
        "i: place in the answer, its end token included",
        "β: the tilt is π e^(r/β); small ones follow the reward further",
        "|y|: tokens of the answer, its end token included; without this factor long answers come too often",
    ),
    use_when="The reward has errors, and a lot may be spent on one answer: the law of what is given does not run away "
    "as the budget grows. No logits are needed, only a model that can go on from a prefix.",
    avoid_when="The budget is a few answers: best-of-n gains more from them. Look at split_rhat and effective_size: "
    "above 1.1 or below some ten the chains have not met.",
    requires=("a reward",),
    cost="half an answer and one reward a step, on average; what stands before a cut is not run again",
    aliases=("quest",),
)
def qalign(
    steps: Steps = 64, beta: Beta = 1.0, chains: Chains = 1, burn_in: BurnIn = 0.0, pick: Pick = "similarity"
) -> QAlign:
    """Chains whose law is the tilt."""
    return QAlign(steps, beta, chains, burn_in, pick)
