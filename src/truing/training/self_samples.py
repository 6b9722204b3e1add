"""The policy's own answers beside every record, drawn before training and, if asked for, again during it.

D2O (2403.03419) compares a disliked answer with them. They are constants of the loss: no gradient flows through the
drawing. New ones after every step would cancel their own effect, see :mod:`truing.objectives.methods.d2o`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from truing.policies.causal import CausalPolicy, sequence_logps
from truing.policies.generation import Progress, Sampling, generate
from truing.policies.packing import Tree
from truing.policies.reference_cache import ReferenceLogps
from truing.recipe.schema import SelfSamplesSection
from truing.rewards.scorers import load_scorer
from truing.training.distributed import World
from truing.training.examples import ExampleData, Part, SameRow
from truing.writing import write_json

if TYPE_CHECKING:
    from truing.training.prepare import Prepared, Split
    from truing.training.reference import Precomputed

PART = "samples"


@dataclass(frozen=True)
class Drawn:
    """Answers to every prompt, and what was found out about them.

    Attributes:
        completions: for each record its answers, token ids.
        rewards: of each answer, by the scorer that was asked for; ``None`` without one.
        proposals: log-probability of each answer under the policy that drew it, nats; ``None`` where not needed.
    """

    completions: list[list[list[int]]]
    rewards: list[list[float]] | None = None
    proposals: list[list[float]] | None = None


class SampledRows:
    """Rows of the part: prompts, and the answers that were drawn last.

    Args:
        ids: of the records.
        prompts: token ids.
        drawn: the answers.
    """

    def __init__(self, ids: Sequence[str], prompts: Sequence[list[int]], drawn: Drawn) -> None:
        self.ids = list(ids)
        self.prompts = list(prompts)
        self.drawn = drawn

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, numbers: list[int]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {
            "id": [self.ids[i] for i in numbers],
            "prompt_ids": [self.prompts[i] for i in numbers],
            "completion_ids": [self.drawn.completions[i] for i in numbers],
        }
        for name in ("rewards", "proposals"):
            values = getattr(self.drawn, name)
            if values is not None:
                found[name] = [values[i] for i in numbers]
        return found


def draw_and_score(
    policy: CausalPolicy,
    prompts: Sequence[list[int]],
    section: SelfSamplesSection,
    seed: int,
    budget: int,
    progress: Progress | None = None,
) -> Drawn:
    """Answers as :func:`draw` gives them; with their rewards and proposals where a reward is asked for."""
    completions = draw(policy, prompts, section, seed, progress)
    if section.reward is None:
        return Drawn(completions)
    trees = [Tree(prompt, answers) for prompt, answers in zip(prompts, completions, strict=True)]
    with policy.evaluating():
        logps = sequence_logps(policy.score_all(trees, budget=budget)).tolist()
    assert policy.tokenizer is not None
    texts = [policy.tokenizer.decode(a, skip_special_tokens=True) for answers in completions for a in answers]
    rewards = [float(value) for value in load_scorer(section.reward).scores(texts)]
    return Drawn(completions, _grouped(rewards, completions), _grouped(logps, completions))


def _grouped(values: Sequence[float], like: Sequence[Sequence[Any]]) -> list[list[float]]:
    """One flat list as lists of the lengths of others."""
    found, start = [], 0
    for part in like:
        found.append([float(value) for value in values[start : start + len(part)]])
        start += len(part)
    return found


def draw(
    policy: CausalPolicy,
    prompts: Sequence[list[int]],
    section: SelfSamplesSection,
    seed: int,
    progress: Progress | None = None,
) -> list[list[list[int]]]:
    """``section.count`` answers to each prompt.

    Args:
        policy: what draws them.
        prompts: token ids.
        section: of the recipe. Its instructions stand in front of the prompts, in turn over the answers.
        seed: of the drawing.
        progress: called with (answers done, answers in all).
    """
    total = len(prompts) * section.count
    found: list[list[list[int]]] = [[] for _ in prompts]
    for turn in range(section.count):
        sampling = Sampling(section.max_new_tokens, section.temperature, seed=seed * 1009 + turn)
        front = _instruction(policy, section.instructions, turn)
        answers = generate(
            policy,
            [[*front, *prompt] for prompt in prompts],
            sampling,
            progress=None if progress is None else _shifted(progress, turn * len(prompts), total),
        )
        for own, answer in zip(found, answers, strict=True):
            own.append(answer)
    return found


def _shifted(progress: Progress, before: int, total: int) -> Progress:
    return lambda done, _: progress(before + done, total)


def _instruction(policy: CausalPolicy, instructions: Sequence[str], turn: int) -> list[int]:
    if not instructions or policy.tokenizer is None:
        return []
    text = instructions[turn % len(instructions)] + "\n\n"
    ids: list[int] = policy.tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def with_self_samples(prepared: Prepared, progress: Progress | None = None) -> Prepared:
    """The run with the policy's own answers beside every record, where its objective wants them.

    They are written to the run's folder, and read from there by a resumed run.
    """
    if PART not in prepared.objective.part_data or PART in prepared.train.examples.parts:
        return prepared
    path = prepared.output / "self_samples.json"
    splits = {"train": prepared.train, "held_out": prepared.held_out}
    world = World.current()
    if world.is_main and not path.exists():
        write_json(path, {name: _first(prepared, split, progress) for name, split in splits.items() if split})
    world.barrier()  # one process draws, all read
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    added = {
        name: None if split is None else _added(split, Drawn(**stored[name])) for name, split in splits.items()
    }
    train = added["train"]
    assert train is not None
    return replace(prepared, train=train, held_out=added["held_out"])


def _first(prepared: Prepared, split: Split, progress: Progress | None) -> dict[str, Any]:
    """Answers of the starting model to the prompts of a split, as plain data."""
    recipe = prepared.recipe
    with prepared.policy.without_adapter():
        drawn = draw_and_score(
            prepared.policy,
            _prompts(split),
            recipe.data.self_samples,
            recipe.training.seed,
            prepared.budget,
            progress,
        )
    return asdict(drawn)


def _prompts(split: Split) -> list[list[int]]:
    return [list(prompt) for prompt in split.examples.rows["prompt_ids"]]


def _added(split: Split, drawn: Drawn) -> Split:
    rows = SampledRows(split.examples.rows["id"], _prompts(split), drawn)
    part = Part(ExampleData(rows, "samples"), SameRow())
    examples = replace(split.examples, parts={**split.examples.parts, PART: part})
    return replace(split, examples=examples)


class Refreshed:
    """Draws new answers every so many steps, and asks the reference about them.

    Args:
        rows: what is refreshed.
        source: reference values that are replaced along with them; ``None`` where they are computed in every step.
        score: reference values of some rows.
        section: of the recipe.
        seed: of the run.
        policy: what draws them.
        budget: tokens in one forward pass.
    """

    file = "self_samples.json"

    def __init__(
        self,
        rows: SampledRows,
        source: Precomputed | None,
        score: Callable[[ExampleData], ReferenceLogps],
        section: SelfSamplesSection,
        seed: int,
        policy: CausalPolicy,
        budget: int,
    ) -> None:
        self.budget = budget
        self.rows = rows
        self.source = source
        self.score = score
        self.section = section
        self.seed = seed
        self.policy = policy

    def after_step(self, step: int, model: nn.Module) -> None:
        """Draw, if it is time to."""
        every = self.section.refresh_every
        if every is not None and step % every == 0:
            seed = self.seed + 31 * step
            self._use(draw_and_score(self.policy, self.rows.prompts, self.section, seed, self.budget))

    def save(self, path: Path) -> None:
        """Write the answers beside a checkpoint."""
        write_json(path, asdict(self.rows.drawn))

    def load(self, path: Path) -> None:
        """Read what :meth:`save` wrote."""
        self._use(Drawn(**json.loads(path.read_text(encoding="utf-8"))))

    def _use(self, drawn: Drawn) -> None:
        self.rows.drawn = drawn
        if self.source is not None:
            self.source.parts[PART] = self.score(ExampleData(self.rows, "samples"))
