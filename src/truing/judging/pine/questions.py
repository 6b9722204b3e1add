"""Options of a question, and documents that answer one, read in no order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import DataError, ModelError
from truing.judging.pine.stretches import arranged, endings

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy
    from truing.policies.generation import Sampling
    from truing.policies.pine.invariant import PositionInvariant
    from truing.policies.pine.segments import Segments

_LEAD = "The answer is:"


@dataclass(frozen=True)
class Choice:
    """A question with options.

    Attributes:
        question: text.
        options: two or more texts, without letters or numbers.

    Raises:
        DataError: if there are fewer than two options, or one is empty.
    """

    question: str
    options: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.options) < 2 or not all(option.strip() for option in self.options):
            raise DataError(f"options {list(self.options)}", allowed="two texts or more, none of them empty")

    def segments(self, tokenizer: object, order: Sequence[int]) -> tuple[Segments, list[list[int]]]:
        """The prompt with its options in an order, and the tokens of each option as the answer, in their own order."""
        found = arranged(
            tokenizer,
            f"{self.question}\n\n",
            [f"- {self.options[number].strip()}\n" for number in order],
            "\nAnswer with one of these.",
            _LEAD,
        )
        return found, endings(tokenizer, found, _LEAD, [f" {option.strip()}" for option in self.options])


def choose(
    invariant: PositionInvariant, choice: Choice, order: Sequence[int] | None = None
) -> Float[Tensor, " options"]:
    """Log-probability per token of each option as the answer, nats.

    Args:
        invariant: the model.
        choice: the question.
        order: in which options are read, which has no effect.
    """
    prompt, answers = choice.segments(invariant.policy.tokenizer, order or range(len(choice.options)))
    return invariant.log_probs(prompt, answers) / torch.tensor([len(answer) for answer in answers])


def choose_in_order(policy: CausalPolicy, choice: Choice, order: Sequence[int]) -> Float[Tensor, " options"]:
    """The same by the model as it is, which reads the options one after the other."""
    from truing.policies.packing import Tree

    prompt, answers = choice.segments(policy.tokenizer, order)
    with policy.evaluating():
        scores = policy.score_all([Tree(prompt.ids, answers)])
    return scores.total(scores.token_logps).cpu() / torch.tensor([len(answer) for answer in answers])


def respond(
    invariant: PositionInvariant, questions: Sequence[tuple[str, Sequence[str]]], sampling: Sampling
) -> list[str]:
    """Answers from documents.

    Args:
        invariant: the model.
        questions: each with its documents, whose order has no effect.
        sampling: how answers are drawn.
    """
    tokenizer = invariant.policy.tokenizer
    if tokenizer is None:
        raise ModelError("answering needs the model's tokenizer", fix="pass tokenizer= to CausalPolicy")
    prompts = [
        arranged(
            tokenizer,
            "Documents:\n\n",
            [f"{document.strip()}\n\n" for document in documents],
            f"Answer from these documents.\n\nQuestion: {question}",
        )
        for question, documents in questions
    ]
    return [str(tokenizer.decode(ids, skip_special_tokens=True)) for ids in invariant.answers(prompts, sampling)]
