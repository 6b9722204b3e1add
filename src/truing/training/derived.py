"""What an objective derives from whole distributions or hidden states: teachers, references, masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_model, save_model
from torch import Tensor, nn

from truing.objectives.algebra import Objective, Scores
from truing.policies.causal import CausalPolicy
from truing.policies.distributions import FUNCTIONALS, Comparison, compared_models
from truing.policies.packing import Tree
from truing.training.token_masks import LearnedMask, TokenModule, activation_mask

if TYPE_CHECKING:
    from truing.training.prepare import Prepared

REFERENCE = "reference"


@dataclass
class Derived:
    """Works out ``Scores.derived`` beside every forward pass.

    Attributes:
        comparisons: names of what depends on whole distributions.
        models: the other models, by the name that comparisons have for them.
        masks: what turns the reference's states into a number for each token, by name.
        trained: those of the masks that are trained along, as one module.
    """

    comparisons: tuple[str, ...] = ()
    models: Mapping[str, CausalPolicy] = field(default_factory=dict)
    masks: Mapping[str, TokenModule] = field(default_factory=dict)
    trained: nn.ModuleDict = field(default_factory=nn.ModuleDict)

    def against(self, trees: Sequence[Tree]) -> list[Comparison]:
        """The other models at these trees' completions."""
        found = {name: self._run(model, trees) for name, model in self.models.items() if self._compared(name)}
        return [
            Comparison(name, tuple(found[model] for model in compared_models(name))) for name in self.comparisons
        ]

    def _compared(self, model: str) -> bool:
        return any(model in compared_models(name) for name in self.comparisons)

    def _run(self, model: CausalPolicy, trees: Sequence[Tree]) -> Any:
        with model.evaluating(), model.without_adapter():
            return model.other(trees)

    def with_masks(self, scores: Scores, trees: Sequence[Tree], *, training: bool) -> Scores:
        """The scores with a value from each mask."""
        if not self.masks:
            return scores
        reference = self.models[REFERENCE]
        with reference.evaluating(), reference.without_adapter():
            layers = reference.layers(trees)
        self.trained.train(training)
        masks: dict[str, Tensor] = {name: mask(layers, scores.sequence) for name, mask in self.masks.items()}
        return replace(scores, derived={**scores.derived, **masks})


def wanted(objective: Objective) -> tuple[list[str], list[str]]:
    """Names of the comparisons and of the masks that an objective asks for."""
    names = sorted(r.removeprefix("derived:") for r in objective.requires if r.startswith("derived:"))
    compared = [name for name in names if name.partition(":")[0] in FUNCTIONALS]
    return compared, [name for name in names if name not in compared]


def resolve_derived(prepared: Prepared, moving: CausalPolicy | None = None) -> Derived | None:
    """The models and masks that the objective asks for, in memory.

    Args:
        prepared: the run.
        moving: the reference, where it is in memory already because it follows the policy.
    """
    from truing.training.references import starting_policy

    compared, masks = wanted(prepared.objective)
    if not compared and not masks:
        return None
    names = {model for name in compared for model in compared_models(name)} | ({REFERENCE} if masks else set())
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
    torch.manual_seed(prepared.recipe.training.seed)
    config = prepared.policy.inner.config.get_text_config()
    for name in masks:
        if name == "mask:activation":
            modules[name] = activation_mask
        else:
            made = LearnedMask(config.num_hidden_layers, config.hidden_size).to(prepared.policy.device)
            trained[name.replace(":", "_")] = made
            modules[name] = made
    return Derived(tuple(compared), models, modules, trained)


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
