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
from truing.policies.loading import load_tokenizer, resolve
from truing.policies.packing import Tree
from truing.policies.precision import Precision
from truing.policies.reward_loading import load_reward_model
from truing.policies.values import RewardPolicy
from truing.rewards.models.form import RewardForm, check_width, form_of


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

        Raises:
            ModelError: if it is none, or nothing says which of several outputs is the reward.
        """
        folder = resolve(name)
        tokenizer = load_tokenizer(folder)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model = load_reward_model(folder, device=device)
        policy = RewardPolicy(model, tokenizer, precision=precision)
        form = form_of(folder)
        check_width(form, policy.width, name)
        return cls(name, policy, form)

    def encode(
        self, records: Records, *, max_length: int | None = None, chat_template: str | None = None
    ) -> Encoded:
        """Records as this model's tokens.

        Raises:
            DataError: if a template is needed and there is none.
        """
        return TextEncoder(self.policy.tokenizer, max_length=max_length, chat_template=chat_template).encode(
            records
        )

    def values(self, trees: Sequence[Tree]) -> list[Float[Tensor, "answers width"]]:
        """Head outputs of every answer, one tensor a prompt."""
        found = self.policy.values(trees)
        return list(found.split([len(tree.branches) for tree in trees]))

    def pair_rewards(self, trees: Sequence[Tree]) -> Float[Tensor, "pairs two"]:
        """Rewards of each tree's two answers; their difference is the log-odds that the first is preferred."""
        return torch.stack([self.form.levels(values.double()) for values in self.values(trees)])

    def columns(self, trees: Sequence[Tree]) -> list[Float[Tensor, "answers columns"]]:
        """All rewards of each answer, one tensor a prompt; see :meth:`RewardForm.columns`."""
        return [self.form.columns(values.double()) for values in self.values(trees)]

    def rewards(self, trees: Sequence[Tree]) -> list[Float[Tensor, " answers"]]:
        """One number an answer, one tensor a prompt; see :meth:`RewardForm.rewards`."""
        return [self.form.rewards(values.double()) for values in self.values(trees)]
