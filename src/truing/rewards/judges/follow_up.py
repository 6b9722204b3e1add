"""Follow-up likelihood (2409.13948): an answer is good if a user's content reply would be likely after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from truing.data.tokenise import token_ids
from truing.errors import DataError, ModelError, ObjectiveError
from truing.parameters import Doc
from truing.registry import Paper
from truing.rewards.algebra import Prompt, Rewards
from truing.rewards.functions.prompt_text import transcript
from truing.rewards.judges.local import Folder, load_policy
from truing.rewards.method import reward

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy
    from truing.policies.packing import Tree

Form = Literal["difference", "negative", "odds"]

FormOf = Annotated[
    Form,
    Doc(
        "difference: mean of the positive minus mean of the negative; negative: minus the mean of the negative; "
        "odds: log-odds of the two kinds",
        "difference, negative or odds",
    ),
]
_REPLIES = (
    "replies of a user, each in a few words; about five to ten, chosen on a small set with known preferences"
)
Positive = Annotated[list[str], Doc("what a content user says next", _REPLIES)]
Negative = Annotated[list[str], Doc("what a user says next who is not content", _REPLIES)]
UserTurn = Annotated[
    str, Doc("what stands between answer and reply, for models without a chat template", "a text, e.g. a header")
]

# One for each group of the paper: help, clarity, relevance, correctness, safety, length.
POSITIVE = [
    "Thank you, that is just what I needed.",
    "That makes it clear to me.",
    "Yes, you answered my question.",
    "That is right.",
    "That was a considerate answer.",
]
NEGATIVE = [
    "That does not help me.",
    "I do not understand what you mean. Can you explain it?",
    "That is not what I asked.",
    "That is wrong.",
    "You should not have said that.",
    "That is far too long. Can you keep it short?",
]
_MARK = "Qx7Zreply"


@dataclass(frozen=True)
class FollowUps:
    """Likelihood of replies under a language model; prompt and answer are the trunk, the replies its branches.

    Args:
        policy: the model, with its tokenizer.
        positive, negative: replies.
        form: how their likelihoods make one number.
        user_turn: between answer and reply, where the tokenizer has no chat template.
    """

    policy: CausalPolicy
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    form: Form = "difference"
    user_turn: str = "\n\nUser: "
    names: tuple[str, ...] = ("follow-up-likelihood",)

    def __call__(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> Rewards:
        likelihoods = self.likelihoods(prompts, completions)
        good, bad = likelihoods.split([len(self.positive), len(self.negative)], 1)
        if self.form == "odds":
            values = good.logsumexp(1) - bad.logsumexp(1)
        elif self.form == "negative":
            values = -bad.mean(1)
        else:
            values = good.mean(1) - bad.mean(1)
        return Rewards.of(values, self.names)

    def likelihoods(
        self, prompts: Sequence[Prompt], completions: Sequence[str]
    ) -> Float[Tensor, "answers replies"]:
        """Mean log-probability of a token of each reply, nats, the positive ones first."""
        if not completions:
            return torch.zeros(0, len(self.positive) + len(self.negative), dtype=torch.float64)
        trees = [self.tree(prompt, completion) for prompt, completion in zip(prompts, completions, strict=True)]
        with self.policy.evaluating():
            scores = self.policy.score_all(trees)
        lengths = torch.tensor([len(branch) for tree in trees for branch in tree.branches], dtype=torch.float64)
        means = scores.total(scores.token_logps).double().cpu() / lengths
        return means.reshape(len(trees), -1)

    def tree(self, prompt: Prompt, completion: str) -> Tree:
        """Prompt, answer and the header of the user's turn, with every reply as a branch.

        Raises:
            ModelError: if there is no tokenizer.
            DataError: if the chat template cannot render the dialogue, or a reply has no tokens.
        """
        from truing.policies.packing import Tree

        tokenizer = self.policy.tokenizer
        if tokenizer is None:
            raise ModelError("follow-ups need the model's tokenizer", fix="pass tokenizer= to CausalPolicy")
        head = self._head(tokenizer, prompt, completion)
        trunk, *wholes = token_ids(
            tokenizer, [head, *(head + reply for reply in (*self.positive, *self.negative))]
        )
        # Tokens that reach over the border belong to the reply.
        shared = min(_common(trunk, whole) for whole in wholes)
        branches = [whole[shared:] for whole in wholes]
        if not shared or not all(branches):
            raise DataError("a follow-up has no tokens of its own after the answer", fix="give it some words")
        return Tree(trunk[:shared], branches)

    def _head(self, tokenizer: Any, prompt: Prompt, completion: str) -> str:
        """Everything before the reply."""
        if not getattr(tokenizer, "chat_template", None):
            return f"{tokenizer.bos_token or ''}{transcript(prompt)}{completion}{self.user_turn}"
        import jinja2

        messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
        dialogue = [
            *messages,
            {"role": "assistant", "content": completion},
            {"role": "user", "content": _MARK},
        ]
        try:
            text = str(tokenizer.apply_chat_template(dialogue, tokenize=False))
        except (jinja2.TemplateError, TypeError, ValueError, KeyError) as error:
            raise DataError(f"the chat template refuses a dialogue with a reply: {error}") from None
        return text[: text.rindex(_MARK)]


def _common(left: Sequence[int], right: Sequence[int]) -> int:
    """Tokens that both begin with."""
    same = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        same += 1
    return same


@reward(
    name="follow-up-likelihood",
    slug="follow-up-likelihood",
    paper=Paper("Aligning Language Models Using Follow-up Likelihood as Reward Signal", 2024, "2409.13948"),
    summary="How much likelier a language model finds the reply of a content user than that of one who is not.",
    formula="R = mean_{f∈F+} l(f) − mean_{f∈F−} l(f), l(f) = log p(f | x, y, user) / |f|",
    legend=(
        "F+, F−: replies of content users, and of others",
        "l(f): mean log-probability of the reply's tokens, after prompt, answer and the header of the user's "
        "turn, nats",
    ),
    use_when="There are no preferences and no judge, but a chat model that has seen people react; or to mine "
    "pairs from an own policy's answers.",
    avoid_when="The model has seen no replies of users, as a model for single turns has not. Choose replies on "
    "a few labelled pairs, and look at the correlation of the reward with length.",
    requires=("a language model of dialogues",),
    cost="one forward pass over prompt and answer, and one over each reply's tokens; the replies share the trunk",
    aliases=("flr",),
)
def follow_up_likelihood(
    model: Folder = None,
    positive: Positive = POSITIVE,
    negative: Negative = NEGATIVE,
    form: FormOf = "difference",
    user_turn: UserTurn = "\n\nUser: ",
) -> FollowUps:
    """2409.13948. The difference takes away what a reply is worth by itself; how it aggregates is partly inferred.

    Raises:
        ObjectiveError: without a model, or with too few replies.
        ModelError: if the model cannot be loaded.
    """
    if model is None:
        raise ObjectiveError("follow-up-likelihood has no model", allowed="a folder, or a hub name")
    lists = (positive, negative)
    if not all(lists) or not all(reply.strip() for replies in lists for reply in replies):
        raise ObjectiveError(
            "follow-ups need positive and negative replies, none of them empty", where="positive, negative"
        )
    return FollowUps(load_policy(model), tuple(positive), tuple(negative), form, user_turn)
