"""A frozen language model that turns prompts and answers into vectors: the mean of its last states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from truing.data.records import Records
from truing.data.text import TextEncoder
from truing.policies.causal import CausalPolicy
from truing.policies.fingerprint import of_parameters
from truing.policies.loading import load_model, load_tokenizer
from truing.policies.packing import Tree
from truing.rewards.personal.comparisons import Comparisons
from truing.training.examples import ExampleData

_Tokens = tuple[int, ...]


@dataclass(frozen=True)
class FrozenEncoder:
    """Mean states under a model that is not trained.

    Attributes:
        name: hub name or folder.
        policy: the model.
    """

    name: str
    policy: CausalPolicy

    @classmethod
    def load(cls, name: str) -> FrozenEncoder:
        """Load a language model.

        Raises:
            ModelError: if it is none.
        """
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return cls(name, CausalPolicy(load_model(name, device=device), load_tokenizer(name)))

    @property
    def fingerprint(self) -> str:
        """Of the weights."""
        return of_parameters(self.policy.inner)

    def examples(
        self, records: Records, *, max_length: int | None = None, chat_template: str | None = None
    ) -> ExampleData:
        """Records as this model's tokens."""
        encoder = TextEncoder(self.policy.tokenizer, max_length=max_length, chat_template=chat_template)
        return ExampleData(encoder.encode(records).dataset, records.kind)

    def answers(self, trees: Sequence[Tree]) -> Float[Tensor, "answers width"]:
        """Of every answer, in order: the mean of the states that predict its tokens, float32."""
        return self._means([(tuple(tree.prompt), tuple(branch)) for tree in trees for branch in tree.branches])

    def prompts(self, trees: Sequence[Tree]) -> Float[Tensor, "prompts width"]:
        """Of every prompt: the mean of its states, float32."""
        # States count where a token follows, so that one stands after the prompt; which one has no effect.
        return self._means([(tuple(tree.prompt[:1]), (*tree.prompt[1:], tree.prompt[0])) for tree in trees])

    def comparisons(self, records: Records, examples: ExampleData) -> Comparisons:
        """Pairs as vectors, with the names of who labelled them.

        Args:
            records: of kind ``pairs``, with a column ``annotator`` that every row fills.
            examples: the same, tokenised; rows that could not be may be absent.
        """
        users = dict(zip(map(str, records.dataset["id"]), records.dataset["annotator"], strict=True))
        own = [users[str(row["id"])] for row in examples.take(range(len(examples)))]
        return self.labelled(own, examples)

    def labelled(self, users: Sequence[str], examples: ExampleData) -> Comparisons:
        """Tokenised pairs as vectors, labelled by these users."""
        trees = examples.trees(range(len(examples)))
        answers = self.answers(trees)
        return Comparisons.of(users, answers[0::2], answers[1::2], self.prompts(trees))

    def _means(self, texts: Sequence[tuple[_Tokens, _Tokens]]) -> Tensor:
        """Mean states of the second parts after the first; each text is read once, however often it stands here."""
        after: dict[_Tokens, dict[_Tokens, None]] = {}
        for first, second in texts:
            after.setdefault(first, {})[second] = None
        trees = [Tree(first, list(seconds)) for first, seconds in after.items()]
        unique = [(first, second) for first, seconds in after.items() for second in seconds]
        lengths = torch.tensor([len(second) for _, second in unique])
        with self.policy.evaluating():
            means = (self.policy.hidden(trees) / lengths[:, None]).float()
        places = {text: number for number, text in enumerate(unique)}
        return means[[places[text] for text in texts]]
