"""Log-probabilities of right and wrong answers: what most metrics are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from truing.data.chat import ChatRenderer, resolve
from truing.data.row_encoder import RowEncoder
from truing.data.rows import assistant, user
from truing.data.token_tally import TokenTally
from truing.errors import DataError, ModelError
from truing.policies.causal import DEFAULT_SCORING_TOKENS, CausalPolicy
from truing.policies.packing import Tree
from truing.unlearning.items import Item


@dataclass(frozen=True)
class Encoded:
    """Questions as token ids.

    Attributes:
        items: the questions.
        prompts: token ids of each question, up to where the answer begins.
        branches: for each question the answer, its paraphrase if there is one, and the wrong answers; the token that
            ends an answer is part of it.
        content: tokens of each answer without those that end it.
    """

    items: Sequence[Item]
    prompts: list[list[int]]
    branches: list[list[list[int]]]
    content: list[int]

    def trees(self) -> list[Tree]:
        """A question as the trunk, all its answers as branches."""
        return [Tree(prompt, branches) for prompt, branches in zip(self.prompts, self.branches, strict=True)]

    def answers(self) -> list[Tree]:
        """A question with its right answer."""
        return [Tree(prompt, branches[:1]) for prompt, branches in zip(self.prompts, self.branches, strict=True)]


@dataclass(frozen=True)
class AnswerScores:
    """Log-probabilities of the tokens of all answers, nats.

    Attributes:
        items: the questions, ``N`` of them.
        answer: for each question, shape ``[tokens]`` each; the last token ends the answer.
        correct: for each token of ``answer``, whether it is the most likely one after those before it.
        content: tokens of each answer without those that end it.
        paraphrased: mean over the tokens of the paraphrase, or of the answer where there is none, shape ``[N]``.
        perturbed: mean over the tokens of each wrong answer, one array for each question.
    """

    items: Sequence[Item]
    answer: list[np.ndarray]
    correct: list[np.ndarray]
    content: list[int]
    paraphrased: np.ndarray
    perturbed: list[np.ndarray]

    @property
    def per_token(self) -> np.ndarray:
        """Mean log-probability of each right answer's tokens, nats, shape ``[N]``."""
        return np.array([float(tokens.mean()) for tokens in self.answer])


def encode(items: Sequence[Item], tokenizer: PreTrainedTokenizerBase, chat_template: str | None = None) -> Encoded:
    """Tokenise questions and answers as training does: a user asks, the assistant answers.

    Args:
        items: the questions.
        tokenizer: of the model.
        chat_template: for tokenizers that have none; see :class:`truing.data.text.TextEncoder`.

    Raises:
        DataError: if there is no chat template, or an answer comes to nothing.
    """
    renderer = ChatRenderer(tokenizer, None if chat_template is None else resolve(chat_template), None)
    rows: list[dict[str, Any]] = []
    for number, item in enumerate(items, start=1):
        others = [] if item.paraphrased_answer is None else [item.paraphrased_answer]
        said = [item.answer, *others, *item.perturbed_answer]
        rows.append(
            {"id": str(number), "prompt": user(item.question), "completions": [assistant(a) for a in said]}
        )
    tally = TokenTally()
    tokens = list(RowEncoder(tokenizer, renderer, None, None)(rows, "ranked", tally))
    if tally.dropped:
        reason, (_, ids) = next(iter(tally.dropped.items()))
        raise DataError(
            f"a question cannot be used: {reason}", where=f"question {ids[0]}: {items[int(ids[0]) - 1].question!r}"
        )
    special = set(tokenizer.all_special_ids)
    content = [_content(row.completions[0], special) for row in tokens]
    return Encoded(items, [row.prompt for row in tokens], [row.completions for row in tokens], content)


def score(policy: CausalPolicy, encoded: Encoded, *, budget: int = DEFAULT_SCORING_TOKENS) -> AnswerScores:
    """Score every answer of every question; the question runs through the model once.

    Args:
        policy: the model.
        encoded: the questions.
        budget: tokens in one forward pass.

    Raises:
        ModelError: if a log-probability is not a number, as after training that diverged.
    """
    with policy.evaluating():
        scores = policy.score_all(encoded.trees(), budget=budget, signals=("correct",))
    lengths = [len(branch) for branches in encoded.branches for branch in branches]
    ends = np.cumsum(lengths)[:-1]
    logps = np.split(scores.token_logps.double().cpu().numpy(), ends)
    correct = np.split(scores.signals["correct"].cpu().numpy() > 0, ends)
    means = np.array([part.mean() for part in logps])
    answer, hits, paraphrased, perturbed, place = [], [], [], [], 0
    for item, branches in zip(encoded.items, encoded.branches, strict=True):
        stop = place + len(branches)
        if np.isnan(means[place:stop]).any():
            raise ModelError(
                "the model's log-probabilities are not numbers",
                where=f"question {item.question!r}",
                fix="training has diverged: lower the learning rate, or stop earlier",
            )
        answer.append(logps[place])
        hits.append(correct[place])
        own = 0 if item.paraphrased_answer is None else 1
        paraphrased.append(means[place + own])
        perturbed.append(means[place + own + 1 : stop])
        place = stop
    return AnswerScores(encoded.items, answer, hits, encoded.content, np.array(paraphrased), perturbed)


def _content(tokens: Sequence[int], special: set[int]) -> int:
    """Tokens before the special ones at the end; at least one."""
    length = len(tokens)
    while length > 1 and tokens[length - 1] in special:
        length -= 1
    return length
