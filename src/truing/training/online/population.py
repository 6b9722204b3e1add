"""The population that a policy is trained against: itself as it was, as it began, and other models.

Past selves are kept as copies of the weights that learn (all of them, or an adapter), and put in place of the policy's
own while drawn answers are scored. So a member costs memory for what learns, on the CPU and in every checkpoint, and no
second model; one more copy of what learns is held on the device while scoring. Other models stay in memory whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from truing.errors import RecipeError
from truing.policies.causal import CausalPolicy
from truing.recipe.online import OpponentsSection
from truing.training.prepare import Prepared
from truing.training.references import starting_policy
from truing.writing import atomic_path

Weights = dict[str, Tensor]


class Population:
    """Weighted mean of log-probabilities under frozen policies; a companion of training, so that it is resumed exactly.

    Args:
        policy: what is trained; as it is now, it is the start and the only past self.
        history: weights of the policy at the start of this round, of the one before, ...; those that are not there yet
            leave their weight to the others.
        every: optimiser steps in a round.
        start: weight of the policy as it is now.
        models: weights and other policies.
    """

    file = "opponents.safetensors"

    def __init__(
        self,
        policy: CausalPolicy,
        history: Sequence[float],
        every: int,
        start: float = 0.0,
        models: Sequence[tuple[float, CausalPolicy]] = (),
    ) -> None:
        counted = [place for place, weight in enumerate(history) if weight > 0]
        self.policy = policy
        self.history = list(history)[: max(counted, default=-1) + 1]
        self.every = every
        self.start = start
        self.models = [(weight, model) for weight, model in models if weight > 0]
        self.past = [_copy(policy.model)] if self.history else []
        self.first = _copy(policy.model) if start > 0 else {}

    def __call__(self, score: Callable[[CausalPolicy], Tensor]) -> Tensor:
        """The weighted mean of what ``score`` says of every member; weights add up to 1."""
        found: list[tuple[float, Tensor]] = []
        for weight, own in [*zip(self.history, self.past, strict=False), (self.start, self.first)]:
            if weight > 0:
                with _in_place(self.policy.model, own):
                    found.append((weight, score(self.policy)))
        found += [(weight, score(model)) for weight, model in self.models]
        if not found:
            # The members that have weight are older than the run: until they are there, the start stands for them.
            with _in_place(self.policy.model, self.past[-1]):
                return score(self.policy)
        total = sum(weight for weight, _ in found)
        return torch.stack([weight / total * values for weight, values in found]).sum(0)

    def after_step(self, step: int, model: nn.Module) -> None:
        """Begin a new round, if it is time to."""
        if self.history and step % self.every == 0:
            self.past = [_copy(self.policy.model), *self.past][: len(self.history)]

    def save(self, path: Path) -> None:
        """Write past selves beside a checkpoint."""
        flat = {f"{place}/{name}": value for place, own in enumerate(self.past) for name, value in own.items()}
        with atomic_path(path) as partial:
            save_file(flat or {"none": torch.zeros(0)}, str(partial))

    def load(self, path: Path) -> None:
        """Read what :meth:`save` wrote."""
        found: dict[int, Weights] = {}
        for key, value in load_file(str(path)).items():
            place, _, name = key.partition("/")
            if name:
                found.setdefault(int(place), {})[name] = value
        self.past = [found[place] for place in sorted(found)]


def population_for(prepared: Prepared, section: OpponentsSection, steps_per_rollout: int) -> Population:
    """The population of a recipe.

    Raises:
        RecipeError: if a model has another vocabulary.
    """
    models = []
    for name, weight in section.models.items():
        if weight == 0:
            continue
        model = starting_policy(prepared, name)
        if (
            model.inner.config.get_text_config().vocab_size
            != prepared.policy.inner.config.get_text_config().vocab_size
        ):
            raise RecipeError(
                f"the opponent {name!r} has another vocabulary than the policy, so that it cannot score its answers",
                where="online.opponents.models",
                allowed="models with the policy's tokenizer",
            )
        models.append((weight, model))
    every = section.every or steps_per_rollout
    return Population(prepared.policy, section.history, every, section.start, models)


def _copy(model: nn.Module) -> Weights:
    return {
        name: value.detach().to("cpu", copy=True).contiguous()
        for name, value in model.named_parameters()
        if value.requires_grad
    }


@contextmanager
def _in_place(model: nn.Module, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """The model with other weights inside, and its own, to the bit, after."""
    learned = {name: value for name, value in model.named_parameters() if name in weights}
    own = {name: value.detach().clone() for name, value in learned.items()}

    def put(values: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in learned.items():
                parameter.copy_(values[name])

    put(weights)
    try:
        yield
    finally:
        put(own)
