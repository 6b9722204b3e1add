"""Answers of the model itself, with the state after every token, and the states that are expected to follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from truing.decoding.engine import Tokens
from truing.decoding.prefix.states import StatefulRows, with_states
from truing.decoding.rolling import open_ended
from truing.decoding.task import Task
from truing.decoding.values import parts
from truing.errors import RecipeError
from truing.policies.generation import Sampling
from truing.policies.group_sampling import chosen


@dataclass(frozen=True)
class Walk:
    """Beginnings of answers; those of one answer stand behind each other.

    Attributes:
        states: after the last token of each, float64 on the CPU, with a 1 behind them.
        following: mean state one token later, the 1 included; zeros where the answer ends.
        rewards: of the answer that each is the beginning of.
        last: whether it is the whole answer.
        place: tokens of each.
    """

    states: Float[Tensor, "prefixes width"]
    following: Float[Tensor, "prefixes width"]
    rewards: Float[Tensor, " prefixes"]
    last: Bool[Tensor, " prefixes"]
    place: Float[Tensor, " prefixes"]

    def of(self, chosen: Bool[Tensor, " prefixes"]) -> Walk:
        """Some of them."""
        return Walk(*(values[chosen] for values in vars(self).values()))


def walk(task: Task, count: int, branches: int = 0) -> Walk:
    """Draw answers to the prompts of a task, and keep the states that they went through.

    Answers whose reward is not known are left out.

    Args:
        task: prompts, model and rewards.
        count: answers to each prompt.
        branches: how many of the likeliest next tokens the expected state is a mean over, weighted by probability;
            0 takes the state of the token that was drawn.

    Raises:
        RecipeError: without rewards, or where all answers to a prompt would be equal.
    """
    worth = task.valued("a prefix scorer")
    sampling, ends = task.sampling, task.engine.ends
    check_sampling(sampling)
    rows = with_states(task.engine, task.engine.rows(task.encoded, count))
    items = [item for item in range(len(task.prompts)) for _ in range(count)]
    luck = torch.rand(
        len(items),
        sampling.max_new_tokens,
        generator=torch.Generator().manual_seed(sampling.seed),
        dtype=torch.float64,
    )
    seen: list[list[Tensor]] = [[] for _ in items]
    expected: list[list[Tensor]] = [[] for _ in items]
    answers: list[Tokens] = [[] for _ in items]
    going = list(range(len(items)))
    step = 0
    while going:
        tokens = chosen(
            rows.logits,
            luck[going, step].to(rows.logits.device),
            sampling.temperature,
            sampling.top_p,
            sampling.top_k,
        )
        rows.push(tokens)
        task.answer_tokens += len(going)
        states = _with_one(rows.hidden)
        for row, state, answer in zip(going, states, rows.tokens, strict=True):
            seen[row].append(state)
            answers[row] = list(answer)
        kept = [
            place for place, row in enumerate(going) if open_ended(answers[row], ends, sampling.max_new_tokens)
        ]
        rows, going, step = rows.take(kept), [going[place] for place in kept], step + 1
        if branches and going:
            for row, mean in zip(going, _mean_next(task, rows, branches), strict=True):
                expected[row].append(mean)
    values = worth(items, task.texts(items, answers))
    return _walked(seen, expected if branches else [states[1:] for states in seen], values)


def check_sampling(sampling: Sampling) -> None:
    """Refuse settings with which nothing is drawn.

    Raises:
        RecipeError: at temperature 0.
    """
    if sampling.temperature == 0:
        raise RecipeError(
            "at temperature 0 all answers to a prompt are equal",
            where="sampling.temperature",
            allowed="above 0; 1 draws from the model as it is",
        )


def _mean_next(task: Task, rows: StatefulRows, branches: int) -> Float[Tensor, "rows width"]:
    laws = (rows.logits.double() / task.sampling.temperature).softmax(-1)
    shares, tokens = laws.topk(min(branches, laws.shape[1]))
    shares, width = (shares / shares.sum(-1, keepdim=True)).cpu(), tokens.shape[1]
    each = [row for row in range(len(tokens)) for _ in range(width)]
    found = []
    for part in parts(len(each), task.sampling.batch):
        grown = rows.take(each[part.start : part.stop])
        grown.push(tokens.flatten()[part.start : part.stop])
        found.append(_with_one(grown.hidden))
    mean: Tensor = (torch.cat(found).unflatten(0, (-1, width)) * shares[..., None]).sum(1)
    return mean


def _with_one(hidden: Float[Tensor, "rows hidden"]) -> Float[Tensor, "rows width"]:
    states = hidden.double().cpu()
    return torch.cat([states, torch.ones(len(states), 1, dtype=torch.float64)], 1)


def _walked(
    seen: Sequence[Sequence[Tensor]], expected: Sequence[Sequence[Tensor]], rewards: Float[Tensor, " answers"]
) -> Walk:
    known = [row for row, value in enumerate(rewards.tolist()) if value > -torch.inf]
    if not known:
        raise RecipeError("no answer has a reward that is known", where="rewards")
    nothing = torch.zeros_like(seen[known[0]][0])
    lengths = torch.tensor([len(seen[row]) for row in known])
    return Walk(
        torch.stack([state for row in known for state in seen[row]]),
        torch.stack([state for row in known for state in (*expected[row], nothing)]),
        rewards[known].repeat_interleave(lengths),
        torch.cat([torch.arange(length) == length - 1 for length in lengths.tolist()]),
        torch.cat([torch.arange(1.0, length + 1) for length in lengths.tolist()]),
    )
