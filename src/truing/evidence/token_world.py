"""Chains of tokens: policies whose next token depends on the one before, with whole distributions at hand.

Objectives on whole distributions need, beside the log-probability of what was written, those of everything that
could have been; and masks need states of the reference, which here say what the token before was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from truing.evidence.setups import normals
from truing.objectives import Batch, Objective, Scores
from truing.policies.distributions import FUNCTIONALS, compared_models
from truing.training.token_masks import LearnedMask, activation_mask

Answers = Int[Tensor, "answers tokens"]
LAYERS = 4


class Chain(nn.Module):
    """A row of logits for the token to follow each token, and a last one for the first token.

    Args:
        table: shape ``[V + 1, V]``.
    """

    def __init__(self, table: Float[Tensor, "contexts vocabulary"]) -> None:
        super().__init__()
        self.table = nn.Parameter(table.detach().double().clone())

    @classmethod
    def random(cls, seed: int, vocabulary: int = 5, spread: float = 1.0) -> Self:
        """Normally distributed logits."""
        return cls(spread * normals(seed, vocabulary + 1, vocabulary))

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return self.table.shape[1]

    def contexts(self, answers: Answers) -> Int[Tensor, " scored"]:
        """The row that each token is drawn from, end to end."""
        first = torch.full((len(answers), 1), self.vocabulary)
        return torch.cat([first, answers[:, :-1]], dim=1).flatten()

    def log_probs(self, answers: Answers) -> Float[Tensor, "scored vocabulary"]:
        """Of all tokens at every position, nats."""
        return torch.log_softmax(self.table, dim=-1)[self.contexts(answers)]

    @torch.no_grad()
    def sample(self, count: int, length: int, seed: int) -> Answers:
        """Answers of a common length."""
        generator = torch.Generator().manual_seed(seed)
        rows, table = torch.full((count,), self.vocabulary), torch.softmax(self.table, dim=-1)
        found = []
        for _ in range(length):
            rows = torch.multinomial(table[rows], 1, generator=generator)[:, 0]
            found.append(rows)
        return torch.stack(found, dim=1)

    def states(self, answers: Answers) -> Float[Tensor, "layers scored hidden"]:
        """The row of every position, one-hot, as embeddings and as the state of each of four layers."""
        rows = nn.functional.one_hot(self.contexts(answers), self.vocabulary + 1)
        return rows.double().expand(1 + LAYERS, -1, -1)


@dataclass(frozen=True)
class Setting:
    """What an objective on whole distributions is evaluated in.

    Attributes:
        reference: the starting policy.
        answers: pairs laid out as chosen 0, rejected 0, chosen 1, …; or whatever the batch says.
        models: other models, by the names that comparisons have for them.
        masks: learned masks, by name; a mask that is missing is 1.
    """

    reference: Chain
    answers: Answers
    models: Mapping[str, Chain] = field(default_factory=dict)
    masks: Mapping[str, LearnedMask] = field(default_factory=dict)

    def scores(self, policy: Chain, names: Iterable[str]) -> Scores:
        """Scores of the answers, with what the objective derives."""
        own = policy.log_probs(self.answers)
        with torch.no_grad():
            reference = self.reference.log_probs(self.answers)
        count, length = self.answers.shape
        sequence = torch.arange(count).repeat_interleave(length)
        written = self.answers.flatten()[:, None]
        derived = {name: self._derived(name, own, sequence) for name in names}
        return Scores(
            own.gather(1, written)[:, 0], sequence, count, reference.gather(1, written)[:, 0], derived=derived
        )

    def _derived(self, name: str, own: Tensor, sequence: Tensor) -> Tensor:
        functional = FUNCTIONALS.get(name.partition(":")[0])
        if functional is not None:
            models = {"reference": self.reference, **self.models}
            with torch.no_grad():
                others = [models[model].log_probs(self.answers) for model in compared_models(name)]
            found: Tensor = functional(own, *others)
            return found
        if name == "mask:activation":
            return activation_mask(self.reference.states(self.answers), sequence)
        if name in self.masks:
            learned: Tensor = self.masks[name](self.reference.states(self.answers), sequence)
            return learned
        return torch.ones_like(own[:, 0])


def derived_names(objective: Objective) -> list[str]:
    """Names of the derived values that an objective asks for."""
    return sorted(name.removeprefix("derived:") for name in objective.requires if name.startswith("derived:"))


def learned_masks(objective: Objective, reference: Chain, seed: int) -> dict[str, LearnedMask]:
    """The masks that an objective learns, as they start, without dropout."""
    torch.manual_seed(seed)
    return {
        name: LearnedMask(LAYERS, reference.vocabulary + 1).double().eval()
        for name in derived_names(objective)
        if name.startswith("mask:") and name != "mask:activation"
    }


def train(
    objective: Objective,
    setting: Setting,
    batch: Batch,
    *,
    steps: int,
    rate: float = 0.02,
    until: Callable[[Chain], bool] | None = None,
) -> Chain:
    """Adam on the whole batch, from the reference; learned masks are trained along, in place.

    Args:
        objective: what to minimise.
        setting: the world.
        batch: roles of its answers.
        steps: number of steps at most.
        rate: step size.
        until: asked after every step whether that is enough.
    """
    policy = Chain(setting.reference.table)
    parameters = [*policy.parameters(), *(p for mask in setting.masks.values() for p in mask.parameters())]
    optimizer = torch.optim.Adam(parameters, lr=rate)
    names = derived_names(objective)
    for _ in range(steps):
        optimizer.zero_grad()
        objective(setting.scores(policy, names), batch).loss.backward()
        optimizer.step()
        if until is not None and until(policy):
            break
    return policy
