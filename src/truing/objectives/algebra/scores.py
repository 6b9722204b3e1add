"""What an objective sees: flat per-token log-probabilities, and which sequence plays which role.

Nothing here knows a model, a tokenizer or padding. ``N`` sequences with ``M`` completion tokens in total
are stored end to end; every reduction is a segment sum. The same two classes carry the scores of a
causal language model and those of a small tabular policy (one token a sequence).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypedDict, Unpack

import torch
from jaxtyping import Float, Int
from torch import Tensor

DataKind = Literal["pairs", "unpaired", "ranked", "demonstrations", "unwanted", "samples"]
"""What is said about answers: pairs, labels, scores, answers to imitate, answers to move away from, or nothing."""

PAIRS: frozenset[DataKind] = frozenset({"pairs"})
UNPAIRED: frozenset[DataKind] = frozenset({"unpaired"})
UNWANTED: frozenset[DataKind] = frozenset({"unwanted"})
SAMPLES: frozenset[DataKind] = frozenset({"samples"})
WITH_LIKED: frozenset[DataKind] = frozenset({"pairs", "unpaired", "ranked", "demonstrations"})
ANY_DATA: frozenset[DataKind] = WITH_LIKED | UNWANTED | SAMPLES


@dataclass(frozen=True)
class Scores:
    """Log-probabilities of ``N`` completions, end to end.

    Half-precision values are kept as float32, because a sum of hundreds of them would lose three digits, and
    everything but the policy is detached.

    Args:
        token_logps: policy log-probability of each completion token, nats, shape ``[M]``.
        sequence: which completion a token belongs to, ``0..N-1``, non-decreasing, shape ``[M]``.
        count: number of completions ``N``.
        reference: the reference model's log-probabilities at the same positions, shape ``[M]``.
        signals: further per-token values at the same positions that an objective asked for, e.g.
            ``"log_collision"``, the log of the sum over the vocabulary of squared probabilities.
        derived: further per-token values through which gradient flows, e.g. ``"kl:reference"``, the divergence of
            the policy's next-token distribution from the reference's, nats.
        states: mean of the policy's states over each completion, with gradient, shape ``[N, H]``.
        hidden: the states that predict each token, with gradient, shape ``[M, H]``.
        values: what a reward model's head says of each completion, with gradient, shape ``[N, K]``; the
            log-probabilities of such scores are 0 and mean nothing.
        drawn: log-probabilities at the same positions under the policy that drew the answers, shape ``[M]``; ``None``
            where that is the policy as it is.
        opponents: weighted mean of the log-probabilities at the same positions under a population of frozen policies,
            shape ``[M]``; ``None`` where the policy that drew the answers is the only opponent.
    """

    token_logps: Float[Tensor, " tokens"]
    sequence: Int[Tensor, " tokens"]
    count: int
    reference: Float[Tensor, " tokens"] | None = None
    signals: Mapping[str, Float[Tensor, " tokens"]] = field(default_factory=dict)
    derived: Mapping[str, Float[Tensor, " tokens"]] = field(default_factory=dict)
    states: Float[Tensor, "sequences hidden"] | None = None
    hidden: Float[Tensor, "tokens hidden"] | None = None
    values: Float[Tensor, "sequences outputs"] | None = None
    drawn: Float[Tensor, " tokens"] | None = None
    opponents: Float[Tensor, " tokens"] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "token_logps", _at_least_float32(self.token_logps))
        if self.reference is not None:
            object.__setattr__(self, "reference", _at_least_float32(self.reference.detach()))
        if self.drawn is not None:
            object.__setattr__(self, "drawn", _at_least_float32(self.drawn.detach()))
        if self.opponents is not None:
            object.__setattr__(self, "opponents", _at_least_float32(self.opponents.detach()))
        detached = {name: _at_least_float32(values.detach()) for name, values in self.signals.items()}
        object.__setattr__(self, "signals", detached)
        wide = {name: _at_least_float32(values) for name, values in self.derived.items()}
        object.__setattr__(self, "derived", wide)

    @classmethod
    def from_sequences(
        cls, policy: Sequence[Tensor] | Tensor, reference: Sequence[Tensor] | Tensor | None = None
    ) -> Scores:
        """Build scores from one 1-d tensor of token log-probabilities per sequence.

        A single 1-d tensor is read as ``N`` sequences of one token each (a tabular policy).
        """
        if isinstance(policy, Tensor):
            index = torch.arange(len(policy), device=policy.device)
            flat = None if reference is None else torch.as_tensor(reference)
            return cls(policy, index, len(policy), flat)
        values = torch.cat(list(policy))
        lengths = torch.tensor([len(p) for p in policy])
        sequence = torch.repeat_interleave(torch.arange(len(policy)), lengths).to(values.device)
        return cls(values, sequence, len(policy), None if reference is None else torch.cat(list(reference)))

    def total(self, values: Float[Tensor, " tokens"]) -> Float[Tensor, " sequences"]:
        """Sum per-token values over each sequence, shape ``[N]``.

        Summed in float64 where the device has it: a float32 sum of some hundred log-probabilities is off by 1e-5
        and more, and on a GPU by another amount every time.
        """
        wide = values if values.device.type == "mps" else values.double()
        zeros = torch.zeros(self.count, dtype=wide.dtype, device=values.device)
        return zeros.index_add(0, self.sequence, wide).to(values.dtype)

    @property
    def lengths(self) -> Float[Tensor, " sequences"]:
        """Number of completion tokens of each sequence, shape ``[N]``."""
        return self.total(torch.ones_like(self.token_logps.detach()))

    @property
    def position(self) -> Int[Tensor, " tokens"]:
        """Index of each token within its completion, from 0, shape ``[M]``."""
        starts = self.lengths.long().cumsum(0) - self.lengths.long()
        return torch.arange(len(self.sequence), device=self.sequence.device) - starts[self.sequence]

    @property
    def drawn_logps(self) -> Float[Tensor, " tokens"]:
        """Log-probabilities when the answers were drawn, detached."""
        return self.token_logps.detach() if self.drawn is None else self.drawn

    @property
    def opponent_logps(self) -> Float[Tensor, " tokens"]:
        """Weighted mean of the log-probabilities under the population, detached."""
        return self.drawn_logps if self.opponents is None else self.opponents

    def detach(self) -> Scores:
        """The same scores without their graph."""
        derived = {name: values.detach() for name, values in self.derived.items()}
        values = None if self.values is None else self.values.detach()
        return replace(self, token_logps=self.token_logps.detach(), derived=derived, values=values)


def _at_least_float32(values: Tensor) -> Tensor:
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


class Columns(TypedDict, total=False):
    """What records may bring along, see :class:`Batch`."""

    weight: Tensor | None
    margin: Tensor | None
    columns: Mapping[str, Tensor]


@dataclass(frozen=True)
class Batch:
    """Which sequence plays which role, and what the records say about it.

    For pairs, ``chosen[i]`` and ``rejected[i]`` are the two completions of pair ``i``. For unpaired
    feedback, ``chosen`` holds the desirable completions and ``rejected`` the undesirable ones, and their
    counts may differ. Demonstrations and unlabelled samples are all chosen, unwanted answers all rejected. For
    rankings, ``reward`` gives a number to every sequence and ``example`` says which
    sequences answer the same prompt.

    Args:
        example: the record that a sequence belongs to, ``0..E-1``, shape ``[N]``.
        examples: number of records ``E``; the loss is a mean over them.
        chosen: sequence numbers of chosen (or desirable) completions.
        rejected: sequence numbers of rejected (or undesirable) completions.
        paired: whether ``chosen[i]`` and ``rejected[i]`` answer the same prompt.
        weight: weight of each record in the mean, ``>= 0``, shape ``[E]``; a weight of 0 is the same as
            leaving the record out.
        margin: the record's own margin between chosen and rejected, reward units, shape ``[E]``.
        reward: a score of each sequence, shape ``[N]``; larger is better.
        columns: further per-record columns, by name.
        per_sequence: further columns of the sequences, by name, each of shape ``[N]``.
        versus: log-odds that each sequence is preferred to the first, second, ... of its record, shape ``[N, G]``;
            ``nan`` where there is none, or nothing is known.
        own: the sequences of the records themselves, where records have parts beside them; ``None`` for all.
        parts: roles of further sequences that come with the records, by the part's name: answers whose knowledge
            is to be kept, a rationale, the same pair without its reasoning. A part's batch counts the same
            ``N`` sequences and ``E`` records.
    """

    example: Int[Tensor, " sequences"]
    examples: int
    chosen: Int[Tensor, " chosen"]
    rejected: Int[Tensor, " rejected"]
    paired: bool = True
    weight: Float[Tensor, " examples"] | None = None
    margin: Float[Tensor, " examples"] | None = None
    reward: Float[Tensor, " sequences"] | None = None
    columns: Mapping[str, Tensor] = field(default_factory=dict)
    per_sequence: Mapping[str, Float[Tensor, " sequences"]] = field(default_factory=dict)
    versus: Float[Tensor, "sequences group"] | None = None
    own: Int[Tensor, " own"] | None = None
    parts: Mapping[str, Batch] = field(default_factory=dict)

    @classmethod
    def pairs(cls, count: int, *, reward: Tensor | None = None, **columns: Unpack[Columns]) -> Batch:
        """``count`` pairs laid out as chosen 0, rejected 0, chosen 1, rejected 1, ..."""
        index = torch.arange(count)
        return cls(index.repeat_interleave(2), count, 2 * index, 2 * index + 1, reward=reward, **columns)

    @classmethod
    def unpaired(cls, desirable: Sequence[bool] | Tensor, **columns: Unpack[Columns]) -> Batch:
        """One completion a record; ``desirable[i]`` says whether completion ``i`` was liked."""
        flags = torch.as_tensor(desirable, dtype=torch.bool)
        index = torch.arange(len(flags))
        return cls(index, len(flags), index[flags], index[~flags], paired=False, **columns)

    @classmethod
    def ranked(cls, sizes: Sequence[int], reward: Tensor, **columns: Unpack[Columns]) -> Batch:
        """Records with several scored completions; best and worst of each become chosen and rejected."""
        example = torch.repeat_interleave(torch.arange(len(sizes)), torch.as_tensor(sizes))
        chosen, rejected = [], []
        start = 0
        for size in sizes:
            block = reward[start : start + size]
            chosen.append(start + int(block.argmax()))
            rejected.append(start + int(block.argmin()))
            start += size
        return cls(
            example,
            len(sizes),
            torch.tensor(chosen),
            torch.tensor(rejected),
            reward=reward,
            **columns,
        )

    @classmethod
    def unwanted(cls, count: int, **columns: Unpack[Columns]) -> Batch:
        """One completion a record, all of them to be moved away from."""
        return cls.unpaired([False] * count, **columns)

    @classmethod
    def samples(cls, sizes: Sequence[int], **columns: Unpack[Columns]) -> Batch:
        """Records with one or several completions that nothing is said about; all of them count as chosen."""
        example = torch.repeat_interleave(torch.arange(len(sizes)), torch.as_tensor(sizes))
        index = torch.arange(len(example))
        return cls(example, len(sizes), index, index[:0], paired=False, **columns)

    def exchanged(self) -> Batch:
        """The same pairs with chosen and rejected exchanged, in parts that are pairs too; margins turn their sign."""
        reward = self.reward
        if reward is not None:
            pair, other = (
                torch.cat(sides) for sides in ((self.chosen, self.rejected), (self.rejected, self.chosen))
            )
            reward = reward.index_copy(0, pair, reward[other])
        return replace(
            self,
            chosen=self.rejected,
            rejected=self.chosen,
            margin=None if self.margin is None else -self.margin,
            reward=reward,
            parts={name: part.exchanged() if part.paired else part for name, part in self.parts.items()},
        )

    @property
    def sequences(self) -> Int[Tensor, " own"]:
        """The sequences of the records themselves, without those of their parts."""
        if self.own is not None:
            return self.own
        return torch.arange(len(self.example), device=self.example.device)

    @property
    def weights(self) -> Float[Tensor, " examples"]:
        """``weight``, detached, or ones."""
        if self.weight is not None:
            return self.weight.detach()
        return torch.ones(self.examples, device=self.example.device)

    def per_example(
        self, values: Float[Tensor, " selected"], sequences: Int[Tensor, " selected"]
    ) -> Float[Tensor, " examples"]:
        """Add values that belong to ``sequences`` up by record, shape ``[E]``."""
        zeros = torch.zeros(self.examples, dtype=values.dtype, device=values.device)
        return zeros.index_add(0, self.example[sequences], values)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch with its tensors on ``device``."""
        moved: dict[str, Any] = {k: v.to(device) for k, v in vars(self).items() if isinstance(v, Tensor)}
        columns = {name: values.to(device) for name, values in self.columns.items()}
        each = {name: values.to(device) for name, values in self.per_sequence.items()}
        parts = {name: part.to(device) for name, part in self.parts.items()}
        return replace(self, **moved, columns=columns, per_sequence=each, parts=parts)

    def reweighted(self, weight: Float[Tensor, " examples"]) -> Batch:
        """The same batch, its parts included, with every record's weight multiplied."""
        parts = {name: part.reweighted(weight) for name, part in self.parts.items()}
        return replace(self, weight=self.weights * weight.to(self.example.device), parts=parts)
