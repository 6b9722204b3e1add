"""Where an aligned model departs from its base, token by token (URIAL's analysis, 2312.01552 section 2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.diagnostics.audit import audit
from truing.errors import TruingError
from truing.registry import Paper
from truing.statistics import Estimate, pooled_mean, pooled_share

MARGINAL = 3
"""Highest rank in the base that is not shifted."""
_LISTED = 30


@dataclass(frozen=True)
class Ranked:
    """One answer of the aligned model under both models; arrays of shape ``[tokens]``.

    Attributes:
        tokens: ids.
        rank: 1 + how many tokens are likelier in the base.
        last: the rank if it stood behind all tokens that are exactly as likely.
        kl: KL(aligned ‖ base), nats.
        base, aligned: probability of the token under both.
    """

    tokens: Int[np.ndarray, " tokens"]
    rank: Int[np.ndarray, " tokens"]
    last: Int[np.ndarray, " tokens"]
    kl: Float[np.ndarray, " tokens"]
    base: Float[np.ndarray, " tokens"]
    aligned: Float[np.ndarray, " tokens"]


@dataclass(frozen=True)
class AtPositions:
    """Tokens at a range of positions within answers, from 1. Numbers are means over its tokens.

    Attributes:
        first, last: of the range.
        shifted: share of shifted tokens.
        kl: nats per token; intervals are over the answers that reach the range.
        base: probability of the aligned model's token in the base.
    """

    first: int
    last: int
    shifted: Estimate
    kl: Estimate
    base: Estimate

    @property
    def label(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


@dataclass(frozen=True)
class ShiftedToken:
    """One token of the vocabulary.

    Attributes:
        token: id.
        count: how often the aligned model wrote it.
        shifted: how often it was shifted there.
        base_rate: its share among all tokens of the answers; its share among shifted ones is this times ``lift``.
        lift: its share among shifted tokens, divided by its share among all.
    """

    token: int
    count: int
    shifted: int
    base_rate: float
    lift: float


@dataclass(frozen=True)
class TokenShift:
    """What became of tokens: means over the tokens of all answers, so that a long answer counts for more.

    Intervals are over answers, whose tokens are not independent; every ``n`` counts answers.

    Attributes:
        tokens: of all answers.
        unshifted, marginal, shifted: shares of rank 1, of 2 and 3, and of those beyond.
        undecided: share of tokens whose class depends on how ties are broken.
        kl: nats per token.
        base: mean probability, per token, in the base of what the aligned model wrote.
        positions: by position.
        most_shifted: tokens that are shifted most often.
    """

    tokens: int
    unshifted: Estimate
    marginal: Estimate
    shifted: Estimate
    undecided: Estimate
    kl: Estimate
    base: Estimate
    positions: tuple[AtPositions, ...]
    most_shifted: tuple[ShiftedToken, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def ranked(
    aligned: Float[Tensor, "tokens vocabulary"],
    base: Float[Tensor, "tokens vocabulary"],
    tokens: Int[Tensor, " tokens"],
) -> Ranked:
    """Ranks and distances of one answer, from log-probabilities of all tokens at its positions, nats."""
    ids = tokens[:, None]
    own, theirs = aligned.gather(1, ids), base.gather(1, ids)
    share = aligned.exp()
    # What the aligned model never says counts nothing, whatever the base thinks of it.
    kl = torch.where((share == 0) | (aligned == base), 0.0, share * (aligned - base)).sum(1)
    columns = {
        "tokens": tokens,
        "rank": 1 + (base > theirs).sum(1),
        "last": (base >= theirs).sum(1),
        "kl": kl.clamp(min=0.0),
        "base": theirs[:, 0].exp(),
        "aligned": own[:, 0].exp(),
    }
    return Ranked(**{name: column.cpu().numpy() for name, column in columns.items()})


@audit(
    name="token-shift",
    slug="urial",
    paper=Paper(
        "The Unlocking Spell on Base LLMs: Rethinking Alignment via In-Context Learning", 2023, "2312.01552"
    ),
    summary="Says at which tokens an aligned model departs from its base, and which tokens these are.",
    formula="η_t = rank of y_t in base(· | x, y_<t);  unshifted η = 1, marginal 1 < η ≤ 3, shifted η > 3",
    legend=(
        "y: greedy answer of the aligned model to x, in its own template",
        "η_t: 1 where the base would have written the same token",
        "KL_t: Σ_z aligned(z)·log(aligned(z)/base(z)) at position t, nats",
    ),
    use_when="Before alignment by prompts, to see how much of it is style that a prompt can give; after "
    "training, to see "
    "whether knowledge moved or manner.",
    avoid_when="The two models have different tokenizers, or are asked in templates that they do not share: "
    "ranks at the "
    "first tokens then tell about templates.",
    requires=("an aligned model", "its base"),
    cost="one greedy answer of the aligned model and one forward pass of both for each prompt",
)
def token_shift(aligned: Any, base: Any, tokens: Any) -> TokenShift:
    """Classes, distances and positions of the aligned model's tokens.

    Args:
        aligned, base: for each answer the log-probabilities of all tokens at each of its positions, nats,
            ``[tokens, vocabulary]``.
        tokens: for each answer the ids that were written, ``[tokens]``.

    Raises:
        TruingError: on shapes that do not go together, or without any token.
    """
    if not len(aligned) == len(base) == len(tokens):
        raise TruingError(
            f"{len(aligned)} answers under the aligned model, {len(base)} under the base, and {len(tokens)} of "
            "tokens",
            allowed="the same answers",
        )
    found = []
    for place, given in enumerate(zip(aligned, base, tokens, strict=True)):
        own, theirs, ids = (torch.as_tensor(np.asarray(part)) for part in given)
        if own.ndim != 2 or own.shape != theirs.shape or ids.shape != own.shape[:1]:
            raise TruingError(
                f"answer {place} has log-probabilities of shapes {list(own.shape)} and {list(theirs.shape)} for "
                f"{list(ids.shape)} tokens",
                allowed="[tokens, vocabulary] for both models, of one vocabulary",
                fix="compare models that share a tokenizer",
            )
        found.append(ranked(own, theirs, ids.long()))
    return summary(found)


def summary(answers: Sequence[Ranked]) -> TokenShift:
    """What ranks of many answers say together.

    Raises:
        TruingError: without any token.
    """
    kept = [answer for answer in answers if len(answer.tokens)]
    if not kept:
        raise TruingError("the aligned model wrote no tokens", fix="ask it something it answers")
    lengths = np.array([len(answer.tokens) for answer in kept])

    def share(flags: Sequence[np.ndarray]) -> Estimate:
        return pooled_share([float(flag.sum()) for flag in flags], lengths)

    return TokenShift(
        int(lengths.sum()),
        share([answer.rank == 1 for answer in kept]),
        share([(answer.rank > 1) & (answer.rank <= MARGINAL) for answer in kept]),
        share([answer.rank > MARGINAL for answer in kept]),
        share([_class(answer.rank) != _class(answer.last) for answer in kept]),
        pooled_mean([float(answer.kl.sum()) for answer in kept], lengths),
        share([answer.base for answer in kept]),
        tuple(_positions(kept)),
        tuple(_most_shifted(kept)),
    )


def _class(rank: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.digitize(rank, [2, MARGINAL + 1])
    return found


def _positions(answers: Sequence[Ranked]) -> list[AtPositions]:
    """Positions 1, 2, 3–4, 5–8, …; those that fewer than two answers reach are left out."""
    longest = max(len(answer.tokens) for answer in answers)
    found, first, last = [], 1, 1
    while first <= longest:
        part = slice(first - 1, last)
        reach = [answer for answer in answers if len(answer.tokens) >= first]
        if len(reach) >= 2:
            counts = [len(answer.rank[part]) for answer in reach]
            flags = [float((answer.rank[part] > MARGINAL).sum()) for answer in reach]
            kl = pooled_mean([float(answer.kl[part].sum()) for answer in reach], counts)
            base = pooled_share([float(answer.base[part].sum()) for answer in reach], counts)
            found.append(AtPositions(first, min(last, longest), pooled_share(flags, counts), kl, base))
        first, last = last + 1, 2 * last
    return found


def _most_shifted(answers: Sequence[Ranked]) -> list[ShiftedToken]:
    written = Counter(int(token) for answer in answers for token in answer.tokens)
    moved = Counter(int(token) for answer in answers for token in answer.tokens[answer.rank > MARGINAL])
    everything, shifted = written.total(), moved.total()
    return [
        ShiftedToken(
            token,
            written[token],
            count,
            written[token] / everything,
            (count / shifted) / (written[token] / everything),
        )
        for token, count in sorted(moved.items(), key=lambda item: (-item[1], item[0]))[:_LISTED]
    ]
