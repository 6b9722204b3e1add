"""Whether a mask of weights helps to forget: what is kept at the same forgetting, by rule and share of the weights.

    python benchmarks/weight_masks.py --folder runs/masks --method graddiff npo --keep 0.5 0.8 0.95 --seed 0 1
    python benchmarks/weight_masks.py --folder runs/masks --method graddiff --rule dense random wagle --seed 10 11 12

truing/tiny is taught twelve fictitious authors once; every seed draws two of them that are to be forgotten, and the
rows that are kept in training. A run ends when the mean probability of a forgotten answer, exp(log π/|y|), has fallen
to a level; the mean probability of what is to be kept is interpolated there, between the steps before and after. So
runs are compared at equal forgetting, however fast their rule lets them forget. Runs that are in the folder are not
done again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor

from truing.evidence.measurement import mean_interval
from truing.objectives import METHODS, Objective, nll
from truing.policies.causal import CausalPolicy
from truing.policies.packing import Tree
from truing.policies.reference_cache import reference_logps
from truing.rewards.judges.local import load_policy
from truing.training.examples import Drawn, ExampleData, Part
from truing.training.reference import Precomputed
from truing.training.step import PreferenceStep, References
from truing.unlearning.attribution import gradients, squared_gradients, trainable, wagle_scores
from truing.unlearning.baselines import gradient_size, random_scores
from truing.unlearning.masking import masked_updates
from truing.unlearning.metrics.answers import encode
from truing.unlearning.selection import select
from truing.unlearning.suite import make_suite

AUTHORS, QUESTIONS, FORGOTTEN = 12, 5, 2
LEVELS = (0.3, 0.1)
"""Mean probabilities of forgotten answers at which runs are compared; the second is the one that counts."""
BUDGET = 4096


def main() -> None:
    """Run what is missing; print a table of runs, and the rules' differences with intervals over seeds."""
    given = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    given.add_argument("--folder", type=Path, required=True)
    given.add_argument("--method", nargs="+", choices=["ga", "graddiff", "npo"], default=["graddiff", "npo"])
    given.add_argument("--rule", nargs="+", choices=RULES, default=["dense", "random", "wagle", "wagle-1e-6"])
    given.add_argument("--keep", nargs="+", type=float, default=[0.5, 0.8, 0.95])
    given.add_argument("--seed", nargs="+", type=int, default=[0, 1])
    given.add_argument("--learning-rate", type=float, default=1e-4)
    given.add_argument("--retain-weight", type=float, default=1.0)
    given.add_argument("--steps", type=int, default=80, help="after which a run is given up")
    asked = given.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for seed in asked.seed:
        world = World(asked.folder, seed)
        for method, rule, keep in itertools.product(asked.method, asked.rule, asked.keep):
            share = 1.0 if rule == "dense" else keep
            name = f"{method}-{rule}-{share:g}-{asked.learning_rate:g}-{asked.retain_weight:g}-{seed}"
            stored = asked.folder / "results" / f"{name}.json"
            if not stored.exists():
                found = forgotten(world, method, rule, share, asked)
                stored.parent.mkdir(parents=True, exist_ok=True)
                stored.write_text(json.dumps(found))
                print(name, found, flush=True)
            rows.append(
                {"method": method, "rule": rule, "keep": keep, "seed": seed, **json.loads(stored.read_text())}
            )
    print_tables(rows)


