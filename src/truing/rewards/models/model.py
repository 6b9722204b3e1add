"""A trained reward model, ready to score answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from truing.data.encoded import Encoded
from truing.data.records import Records
from truing.data.text import TextEncoder
from truing.errors import ModelError
from truing.policies.critiques import CritiquePolicy, load_critique_model, stored_head
from truing.policies.loading import load_tokenizer, resolve
from truing.policies.packing import Tree
from truing.policies.precision import Precision
from truing.policies.reward_loading import is_reward_model, load_reward_model
from truing.policies.values import RewardPolicy
from truing.rewards.models.form import RewardForm, check_width, form_of


@dataclass(frozen=True)
class Read:
    """What a reward model says of the answers to one prompt.

    Attributes:
        values: outputs of its head, one row an answer.
        critiques: what it wrote about each answer before; ``None`` for models that write nothing.
    """

    values: Float[Tensor, "answers width"]
    critiques: tuple[str, ...] | None = None


@dataclass(frozen=True)
class RewardModel:
    """A head on a body, and what its numbers mean.

    Attributes:
        name: as given.
        policy: scores trees of tokens.
        form: what the scores mean.
    """

    name: str
    policy: RewardPolicy
    form: RewardForm

    @classmethod
    def load(cls, name: str, *, precision: Precision = "auto") -> RewardModel:
        """Load a reward model: the ``model`` folder of a run, or any model for sequence classification.

        One that writes critiques comes as :class:`~truing.rewards.models.critiques.CritiqueModel`.

        Raises:
            ModelError: if it is none, or nothing says which of several outputs is the reward, or what is written
                before it.
        """
        folder = resolve(name)
        tokenizer = load_tokenizer(folder)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        form = form_of(folder)
        if form.lead:
            from truing.rewards.models.critiques import as_critic

            both = CritiquePolicy(load_critique_model(folder, device=device), tokenizer, precision=precision)
            return as_critic(cls(name, both, form))
        if not is_reward_model(folder) and stored_head(folder) is not None:
            raise ModelError(
                "this model has a reward head beside its output head, and nothing says what it writes before it scores",
                where=name,
                allowed="a folder with reward.json",
                fix="name the `model` folder of the run, not a checkpoint",
            )
        model = load_reward_model(folder, device=device)
        policy = RewardPolicy(model, tokenizer, precision=precision)
        check_width(form, policy.width, name)
        return cls(name, policy, form)

    @property
    def room(self) -> int:
        """Tokens that must stay free behind an answer."""
        return 0

    def encode(
        self, records: Records, *, max_length: int | None = None, chat_template: str | None = None
    ) -> Encoded:
        """Records as this model's tokens; what it writes behind an answer fits into ``max_length``, too.

        Raises:
            DataError: if a template is needed and there is none.
            ModelError: if ``max_length`` leaves no tokens for prompt and answer.
        """
        left = None if max_length is None else self.left_of(max_length)
        return TextEncoder(self.policy.tokenizer, max_length=left, chat_template=chat_template).encode(records)

    def left_of(self, max_length: int) -> int:
        """Tokens for prompt and answer out of ``max_length``.

        Raises:
            ModelError: if there are none.
        """
        if max_length < self.room + 2:
            raise ModelError(
                f"{max_length} tokens leave none for prompt and answer: critiques take up to {self.room}",
                where=self.name,
                allowed=f"max_length of {self.room + 2} or more",
            )
        return max_length - self.room

    def read(self, trees: Sequence[Tree]) -> list[Read]:
        """Head outputs of every answer, and what was written about it, by prompt."""
        found = self.policy.values(trees)
        return [Read(values) for values in found.split([len(tree.branches) for tree in trees])]

    def values(self, trees: Sequence[Tree]) -> list[Float[Tensor, "answers width"]]:
        """Head outputs of every answer, one tensor a prompt."""
        return [own.values for own in self.read(trees)]

    def pair_rewards(self, trees: Sequence[Tree]) -> Float[Tensor, "pairs two"]:
        """Rewards of each tree's two answers; their difference is the log-odds that the first is preferred."""
        return torch.stack([self.form.levels(values.double()) for values in self.values(trees)])

    def columns(self, trees: Sequence[Tree]) -> list[Float[Tensor, "answers columns"]]:
        """All rewards of each answer, one tensor a prompt; see :meth:`RewardForm.columns`."""
        return [self.form.columns(values.double()) for values in self.values(trees)]

    def rewards(self, trees: Sequence[Tree]) -> list[Float[Tensor, " answers"]]:
        """One number an answer, one tensor a prompt; see :meth:`RewardForm.rewards`."""
        return [self.form.rewards(values.double()) for values in self.values(trees)]


def gives_rewards(name: str) -> bool:
    """Whether a model has a reward head: one for sequence classification, or one beside its output head.

    Raises:
        ModelError: if ``name`` looks like a path and nothing is there.
    """
    return is_reward_model(name) or stored_head(name) is not None
