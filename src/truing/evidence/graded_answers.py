"""A small language model on answers whose worth is the number of key words in them.

Answers have four filler words, and up to four key words among them: chosen ones four, rejected ones two. In the grades
of an answer more and more of its key words are gone. The control loses as many filler words instead: what still tells
its grade is length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from truing.data.derive.grades import part_name
from truing.objectives import Batch, Objective
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree
from truing.training.grade_head import GradeHead
from truing.training.roles import joined

GRADES = 3
_VOCABULARY, _HIDDEN = 32, 32
_FILLER, _KEY = range(4, 14), range(14, 24)
_RECORDS, _STEPS, _RATE, _HELD_OUT = 8, 100, 4e-3, 100


@dataclass(frozen=True)
class Trained:
    """A policy after training, the one before, and the classifiers of chosen and rejected answers."""

    policy: CausalPolicy
    reference: CausalPolicy
    heads: dict[str, GradeHead]


def answer(draw: torch.Generator, keys: int, filler: int = 4) -> list[int]:
    """Random filler with random key words among it."""
    words = [_pick(draw, _KEY) for _ in range(keys)] + [_pick(draw, _FILLER) for _ in range(filler)]
    order: list[int] = torch.randperm(len(words), generator=draw).tolist()
    return [words[place] for place in order]


def _pick(draw: torch.Generator, words: Sequence[int]) -> int:
    return words[int(torch.randint(len(words), (), generator=draw))]


def grades(whole: Sequence[int], kind: range = _KEY) -> list[list[int]]:
    """The answer without none, half and all of its words of one kind."""
    places = [place for place, word in enumerate(whole) if word in kind]
    kept = [set(places[: round(len(places) * grade / (GRADES - 1))]) for grade in range(GRADES)]
    return [[word for place, word in enumerate(whole) if place not in gone] for gone in kept]


def record(draw: torch.Generator) -> tuple[Tree, list[list[int]]]:
    """A prompt with a chosen and a rejected answer and the grades of both; beside it the grades of the control."""
    chosen, rejected = answer(draw, 4), answer(draw, 2)
    prompt = [1, _pick(draw, range(24, 32))]
    return Tree(prompt, [chosen, rejected, *grades(chosen), *grades(rejected)]), grades(chosen, _FILLER)


def network(seed: int) -> CausalPolicy:
    """A random Llama of two layers."""
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(
        "llama",
        vocab_size=_VOCABULARY,
        hidden_size=_HIDDEN,
        intermediate_size=2 * _HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        bos_token_id=1,
        eos_token_id=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CausalPolicy(AutoModelForCausalLM.from_config(config).float(), precision="float32")


def train(objective: Objective, seed: int) -> Trained:
    """Train a network and the classifiers that an objective asks for, on fresh records in every step."""
    policy, reference = network(seed), network(seed)
    names = [name.removeprefix("derived:") for name in sorted(objective.requires) if name.startswith("derived:")]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        heads = {name: GradeHead(name.partition(":")[2], _HIDDEN) for name in names}
    learned = [*policy.model.parameters(), *(p for head in heads.values() for p in head.parameters())]
    optimiser = torch.optim.Adam(learned, lr=_RATE)
    draw = torch.Generator().manual_seed(seed)
    batch = _batch(_RECORDS)
    for _ in range(_STEPS):
        trees = [record(draw)[0] for _ in range(_RECORDS)]
        with torch.no_grad():
            base = reference.score(trees).token_logps
        scores = policy.score(trees, pooled=True)
        found = {name: head(scores, (), batch) for name, head in heads.items()}
        scores = replace(scores, reference=base, derived=found)
        optimiser.zero_grad()
        objective(scores, batch).loss.backward()
        optimiser.step()
    return Trained(policy, reference, heads)


@torch.no_grad()
def accuracy(trained: Trained, seed: int, *, control: bool = False) -> float:
    """Share of new chosen answers' grades that the classifier finds; of the control's, the same by its length."""
    draw = torch.Generator().manual_seed(seed + 7919)
    found = [record(draw) for _ in range(_HELD_OUT)]
    trees = [Tree(tree.prompt, other if control else tree.branches[2 : 2 + GRADES]) for tree, other in found]
    states = trained.policy.score(trees, pooled=True).states
    assert states is not None
    head = trained.heads[f"degree:{part_name('chosen', GRADES)}"]
    guessed = head.layers(states).argmax(-1)
    return float((guessed == torch.arange(GRADES).repeat(_HELD_OUT)).double().mean())


@torch.no_grad()
def correlation(trained: Trained, seed: int) -> float:
    """Spearman's, of the log-ratio with the number of key words, over new answers of eight words with 0 to 4."""
    from scipy.stats import spearmanr

    draw = torch.Generator().manual_seed(seed + 104729)
    numbers = torch.arange(_HELD_OUT * 5) % 5
    trees = [Tree([1, _pick(draw, range(24, 32))], [answer(draw, int(k), 8 - int(k))]) for k in numbers]
    policy, reference = (model.score(trees) for model in (trained.policy, trained.reference))
    ratio = policy.total(policy.token_logps) - reference.total(reference.token_logps)
    return float(spearmanr(ratio.numpy(), numbers.numpy()).statistic)


@torch.no_grad()
def pair_accuracy(trained: Trained, seed: int) -> float:
    """Share of new pairs whose chosen answer has the larger log-ratio."""
    draw = torch.Generator().manual_seed(seed + 1299709)
    trees = [Tree(tree.prompt, tree.branches[:2]) for tree, _ in (record(draw) for _ in range(_HELD_OUT))]
    policy, reference = (model.score(trees) for model in (trained.policy, trained.reference))
    ratio = (policy.total(policy.token_logps) - reference.total(reference.token_logps)).view(-1, 2)
    return float((ratio[:, 0] > ratio[:, 1]).double().mean())


def _batch(count: int) -> Batch:
    graded = Batch.samples([GRADES] * count)
    return joined(Batch.pairs(count), {part_name(side, GRADES): graded for side in ("chosen", "rejected")})