@dataclass
class World:
    """One taught model, and what is to be forgotten and kept."""

    folder: Path
    seed: int

    @cached_property
    def policy(self) -> CausalPolicy:
        """truing/tiny after it was taught all authors."""
        policy = load_policy("truing/tiny")
        path = self.folder / "taught.pt"
        if not path.exists():
            teach(policy, [tree for group in authors(policy).values() for tree in group])
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(policy.model.state_dict(), path)
        policy.model.load_state_dict(torch.load(path))
        return policy

    @cached_property
    def parts(self) -> tuple[list[Tree], list[Tree]]:
        """Answers to forget, and to keep."""
        groups = authors(self.policy)
        chosen = random.Random(self.seed).sample(sorted(groups), FORGOTTEN)
        split: tuple[list[Tree], list[Tree]] = ([], [])
        for name, group in groups.items():
            split[name not in chosen].extend(group)
        return split

    @cached_property
    def scores(self) -> Mapping[str, Mapping[str, Tensor]]:
        """Scores of all weights, by rule."""
        policy, weights = self.policy, trainable(self.policy.model)
        forget, retain = self.parts

        def loss(model: object, trees: Sequence[Tree]) -> Tensor:
            found = policy.score(trees)
            return -found.total(found.token_logps) / found.lengths

        of_forget = gradients(policy.model, loss, [forget], reduction="sum")
        of_retain = gradients(policy.model, loss, batches(retain), reduction="sum")
        curvature = squared_gradients(policy.model, loss, ([tree] for tree in retain))
        whole = {name: value * len(retain) for name, value in curvature.items()}
        return {
            "random": random_scores(weights, self.seed),
            "gradient": gradient_size(of_forget),
            "wagle": wagle_scores(weights, of_forget, of_retain, whole, damping=1e-8 * len(retain)),
            "wagle-1e-6": wagle_scores(weights, of_forget, of_retain, 1e-6),
            "wagle-inf": wagle_scores(weights, of_forget, of_retain, math.inf),
        }

    def mask(self, rule: str, keep: float) -> dict[str, Tensor]:
        """True where a weight may change."""
        if rule == "dense":
            return {
                name: torch.ones(p.shape, dtype=torch.bool) for name, p in trainable(self.policy.model).items()
            }
        return select(self.scores[rule], keep)


RULES = ("dense", "random", "gradient", "wagle", "wagle-1e-6", "wagle-inf")
"""wagle has the Gauss-Newton curvature for γ, the others a number; the authors have 1e-6 on summed gradients."""


def authors(policy: CausalPolicy) -> dict[str, list[Tree]]:
    """Answers by author."""
    suite = make_suite(AUTHORS, FORGOTTEN / AUTHORS, per_author=QUESTIONS)
    assert policy.tokenizer is not None
    found: dict[str, list[Tree]] = {}
    items = [*suite.forget, *suite.retain]
    for item, tree in zip(items, encode(items, policy.tokenizer, None).answers(), strict=True):
        found.setdefault(item.group or "", []).append(tree)
    return found


def batches(trees: Sequence[Tree], size: int = 10) -> Iterator[list[Tree]]:
    for start in range(0, len(trees), size):
        yield list(trees[start : start + size])


def teach(policy: CausalPolicy, trees: list[Tree], epochs: int = 30) -> None:
    """Until the answers are known by heart."""
    optimizer = torch.optim.AdamW(policy.model.parameters(), lr=1e-3)
    order = random.Random(0)
    for _ in range(epochs):
        order.shuffle(trees)
        for part in batches(trees, 12):
            found = policy.score(part)
            (-found.total(found.token_logps) / found.lengths).mean().backward()
            optimizer.step()
            optimizer.zero_grad()
        if probability(policy, trees) > 0.97:
            return


@torch.no_grad()
def probability(policy: CausalPolicy, trees: Sequence[Tree]) -> float:
    """Mean over answers of exp(log π/|y|)."""
    with policy.evaluating():
        found = policy.score(list(trees))
        return float((found.total(found.token_logps) / found.lengths).exp().mean())


def rows_of(trees: Sequence[Tree], kind: str) -> ExampleData:
    rows = [
        {"id": str(n), "prompt_ids": list(tree.prompt), "completion_ids": [list(tree.branches[0])]}
        for n, tree in enumerate(trees)
    ]
    return ExampleData(Dataset.from_list(rows), kind)  # type: ignore[arg-type]


def objective_of(method: str, retain_weight: float) -> Objective:
    """The method with cross-entropy on what is to be kept; ga has none."""
    own = METHODS.get(method)
    if method == "graddiff":
        return own(retain_weight=retain_weight)
    return own() if method == "ga" else own() + retain_weight * nll().on("retain")


