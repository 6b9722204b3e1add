"""What an objective derives from whole distributions or hidden states: teachers, references, masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import torch
from jaxtyping import Float
from safetensors.torch import load_model, save_file, save_model
from torch import Tensor, nn

from truing.objectives.algebra import Batch, Objective, Scores
from truing.objectives.algebra.actor_critic import VALUE
from truing.policies.causal import CausalPolicy
from truing.policies.distributions import FUNCTIONALS, Comparison, compared_models
from truing.policies.heads import OutputHead
from truing.policies.packing import Tree
from truing.policies.scoring import head_spec
from truing.policies.state_targets import StateTarget, asked
from truing.training.critics import critic_for
from truing.training.grade_head import GradeHead
from truing.training.state_targets import StateTargets, needs_reference, wanted_targets
from truing.training.token_masks import LearnedMask, TokenModule, activation_mask
from truing.writing import atomic_path

if TYPE_CHECKING:
    from truing.training.prepare import Prepared

REFERENCE = "reference"


class StateReader(Protocol):
    """A small module that turns what is known of completions into a number for each token."""

    @property
    def reads(self) -> Literal["states", "hidden", "nothing"]:
        """Of the policy: mean states of answers, states of tokens, or neither."""
        ...

    def __call__(self, scores: Scores, trees: Sequence[Tree], batch: Batch) -> Float[Tensor, " tokens"]: ...


@dataclass
class Derived:
    """Works out ``Scores.derived`` beside every forward pass.

    Attributes:
        comparisons: names of what depends on whole distributions.
        models: the other models, by the name that comparisons have for them.
        masks: what turns the reference's states into a number for each token, by name.
        heads: classifiers and critics, by name.
        outputs: output heads of parts, by the part's name.
        trained: what of these is trained along, as one module.
        targets: makes what the policy's states at a layer are compared with.
    """

    comparisons: tuple[str, ...] = ()
    models: Mapping[str, CausalPolicy] = field(default_factory=dict)
    masks: Mapping[str, TokenModule] = field(default_factory=dict)
    heads: Mapping[str, StateReader] = field(default_factory=dict)
    outputs: Mapping[str, OutputHead] = field(default_factory=dict)
    trained: nn.ModuleDict = field(default_factory=nn.ModuleDict)
    targets: StateTargets | None = None

    @property
    def pooled(self) -> bool:
        """Whether the policy's mean states are read."""
        return any(head.reads == "states" for head in self.heads.values())

    @property
    def with_hidden(self) -> bool:
        """Whether the policy's states of tokens are read."""
        return bool(self.outputs) or any(head.reads == "hidden" for head in self.heads.values())

    def against(self, trees: Sequence[Tree]) -> list[Comparison | StateTarget]:
        """The other models at these trees' completions, and where the policy's states should be there."""
        targets = self.targets(trees) if self.targets is not None else []
        return [*self._comparisons(trees), *targets]

    def _comparisons(self, trees: Sequence[Tree]) -> list[Comparison]:
        found = {name: self._run(model, trees) for name, model in self.models.items() if self._compared(name)}
        return [
            Comparison(name, tuple(found[model] for model in compared_models(name))) for name in self.comparisons
        ]

    def _compared(self, model: str) -> bool:
        return any(model in compared_models(name) for name in self.comparisons)

    def _run(self, model: CausalPolicy, trees: Sequence[Tree]) -> Any:
        with model.evaluating(), model.without_adapter():
            return model.other(trees)

    def save_outputs(self, path: Path) -> None:
        """Write the output heads of parts, for mixing; nothing where there are none."""
        if self.outputs:
            heads = {name: dict(output.named_parameters()) for name, output in self.outputs.items()}
            flat = {f"{name}.{key}": value for name, own in heads.items() for key, value in own.items()}
            with atomic_path(path) as partial:
                save_file({key: value.detach().cpu().contiguous() for key, value in flat.items()}, str(partial))

    def completed(self, scores: Scores, trees: Sequence[Tree], batch: Batch, *, training: bool) -> Scores:
        """The scores with a value from each mask and each head."""
        self.trained.train(training)
        for name, output in self.outputs.items():
            scores = _under(output, scores, trees, batch.parts[name])
        found: dict[str, Tensor] = {name: head(scores, trees, batch) for name, head in self.heads.items()}
        if self.masks:
            reference = self.models[REFERENCE]
            with reference.evaluating(), reference.without_adapter():
                layers = reference.layers(trees)
            found.update({name: mask(layers, scores.sequence) for name, mask in self.masks.items()})
        return replace(scores, derived={**scores.derived, **found})


