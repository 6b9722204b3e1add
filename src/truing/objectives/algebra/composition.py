"""The composition of an objective: its terms, what they need, and changes of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from truing.errors import ObjectiveError
from truing.objectives.algebra import changes
from truing.objectives.algebra.ahead import LookAhead
from truing.objectives.algebra.columns import RecordValue
from truing.objectives.algebra.formula import scaled, summed
from truing.objectives.algebra.margins import Margin
from truing.objectives.algebra.parts import OnPart
from truing.objectives.algebra.scores import DataKind
from truing.objectives.algebra.sequence_scores import DivergenceName, SequenceScore, TokenWeights, log_ratio
from truing.objectives.algebra.symbols import legend
from truing.objectives.algebra.term import Term
from truing.objectives.algebra.weights import PairWeight


@dataclass(frozen=True)
class Composition:
    """What an objective is made of, and how another is made from it.

    Compositions add up and scale (``dpo() + 0.005 * nll()``) and have modifiers that return a changed copy
    (``dpo().robust(0.1)``). A modifier that would have no effect, or an effect on some comparisons only, raises
    instead of being ignored.

    Args:
        name: the name that it is registered and reported under.
        terms: coefficient and term, in order.
        reward: the score that is reported as implicit reward, times ``reward_scale``; ``None`` where answers are read
            under prompts of their own, so that no score of theirs compares.
        reward_scale: beta of the method; 1 for methods without one.
        ahead: where the gradient is taken, if not where the weights are; training obeys it, the loss itself does not
            know of it.
    """

    name: str
    terms: tuple[tuple[float, Term], ...]
    reward: SequenceScore | None = field(default_factory=log_ratio)
    reward_scale: float = 1.0
    ahead: LookAhead | None = None

    @property
    def requires(self) -> frozenset[str]:
        """What it needs beyond the policy's log-probabilities.

        ``"reference"``: the reference model's; ``"mismatched"``: scores of mismatched completions;
        ``"signal:x"``: the per-token signal x; ``"column:x"``: the column x of the records; ``"part:x"``: further
        sequences beside every record.
        """
        further = self.ahead.term.requires if self.ahead is not None else frozenset[str]()
        return further.union(*(term.requires for _, term in self.terms))

    @property
    def data(self) -> frozenset[DataKind]:
        """The data layouts that every term accepts.

        Raises:
            ObjectiveError: if no layout suits all terms.
        """
        common = frozenset.intersection(*(term.data for _, term in self.terms))
        if not common:
            needs = "; ".join(
                f"{term.text()} takes {', '.join(sorted(term.data)) or 'none'}" for _, term in self.terms
            )
            raise ObjectiveError(
                f"no data layout suits every part of objective {self.name!r}",
                allowed=needs,
                fix="combine objectives that take the same data, e.g. two for pairs",
            )
        return common

    @property
    def part_data(self) -> dict[str, frozenset[DataKind]]:
        """The parts that records must have beside them, and the data layouts that each may have.

        Raises:
            ObjectiveError: if two terms want a part in different layouts.
        """
        found: dict[str, frozenset[DataKind]] = {}
        further = {} if self.ahead is None else {self.ahead.part: self.ahead.term.data}
        for wanted in (further, *(term.part_data for _, term in self.terms)):
            for part, kinds in wanted.items():
                found[part] = found.get(part, kinds) & kinds
                if not found[part]:
                    raise ObjectiveError(
                        f"no data layout suits every use that objective {self.name!r} makes of the part {part!r}",
                        fix="combine objectives that take the same data there",
                    )
        return found

    @property
    def compares(self) -> bool:
        """Whether any term tells better from worse."""
        return any(term.compares for _, term in self.terms)

    @property
    def coupling(self) -> str:
        """What has to be scored without gradient first: ``"none"``, ``"auxiliary"`` or ``"batch"``."""
        found = {term.coupling for _, term in self.terms}
        return "batch" if "batch" in found else "auxiliary" if "auxiliary" in found else "none"

    @property
    def coupled(self) -> bool:
        """Whether one record's loss depends, with gradient, on other records of the batch."""
        return any(term.coupled for _, term in self.terms)

    def __add__(self, other: Self) -> Self:
        """The sum of both; implicit rewards are those of the first that compares answers."""
        first = self if self.compares or not other.compares else other
        if self.ahead is not None and other.ahead is not None:
            raise ObjectiveError(
                f"{self.name} and {other.name} both take their gradient a step ahead, and there is one gradient",
                fix="look ahead in one of them",
            )
        ahead = self.ahead or other.ahead
        return replace(first, name=f"{self.name}+{other.name}", terms=self.terms + other.terms, ahead=ahead)

    def __mul__(self, factor: float) -> Self:
        return replace(self, terms=tuple((factor * coefficient, term) for coefficient, term in self.terms))

    __rmul__ = __mul__

    def named(self, name: str) -> Self:
        """The same objective under another name."""
        return replace(self, name=name)

    def on(self, part: str) -> Self:
        """The same objective on a part of the records, e.g. ``nll().on("retain")``.

        Args:
            part: name of the part, see :class:`~truing.objectives.algebra.parts.OnPart`.
        """
        terms = tuple((coefficient, OnPart(part, term)) for coefficient, term in self.terms)
        return replace(self, name=f"{self.name}@{part}", terms=terms)

    def robust(self, flip_rate: float) -> Self:
        """De-bias comparisons for labels flipped at a known rate in (0, 0.5) (2403.00409, eq. 12).

        Raises:
            ObjectiveError: if the rate is out of bounds, or a comparison has no roles to exchange.
        """
        rate = _open_half("flip_rate", flip_rate)
        straight, swapped = (1 - rate) / (1 - 2 * rate), -rate / (1 - 2 * rate)
        return self._changed("de-biased", lambda term: changes.exchange(term, straight, swapped))

    def smoothed(self, eps: float) -> Self:
        """Smooth the label: (1 − eps) · loss + eps · loss of the exchanged pair, eps in (0, 0.5).

        Raises:
            ObjectiveError: if eps is out of bounds, or a comparison has no roles to exchange.
        """
        eps = _open_half("eps", eps)
        return self._changed("smoothed", lambda term: changes.exchange(term, 1 - eps, eps))

    def with_margin(self, margin: Margin) -> Self:
        """Subtract a further margin, in units of the score, from every gap.

        Raises:
            ObjectiveError: if a comparison has no gap, or a margin of this kind already.
        """
        return self._changed("given a margin", lambda term: changes.subtract(term, margin), inside=True)

    def weighted(self, weight: PairWeight) -> Self:
        """Weight the pairs of every comparison; likelihood terms keep their weight.

        Raises:
            ObjectiveError: if a comparison does not belong to a pair, or is weighted already.
        """
        return self._changed("weighted pair by pair", lambda term: changes.weigh(term, weight), inside=True)

    def matched(self, weight: RecordValue) -> Self:
        """Weight the disliked answers, so that their prompts are distributed as those of the liked ones.

        Raises:
            ObjectiveError: if a comparison does not take single answers that are liked or disliked.
        """
        return self._changed("matched", lambda term: changes.match_prompts(term, weight))

    def with_token_weights(self, tokens: TokenWeights) -> Self:
        """Weight the tokens in every score, and in the reported reward.

        Raises:
            ObjectiveError: if a score is not a sum over tokens, or the data layouts do not fit.
        """
        changed = self._changed(
            "weighted token by token", lambda term: changes.weigh_tokens(term, tokens), inside=True
        )
        reward = "none" if self.reward is None else changes.score_with_tokens(self.reward, tokens)
        return changed if isinstance(reward, str) else replace(changed, reward=reward)

    def with_divergence(self, name: DivergenceName, alpha: float = 0.5) -> Self:
        """Exchange the reverse KL behind every log-ratio for another f-divergence (2309.16240).

        Raises:
            ObjectiveError: if a comparison is not a difference of log-ratios of one prompt.
        """
        changed = self._changed(
            "given another divergence", lambda term: changes.diverge(term, name, alpha), inside=True
        )
        reward = "none" if self.reward is None else changes.score_with_divergence(self.reward, name, alpha)
        return changed if isinstance(reward, str) else replace(changed, reward=reward)

    def with_latent_order(self, start: float, momentum: float) -> Self:
        """Weigh each label by the reliability of its annotator, estimated by expectation maximisation (2509.24159).

        The whole loss is wrapped, likelihood terms included, because it is the loss of a pair and of the exchanged
        pair that say how probable a label is. Terms on a part stay outside, unless they compare pairs there.

        Args:
            start: reliability before the first batch, in (0.5, 1).
            momentum: weight of the past in its running average, in [0, 1).

        Raises:
            ObjectiveError: if a term is no mean over pairs, or looks at both orders already.
        """
        return replace(self, terms=changes.with_latent_order(self.name, self.terms, start, momentum))

    def _changed(self, done: str, change: Callable[[Term], Term | str], *, inside: bool = False) -> Self:
        return replace(self, terms=changes.every(self.name, self.terms, done, change, inside=inside))

    def text(self) -> str:
        """The loss of one record as a formula; :meth:`legend` explains its symbols."""
        body = summed([scaled(coefficient, term.text()) for coefficient, term in self.terms])
        return body if self.ahead is None else f"{body}, at {self.ahead.text()}"

    def legend(self) -> list[str]:
        """``"symbol: meaning"`` for every symbol in :meth:`text`, in a fixed order."""
        return legend(self.text())


def _open_half(name: str, value: float) -> float:
    if not 0 < value < 0.5:
        raise ObjectiveError(
            f"{name} = {value!r} cannot be used",
            allowed=f"0 < {name} < 0.5; at 0.5 labels carry no information, at 0 nothing changes",
        )
    return value