def forgotten(
    world: World, method: str, rule: str, keep: float, asked: argparse.Namespace
) -> dict[str, float | int | None]:
    """One run: at each level the probability of what is kept, and the steps that it took; none if not reached."""
    policy = world.policy
    start = {name: value.clone() for name, value in policy.model.state_dict().items()}
    forget, retain = world.parts
    data = rows_of(forget, "unwanted")
    objective = objective_of(method, asked.retain_weight)
    own = reference_logps(policy, data.trees(range(len(data))), use_cache=False)
    parts: dict[str, Part] = {}
    reference = {}
    if "retain" in objective.part_data:
        kept = rows_of(retain, "demonstrations")
        parts = {"retain": Part(kept, Drawn(len(kept), world.seed))}
        reference = {"retain": reference_logps(policy, kept.trees(range(len(kept))), use_cache=False)}
    data = replace(data, parts=parts)
    step = PreferenceStep(policy, objective, data, References(Precomputed(own, data, reference)), budget=BUDGET)
    mask = world.mask(rule, keep)
    optimizer = torch.optim.AdamW(policy.model.parameters(), lr=asked.learning_rate, weight_decay=0.1)
    found: dict[str, float | int | None] = {f"kept at {level:g}": None for level in LEVELS}
    found |= {f"steps to {level:g}": None for level in LEVELS}
    level_before, levels = probability(policy, forget), list(LEVELS)
    kept_before: float | None = probability(policy, retain)
    before = start
    try:
        with masked_updates(policy.model, mask, optimizer):
            for number in range(1, asked.steps + 1):
                # A later pass over the same records draws other rows to be kept.
                indices = [index + len(data) * (number - 1) for index in range(len(data))]
                step.train(indices, accumulate)
                optimizer.step()
                optimizer.zero_grad()
                now = probability(policy, forget)
                while levels and now <= levels[0]:
                    level = levels.pop(0)
                    kept_now = probability(policy, retain)
                    if kept_before is None:
                        kept_before = at(policy, before, retain)
                    way = (level_before - level) / (level_before - now)
                    found[f"kept at {level:g}"] = kept_before + way * (kept_now - kept_before)
                    found[f"steps to {level:g}"] = number
                if not levels:
                    break
                before = {name: value.clone() for name, value in policy.model.state_dict().items()}
                level_before, kept_before = now, None
    finally:
        policy.model.load_state_dict(start)
    return found


def accumulate(loss: Tensor, last: bool) -> None:
    """Called once for each micro-batch."""
    loss.backward()


def at(policy: CausalPolicy, weights: Mapping[str, Tensor], trees: Sequence[Tree]) -> float:
    """The probability of answers under other weights."""
    now = {name: value.clone() for name, value in policy.model.state_dict().items()}
    policy.model.load_state_dict(weights)
    found = probability(policy, trees)
    policy.model.load_state_dict(now)
    return found


def print_tables(rows: list[dict[str, Any]]) -> None:
    """Means over seeds; and what each rule keeps more than the dense run and than random weights, seed by seed."""
    for level in LEVELS:
        kept = {(r["method"], r["rule"], r["keep"], r["seed"]): r[f"kept at {level:g}"] for r in rows}
        print(f"\n| method | rule | share | kept at {level:g} | steps | more than dense | more than random |")
        print("|---|---|--:|--:|--:|--:|--:|")
        for method, rule, keep in dict.fromkeys((r["method"], r["rule"], r["keep"]) for r in rows):
            own = [r for r in rows if (r["method"], r["rule"], r["keep"]) == (method, rule, keep)]
            values = [r[f"kept at {level:g}"] for r in own if r[f"kept at {level:g}"] is not None]
            steps = [r[f"steps to {level:g}"] for r in own if r[f"steps to {level:g}"] is not None]
            mean = f"{sum(values) / len(values):.3f} (n={len(values)})" if values else "not reached"
            taken = f"{sum(steps) / len(steps):.0f}" if steps else ""
            leads = []
            for other in ("dense", "random"):
                pairs = [
                    (kept[method, rule, keep, r["seed"]], kept.get((method, other, keep, r["seed"]))) for r in own
                ]
                lead = [a - b for a, b in pairs if a is not None and b is not None]
                low, high = mean_interval(lead)
                leads.append(f"{sum(lead) / len(lead):+.3f} ({low:+.3f} to {high:+.3f})" if lead else "")
            print(f"| {method} | {rule} | {keep:g} | {mean} | {taken} | {leads[0]} | {leads[1]} |")


if __name__ == "__main__":
    main()