def _under(output: OutputHead, scores: Scores, trees: Sequence[Tree], part: Batch) -> Scores:
    """The scores with the answers of a part under a head of its own."""
    assert scores.hidden is not None
    device = scores.token_logps.device
    targets = torch.tensor(
        [token for tree in trees for branch in tree.branches for token in branch], device=device
    )
    place = torch.nonzero(torch.isin(scores.sequence, part.sequences))[:, 0]
    logps = output(scores.hidden[place], targets[place])
    return replace(scores, token_logps=scores.token_logps.index_copy(0, place, logps.to(scores.token_logps)))


def wanted(objective: Objective) -> tuple[list[str], list[str]]:
    """Names of the comparisons, and of what small modules give, that an objective asks for."""
    names = sorted(r.removeprefix("derived:") for r in objective.requires if r.startswith("derived:"))
    compared = [name for name in names if name.partition(":")[0] in FUNCTIONALS]
    return compared, [name for name in names if name not in compared and asked(name) is None]


def resolve_derived(prepared: Prepared, moving: CausalPolicy | None = None) -> Derived | None:
    """The models and masks that the objective asks for, in memory.

    Args:
        prepared: the run.
        moving: the reference, where it is in memory already because it follows the policy.
    """
    from truing.training.references import starting_policy

    compared, masks = wanted(prepared.objective)
    aims = sorted(r.removeprefix("head:") for r in prepared.objective.requires if r.startswith("head:"))
    targets = wanted_targets(prepared.objective)
    if not compared and not masks and not aims and not targets:
        return None
    masked = any(name.startswith("mask:") for name in masks)
    names = {model for name in compared for model in compared_models(name)}
    names |= {REFERENCE} if masked or needs_reference(targets) else set()
    other = prepared.recipe.reference.model
    models = {}
    for name in sorted(names):
        if name == REFERENCE and moving is not None:
            models[name] = moving
        elif name == REFERENCE and prepared.policy.has_adapter and other is None:
            models[name] = prepared.policy
        else:
            models[name] = starting_policy(prepared, other if name == REFERENCE else name)
    trained = nn.ModuleDict()
    modules: dict[str, TokenModule] = {}
    heads: dict[str, StateReader] = {}
    torch.manual_seed(prepared.recipe.training.seed)
    config = prepared.policy.inner.config.get_text_config()
    for name in masks:
        kind, _, what = name.partition(":")
        made: nn.Module
        if name == "mask:activation":
            modules[name] = activation_mask
            continue
        if kind == VALUE:
            made = heads[name] = critic_for(what, prepared)
        elif kind == "degree":
            made = heads[name] = GradeHead(what, config.hidden_size)
        else:
            made = modules[name] = LearnedMask(config.num_hidden_layers, config.hidden_size)
        trained[_key(name)] = made.to(prepared.policy.device)
    outputs: dict[str, OutputHead] = {}
    for number, aim in enumerate(aims):
        source = prepared.policy.inner.get_output_embeddings()
        seed = prepared.recipe.training.seed + number
        outputs[aim] = OutputHead(source, head_spec(prepared.policy.inner), seed).to(prepared.policy.device)
        trained[f"output_{aim}"] = outputs[aim]
    made_targets = None
    if targets:
        seed = prepared.recipe.training.seed
        made_targets = StateTargets.of(prepared.objective, prepared.policy, models.get(REFERENCE), seed)
    return Derived(tuple(compared), models, modules, heads, outputs, trained, made_targets)


def _key(name: str) -> str:
    """A name as a module may have it."""
    return name.replace(":", "_").replace(".", "_")


@dataclass(frozen=True)
class TrainedAlong:
    """Small modules that learn beside the policy; part of a checkpoint, not of the model."""

    modules: nn.ModuleDict
    file: str = "modules.safetensors"

    def after_step(self, step: int, model: nn.Module) -> None:
        """Forget the gradients of the step; the trainer does so for the policy only."""
        self.modules.zero_grad()

    def save(self, path: Path) -> None:
        save_model(self.modules, str(path))

    def load(self, path: Path) -> None:
        load_model(self.modules, str(path))
