"""A judge in a local folder: the odds of "A" against "B" after a question, averaged over both orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from truing.errors import ModelError, ObjectiveError
from truing.parameters import Doc
from truing.rewards.algebra import Prompt
from truing.rewards.functions.parameters import Column
from truing.rewards.functions.prompt_text import transcript
from truing.rewards.judges.pairs import AgainstReference
from truing.rewards.judges.remote import Criteria
from truing.rewards.judges.wording import CRITERIA
from truing.rewards.plain import plain

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy
    from truing.policies.packing import Tree

Folder = Annotated[str | None, Doc("folder or hub name of the judge, or truing/tiny", "a causal language model")]

_QUESTION = """Question:
{question}

Answer A:
{first}

Answer B:
{second}

Which answer is better, A or B, judged by {criteria}?"""
_LEAD = "The better answer is Answer"


@dataclass(frozen=True)
class LocalJudge:
    """log P("A") − log P("B") where the first answer is A, minus the same where it is B, halved; nats.

    Whatever a model prefers about the letters or the places alone cancels.

    Args:
        policy: the judge, with its tokenizer.
        criteria: in words.
    """

    policy: CausalPolicy
    criteria: str = CRITERIA

    def compare(
        self, prompts: Sequence[Prompt], first: Sequence[str], second: Sequence[str]
    ) -> Float[Tensor, " pairs"]:
        """Log-odds that ``first[i]`` is the better answer to ``prompts[i]``.

        Raises:
            ModelError: if the tokenizer writes both letters with one token.
        """
        one, other = self.orders(prompts, first, second).unbind(1)
        return (one - other) / 2

    def orders(
        self, prompts: Sequence[Prompt], first: Sequence[str], second: Sequence[str]
    ) -> Float[Tensor, "pairs two"]:
        """Log-odds of "A" over "B", with ``first[i]`` as A, and as B; shape ``[N, 2]``."""
        trees = [
            self.tree(prompt, *answers)
            for prompt, own, other in zip(prompts, first, second, strict=True)
            for answers in ((own, other), (other, own))
        ]
        return letter_odds(self.policy, trees).reshape(-1, 2)

    def tree(self, prompt: Prompt, first: str, second: str) -> Tree:
        """The question which answer is better, with "A" for the first and "B" for the second as its two answers.

        Raises:
            ModelError: if there is no tokenizer, or it does not write both letters apart from the text before them.
        """
        asked = _QUESTION.format(question=transcript(prompt), first=first, second=second, criteria=self.criteria)
        return letter_tree(self.policy, asked)


def letter_odds(policy: CausalPolicy, trees: Sequence[Tree]) -> Float[Tensor, " trees"]:
    """Log-odds of the first branch over the second, nats; shape ``[len(trees)]``."""
    if not trees:
        return torch.zeros(0, dtype=torch.float64)
    with policy.evaluating():
        scores = policy.score_all(trees)
    logps = scores.total(scores.token_logps).double().cpu().reshape(-1, 2)
    return logps[:, 0] - logps[:, 1]


def letter_tree(
    policy: CausalPolicy, asked: str, letters: tuple[str, ...] = ("A", "B"), lead: str = _LEAD
) -> Tree:
    """A question that letters answer, which are its branches.

    Args:
        policy: with its tokenizer.
        asked: the question, as a user says it.
        letters: the answers.
        lead: how the reply begins, before the letter.

    Raises:
        ModelError: if there is no tokenizer, or it does not write the letters apart from the text before them.
    """
    from truing.data.tokenise import token_ids
    from truing.policies.packing import Tree

    tokenizer = policy.tokenizer
    if tokenizer is None:
        raise ModelError("a judge needs its tokenizer", fix="pass tokenizer= to CausalPolicy")
    if getattr(tokenizer, "chat_template", None):
        messages = [{"role": "user", "content": asked}]
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True) + lead
    else:
        text = f"{tokenizer.bos_token or ''}{asked}\n{lead}"
    # The letter's token may depend on the space before it, so that both are tokenised with what stands there.
    trunk, *branches = token_ids(tokenizer, [text, *(f"{text} {letter}" for letter in letters)])
    tails = [branch[len(trunk) :] for branch in branches]
    if (
        any(branch[: len(trunk)] != trunk for branch in branches)
        or not all(tails)
        or len(set(map(tuple, tails))) < len(tails)
    ):
        raise ModelError(
            f"the judge's tokenizer does not write {' and '.join(letters)} as tokens of their own after a text",
            fix="use another model as judge",
        )
    return Tree(trunk, tails)


@plain(
    kind="reward",
    name="model-judge",
    summary="How much a local model prefers an answer to the record's own: the odds of A against B, over both "
    "orders.",
)
def model_judge(
    model: Folder = None, column: Column = "answer", criteria: Criteria = CRITERIA
) -> AgainstReference:
    """½ [log P(A)/P(B) with the answer as A − the same with it as B], nats.

    Raises:
        ObjectiveError: without a model.
        ModelError: if it cannot be loaded.
    """
    if model is None:
        raise ObjectiveError(
            "model-judge has no model", allowed="a folder, or a hub name", fix="e.g. model: ./judge"
        )
    return AgainstReference(LocalJudge(load_policy(model), criteria), "model-judge", column)


def load_policy(name: str) -> CausalPolicy:
    """A model that judges, in evaluation mode.

    Raises:
        ModelError: if it cannot be loaded.
    """
    from truing.policies.causal import CausalPolicy
    from truing.policies.loading import load_model, load_tokenizer

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return CausalPolicy(load_model(name, device=device), load_tokenizer(name))
