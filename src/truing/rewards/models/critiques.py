"""A reward model that writes a critique of an answer before it scores it (MM-RLHF, 2502.10391, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from jaxtyping import Float
from torch import Tensor

from truing.data.tokenise import token_ids
from truing.errors import ModelError
from truing.objectives.algebra.critiques import CRITIQUE
from truing.policies.critiques import CritiquePolicy
from truing.policies.generation import Sampling, generate
from truing.policies.packing import Tree
from truing.rewards.models.model import Read, RewardModel
from truing.training.examples import ExampleData


@dataclass(frozen=True)
class Drawing:
    """How critiques are drawn.

    Attributes:
        temperature: 0 writes the likeliest critique.
        max_new_tokens: of a critique; as long as the longest that the model learned from where it is ``None``.
        seed: of what is drawn.
    """

    temperature: float = 0.0
    max_new_tokens: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class CritiqueModel(RewardModel):
    """One body with two heads: the output head writes critiques, and the reward head scores answers that have one.

    Attributes:
        drawing: how critiques are drawn.
    """

    drawing: Drawing = Drawing()

    @property
    def longest(self) -> int:
        """Most tokens of a critique."""
        return self.drawing.max_new_tokens or self.form.critique_tokens

    @property
    def room(self) -> int:
        """Tokens that an answer leaves free behind it: for the lead and a critique."""
        return self.lead_length + self.longest

    @property
    def lead_length(self) -> int:
        """Tokens between an answer and its critique."""
        return len(self._lead)

    @property
    def _lead(self) -> list[int]:
        return token_ids(self.policy.tokenizer, [self.form.lead])[0]

    def read(self, trees: Sequence[Tree]) -> list[Read]:
        """Head outputs of every answer after a critique of it, and the critique, by prompt."""
        critiques = self.critiques(trees)
        values = self.scored(trees, critiques)
        tokenizer: Any = self.policy.tokenizer
        texts = [str(tokenizer.decode(own, skip_special_tokens=True)).strip() for own in critiques]
        found, start = [], 0
        for tree in trees:
            stop = start + len(tree.branches)
            found.append(Read(values[start:stop], tuple(texts[start:stop])))
            start = stop
        return found

    def critiques(self, trees: Sequence[Tree]) -> list[list[int]]:
        """A critique of each answer as tokens, in order."""
        asked = [[*tree.prompt, *branch, *self._lead] for tree in trees for branch in tree.branches]
        return generate(
            self.policy, asked, Sampling(self.longest, self.drawing.temperature, seed=self.drawing.seed)
        )

    def scored(self, trees: Sequence[Tree], critiques: Sequence[Sequence[int]]) -> Float[Tensor, "answers width"]:
        """Head outputs of each answer after the given critique of it; answers of a prompt share its tokens."""
        own = iter(critiques)
        whole = [
            Tree(tree.prompt, [[*branch, *self._lead, *next(own)] for branch in tree.branches]) for tree in trees
        ]
        return self.policy.values(whole)


def critique_model(name: str, drawing: Drawing) -> CritiqueModel:
    """Load a model that writes critiques, to draw them so.

    Raises:
        ModelError: if it cannot be loaded, or writes none.
    """
    found = RewardModel.load(name)
    if not isinstance(found, CritiqueModel):
        raise ModelError(
            "this reward model writes no critiques",
            where=name,
            allowed="reward models that were trained with critique-and-score",
            fix="use it as reward-model",
        )
    return replace(found, drawing=drawing)


def as_critic(model: RewardModel) -> CritiqueModel:
    """A reward model whose form says that it writes critiques, ready to write them."""
    assert isinstance(model.policy, CritiquePolicy)
    return CritiqueModel(model.name, model.policy, model.form)


def longest_critique(examples: ExampleData) -> int:
    """Tokens of the longest critique; 0 where there are none."""
    rows = examples.rows
    found = rows[CRITIQUE] if CRITIQUE in rows.column_names else [[0]]
    return int(max(max(own) for own in found))


def without_critiques(examples: ExampleData, lead: int) -> ExampleData:
    """The pairs as a model is asked about them: answers without lead and critique.

    Args:
        examples: with critiques.
        lead: tokens between answer and critique.
    """
    from datasets import Dataset

    rows = []
    for row in examples.rows:
        cut = [len(ids) - int(own) - lead for ids, own in zip(row["completion_ids"], row[CRITIQUE], strict=True)]
        answers = [ids[:end] for ids, end in zip(row["completion_ids"], cut, strict=True)]
        rows.append({**{name: row[name] for name in row if name != CRITIQUE}, "completion_ids": answers})
    return replace(examples, rows=Dataset.from_list(rows))
