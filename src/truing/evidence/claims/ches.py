"""CHES (2410.08847) on a small random transformer, with a real gradient step on each pair by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from scipy import stats
from torch import Tensor
from transformers import PreTrainedModel

from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above
from truing.objectives import Batch, Scores, dpo
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree

Measure = Callable[..., np.ndarray]
GROUPS, SYNONYMS, FIRST = 8, 5, 4
WIDTH, LENGTH, PAIRS, WORLDS = 32, 6, 60, 8


class World(NamedTuple):
    """Pairs, their hidden states, and by how much a step on each changed its chosen answer, nats per token."""

    trees: list[Tree]
    chosen: np.ndarray
    rejected: np.ndarray
    tokens: np.ndarray
    change: np.ndarray


@claim(
    method="ches",
    statement="A DPO step on one pair alone makes its chosen answer the less likely the higher its CHES is: the rank "
    "correlation of CHES with minus the change is above 0.4.",
    source="2410.08847, section 5",
)
def ranks_displacement(measure: Measure, seed: int) -> Measurement:
    found = [_rank_correlation(_scores(measure, world), -world.change) for world in _worlds(seed)]
    return above(0.4, found, "Spearman correlation")


@claim(
    method="ches",
    statement="It ranks displacement better than the better one of edit distance and token overlap does.",
    source="2410.08847, figure 2: CHES against normalised edit distance",
)
def better_than_text(measure: Measure, seed: int) -> Measurement:
    gains, text = [], []
    for world in _worlds(seed):
        others = [
            _rank_correlation([likeness(*tree.branches) for tree in world.trees], -world.change)
            for likeness in (_edit_similarity, _overlap)
        ]
        gains.append(_rank_correlation(_scores(measure, world), -world.change) - max(others))
        text.append(others)
    return above(0.0, gains, "difference of Spearman correlations", edit_and_overlap=text)


def _scores(measure: Measure, world: World) -> np.ndarray:
    return measure(world.chosen, world.rejected, world.tokens, world.tokens)


@cache
def _worlds(seed: int) -> tuple[World, ...]:
    return tuple(_world(10 * seed + number) for number in range(WORLDS))


def _world(seed: int) -> World:
    generator = torch.Generator().manual_seed(seed)
    policy = CausalPolicy(_transformer(generator), precision="float32")
    trees = [_pair(number, generator) for number in range(PAIRS)]
    hidden = policy.hidden(trees).numpy()
    change = np.array([_change_of_chosen(policy, tree) for tree in trees])
    return World(trees, hidden[0::2], hidden[1::2], np.full(PAIRS, LENGTH), change)


def _transformer(generator: torch.Generator) -> PreTrainedModel:
    """Two layers and confident predictions; tokens of a group have similar embeddings, as words of like meaning do."""
    from transformers import LlamaConfig, LlamaForCausalLM

    vocabulary = FIRST + GROUPS * SYNONYMS
    model: PreTrainedModel = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=WIDTH,
            intermediate_size=2 * WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=32,
            bos_token_id=1,
            eos_token_id=2,
        )
    )
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
        for table in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
            centres = torch.randn(GROUPS, WIDTH, generator=generator).repeat_interleave(SYNONYMS, 0)
            table[FIRST:] = centres + 0.2 * torch.randn(centres.shape, generator=generator)
    return model


def _pair(number: int, generator: torch.Generator) -> Tree:
    """Two answers of equal length, alike in meaning without a common word, or alike in words without common order."""

    def draw(count: int) -> int:
        return int(torch.randint(count, (1,), generator=generator))

    def word(group: int) -> int:
        return FIRST + group * SYNONYMS + draw(SYNONYMS)

    prompt = [1, *(word(draw(GROUPS)) for _ in range(4))]
    meaning = [draw(GROUPS) for _ in range(LENGTH)]
    chosen = [word(group) for group in meaning]
    likeness = float(torch.rand(1, generator=generator))
    kept = (torch.rand(LENGTH, generator=generator) < likeness).tolist()
    if number % 2:
        order = torch.randperm(LENGTH, generator=generator).tolist()
        rejected = [chosen[i] if keep else word(draw(GROUPS)) for i, keep in zip(order, kept, strict=True)]
    else:
        rejected = [word(g if keep else draw(GROUPS)) for g, keep in zip(meaning, kept, strict=True)]
    if rejected == chosen:
        rejected[-1] = word((meaning[-1] + 1) % GROUPS)
    return Tree(prompt, [chosen, rejected])


def _change_of_chosen(policy: CausalPolicy, tree: Tree, rate: float = 0.002) -> float:
    """One step of plain gradient descent on this pair; the weights are put back."""
    parameters = [p for p in policy.model.parameters() if p.requires_grad]
    kept = [p.detach().clone() for p in parameters]
    before = policy.score([tree])
    scores = Scores(before.token_logps, before.sequence, 2, before.token_logps)
    loss = dpo(beta=0.1)(scores, Batch.pairs(1)).loss
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                parameter.sub_(rate * gradient)
        change = _chosen(policy.score([tree])) - _chosen(before)
        for parameter, value in zip(parameters, kept, strict=True):
            parameter.copy_(value)
    return float(change)


def _chosen(scores: Scores) -> Tensor:
    return scores.token_logps.detach()[scores.sequence == 0].double().mean()


def _rank_correlation(scores: Sequence[float] | np.ndarray, falls: np.ndarray) -> float:
    return float(stats.spearmanr(scores, falls).statistic)


def _edit_similarity(left: Sequence[int], right: Sequence[int]) -> float:
    """Minus the edit distance over the longer length."""
    row = list(range(len(right) + 1))
    for number, token in enumerate(left, start=1):
        above_row, row = row, [number]
        for column, other in enumerate(right):
            row.append(min(above_row[column + 1] + 1, row[-1] + 1, above_row[column] + (token != other)))
    return -row[-1] / max(len(left), len(right))


def _overlap(left: Sequence[int], right: Sequence[int]) -> float:
    """Share of the tokens of either that both have."""
    return len(set(left) & set(right)) / len(set(left) | set(right))
