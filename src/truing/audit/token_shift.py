"""Two models on the same questions: ranks, in the base, of what the aligned model writes (2312.01552)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from truing.diagnostics.token_shift import Ranked, ShiftedToken, TokenShift, ranked, summary
from truing.errors import ModelError
from truing.policies.generation import Sampling, generate
from truing.policies.head import chunks
from truing.policies.packing import Tree, partition
from truing.prompting.answering import FromPolicy
from truing.prompting.transform import Identity, PromptTransform, Shown
from truing.report.wording import measured, plural

if TYPE_CHECKING:
    from truing.policies.causal import CausalPolicy

BUDGET = 4096
"""Tokens in one forward pass."""


@dataclass(frozen=True)
class Audited:
    """What was found.

    Attributes:
        shift: the numbers.
        texts: of the tokens that are shifted most often, in their order.
        questions: how many were asked.
        empty: answers without a token.
        base, aligned: names of the models, with how they were asked.
    """

    shift: TokenShift
    texts: tuple[str, ...]
    questions: int
    empty: int
    base: str
    aligned: str

    @property
    def tokens(self) -> list[tuple[str, ShiftedToken]]:
        """Tokens that are shifted most often, with their texts."""
        return list(zip(self.texts, self.shift.most_shifted, strict=True))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        values = self.shift.as_dict()
        for text, row in zip(self.texts, values["most_shifted"], strict=True):
            row["text"] = text
        return {
            "base": self.base,
            "aligned": self.aligned,
            "questions": self.questions,
            "empty_answers": self.empty,
            **values,
        }

    def sentences(self) -> list[str]:
        """In words."""
        found = self.shift
        lines = [
            f"{plural(found.tokens, 'token')} of {plural(self.questions, 'greedy answer')} of {self.aligned}, "
            "ranked by "
            f"{self.base}; means are per token, intervals and n over answers",
            f"unshifted (the base's own choice): {measured(found.unshifted, share=True)}",
            f"marginal (its second or third): {measured(found.marginal, share=True)}",
            f"shifted (beyond; what alignment changed): {measured(found.shifted, share=True)}",
            f"KL from the base (0 where both agree): {measured(found.kl, 'nats per token')}",
            f"probability in the base of what was written, per token: {measured(found.base, share=True)}",
        ]
        if found.undecided.value > 0:
            lines.append(f"ties decide the class of {measured(found.undecided, share=True)} of tokens")
        if self.tokens:
            named = ", ".join(
                f"{text!r} ({token.shifted} of {token.count}; {token.lift:.1f} × its share of all tokens)"
                for text, token in self.tokens[:8]
            )
            lines.append(f"shifted most often: {named}")
        first, last = found.positions[0], found.positions[-1]
        if first is not last:
            lines.append(
                f"shifted at position {first.label}: {measured(first.shifted, share=True)}; at {last.label}: "
                f"{measured(last.shifted, share=True)}"
            )
        return lines


def audit_token_shift(
    base: CausalPolicy,
    aligned: CausalPolicy,
    asked: Sequence[Shown],
    *,
    base_way: PromptTransform | None = None,
    aligned_way: PromptTransform | None = None,
    max_new_tokens: int = 64,
    names: tuple[str, str] = ("base", "aligned"),
    progress: Callable[[int, int], None] | None = None,
) -> Audited:
    """Greedy answers of the aligned model, token by token under both.

    Args:
        base, aligned: models of one tokenizer.
        asked: the questions.
        base_way, aligned_way: how each is asked: its template, examples, instructions.
        max_new_tokens: longest answer.
        names: of both, for the report.
        progress: called with questions done and in all.

    Raises:
        ModelError: if the tokenizers differ, or a prompt leaves no room for an answer.
        ObjectiveError: if a model has no output head of its own.
    """
    same_tokenizer(base, aligned)
    ways = [way or Identity() for way in (base_way, aligned_way)]
    sampling = Sampling(max_new_tokens=max_new_tokens, temperature=0.0)
    prompts = [
        FromPolicy(policy, sampling).tokens(way(asked)) for policy, way in zip((base, aligned), ways, strict=True)
    ]
    answers = generate(aligned, prompts[1], sampling)
    kept = [place for place, answer in enumerate(answers) if answer]
    trees = [[Tree(own[place], [answers[place]]) for place in kept] for own in prompts]
    found: list[Ranked] = []
    for group in partition([max(base.cost(a), aligned.cost(b)) for a, b in zip(*trees, strict=True)], BUDGET):
        found += _ranked(base, aligned, *([part[i] for i in group] for part in trees))
        if progress:
            progress(len(found), len(kept))
    shift = summary(found)
    assert aligned.tokenizer is not None
    texts = tuple(str(aligned.tokenizer.decode([row.token])) for row in shift.most_shifted)
    told = [f"{name} ({way.name})" if way != Identity() else name for name, way in zip(names, ways, strict=True)]
    return Audited(shift, texts, len(asked), len(answers) - len(kept), *told)


@torch.no_grad()
def _ranked(
    base: CausalPolicy, aligned: CausalPolicy, base_trees: Sequence[Tree], aligned_trees: Sequence[Tree]
) -> list[Ranked]:
    found = []
    with base.evaluating(), aligned.evaluating():
        own, theirs = aligned.other(aligned_trees), base.other(base_trees)
    start = 0
    for tree in aligned_trees:
        tokens = torch.tensor(list(tree.branches[0]), device=own.hidden.device)
        parts = []
        for part in chunks(len(tokens), own.spec.vocabulary, own.hidden.device):
            rows = slice(start + part.start, start + part.stop)
            parts.append(ranked(own.log_probs(rows), theirs.log_probs(rows), tokens[part]))
        found.append(_joined(parts))
        start += len(tokens)
    return found


def _joined(parts: Sequence[Ranked]) -> Ranked:
    import numpy as np

    return Ranked(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])})


def same_tokenizer(base: CausalPolicy, aligned: CausalPolicy) -> None:
    """Check that tokens mean the same to both.

    Raises:
        ModelError: if they do not, or a tokenizer is missing.
    """
    if base.tokenizer is None or aligned.tokenizer is None:
        raise ModelError(
            "ranks of tokens need the tokenizers of both models", fix="pass tokenizer= to CausalPolicy"
        )
    own, theirs = (policy.tokenizer.get_vocab() for policy in (aligned, base))  # type: ignore[union-attr]
    apart = sorted({token for token, _ in own.items() ^ theirs.items()})
    if apart:
        raise ModelError(
            f"the tokenizers of the two models differ in {plural(len(apart), 'token')}, e.g. {apart[0]!r}",
            allowed="models of one tokenizer: ranks are those of tokens",
            fix="compare a model with the base that it was trained from",
        )
