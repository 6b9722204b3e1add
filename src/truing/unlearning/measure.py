"""``measure``: everything about one model after unlearning, beside a model that never saw the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from transformers import PreTrainedTokenizerBase

from truing.errors import DataError
from truing.json_values import plain
from truing.policies.causal import CausalPolicy
from truing.statistics import Estimate
from truing.unlearning.metrics.forget_quality import ForgetQuality, forget_quality
from truing.unlearning.metrics.membership import ATTACKS, attack, auc, privacy_leak
from truing.unlearning.metrics.relearning import Attack, Relearning, relearn
from truing.unlearning.metrics.utility import model_utility
from truing.unlearning.sets import How, SetMeasures, measure_set
from truing.unlearning.suite import SETS, Suite

KEPT = ("retain", "real_authors", "world_facts")
"""Sets that the utility is about."""

CHOICES = ("real_authors", "world_facts")
"""Sets whose wrong answers are alternatives to choose from."""


@dataclass(frozen=True)
class ModelMeasures:
    """One model on all sets of a suite; made once, it can be compared with any number of others.

    Attributes:
        suite: the questions.
        how: settings.
        sets: metrics by the name of the set.
        relearning: ``None`` unless asked for.
    """

    suite: Suite
    how: How
    sets: dict[str, SetMeasures]
    relearning: Relearning | None = None


@dataclass(frozen=True)
class UnlearningReport:
    """What unlearning did.

    Attributes:
        model: the model that was made to forget, set by set.
        retrained: a model that was trained without the forget set; ``None`` if there was none.
        utility, utility_retrained: harmonic mean over what is to be kept; ``None`` without such sets.
        forget_quality: ``None`` without a retrained model or wrong answers.
        membership: area under the ROC curve of each attack; empty without a holdout set.
        privacy_leak: the same relative to the retrained model.
        notes: what was not measured, and why.
    """

    model: ModelMeasures
    retrained: ModelMeasures | None
    utility: Estimate | None
    utility_retrained: Estimate | None
    forget_quality: ForgetQuality | None
    membership: dict[str, Estimate]
    privacy_leak: dict[str, Estimate]
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; numbers that are not finite become ``None``."""
        found: dict[str, Any] = {
            "sets": {name: measured.as_dict() for name, measured in self.model.sets.items()},
            "utility": self.utility,
            "forget_quality": self.forget_quality,
            "membership": self.membership,
            "privacy_leak": self.privacy_leak,
            "relearning": self.model.relearning,
            "retrained": None,
            "settings": {"averaging": self.model.how.averaging, "max_new_tokens": self.model.how.max_new_tokens},
            "notes": self.notes,
        }
        if self.retrained is not None:
            found["retrained"] = {
                "sets": {name: measured.as_dict() for name, measured in self.retrained.sets.items()},
                "utility": self.utility_retrained,
                "relearning": self.retrained.relearning,
            }
        values: dict[str, Any] = plain(found)
        return values

    def sentences(self) -> list[str]:
        """The same in words, the most important first."""
        said = []
        if self.forget_quality is not None:
            q = self.forget_quality
            said.append(
                f"forget quality: p = {q.p_value:.3g}, D = {q.statistic:.2f} (95 % interval {q.low:.2f} to "
                f"{q.high:.2f}); {q.n} questions show a distance of {q.detectable:.2f} or more"
            )
        if self.utility is not None:
            said.append(f"utility: {_shown(self.utility)}")
        for name, measured in self.model.sets.items():
            for metric, value in measured.as_dict().items():
                said.append(f"{name} {metric}: {_shown(Estimate(**value))}")
        said += [f"membership, {name}: {_shown(value)}" for name, value in self.membership.items()]
        said += [f"privacy leak, {name}: {_shown(value)}" for name, value in self.privacy_leak.items()]
        if self.model.relearning is not None:
            r = self.model.relearning
            said.append(
                f"relearning {r.taught} answers raises the others by {_shown(r.change)}, to {r.after.value:.3f}"
            )
        return said + self.notes


def measure_model(
    policy: CausalPolicy,
    tokenizer: PreTrainedTokenizerBase,
    suite: Suite,
    *,
    how: How | None = None,
    relearning: Attack | None = None,
) -> ModelMeasures:
    """Measure one model by itself.

    Args:
        policy: the model; it is left as it was.
        tokenizer: of the model.
        suite: the questions.
        how: settings; see :class:`How`.
        relearning: also attack the model by teaching it a part of the forget set again.

    Raises:
        DataError: if the questions of a set cannot be used.
        ModelError: if the model gives no numbers.
    """
    chosen = how or How()
    sets = {
        name: measure_set(policy, tokenizer, getattr(suite, name), chosen, among=name in CHOICES, name=name)
        for name in SETS
        if getattr(suite, name)
    }
    attacked = None
    if relearning is not None:
        attacked = relearn(policy, sets["forget"].encoded, relearning, budget=chosen.budget)
    return ModelMeasures(suite, chosen, sets, attacked)


def measure(
    policy: CausalPolicy,
    tokenizer: PreTrainedTokenizerBase,
    suite: Suite,
    retrained: CausalPolicy | ModelMeasures | None = None,
    *,
    how: How | None = None,
    relearning: Attack | None = None,
) -> UnlearningReport:
    """Measure a model after unlearning.

    Args:
        policy: the model that was made to forget; it is left as it was.
        tokenizer: of both models.
        suite: the questions.
        retrained: a model that was trained without the forget set, or what :func:`measure_model` said about it.
        how: settings; see :class:`How`.
        relearning: also attack both models by teaching them a part of the forget set again.

    Raises:
        DataError: if the questions of a set cannot be used, or the retrained model was measured otherwise.
        ModelError: if a model gives no numbers.
    """
    own = measure_model(policy, tokenizer, suite, how=how, relearning=relearning)
    if isinstance(retrained, CausalPolicy):
        retrained = measure_model(retrained, tokenizer, suite, how=how, relearning=relearning)
    if retrained is not None and (retrained.suite != own.suite or retrained.how != own.how):
        raise DataError(
            "the retrained model was measured on other questions, or with other settings", where="retrained"
        )
    return compare(own, retrained)


def compare(own: ModelMeasures, retrained: ModelMeasures | None) -> UnlearningReport:
    """The report on a model that has been measured."""
    notes = []
    forget = own.sets["forget"]
    quality = None
    if retrained is None:
        notes.append("no forget quality: it compares with a model that was trained without the forget set")
    elif forget.log_truth_ratio is None:
        notes.append("no forget quality: the forget set has no wrong answers")
    else:
        other = retrained.sets["forget"].log_truth_ratio
        assert other is not None
        quality = forget_quality(forget.log_truth_ratio, other)
    utility = _utility(own)
    if utility is None:
        notes.append("no utility: there are no questions about what is to be kept")
    membership: dict[str, Estimate] = {}
    leak: dict[str, Estimate] = {}
    if "holdout" in own.sets:
        for name in ATTACKS:
            sides = [attack(name, own.sets[part].scores) for part in ("forget", "holdout")]
            membership[name] = auc(*sides)
            if retrained is not None:
                base = [attack(name, retrained.sets[part].scores) for part in ("forget", "holdout")]
                leak[name] = privacy_leak(*sides, *base)
    else:
        notes.append("no membership inference: it needs a holdout set that no model was trained on")
    return UnlearningReport(
        model=own,
        retrained=retrained,
        utility=utility,
        utility_retrained=None if retrained is None else _utility(retrained),
        forget_quality=quality,
        membership=membership,
        privacy_leak=leak,
        notes=notes,
    )


def _utility(measured: ModelMeasures) -> Estimate | None:
    kept = {name: measured.sets[name].utility_values for name in KEPT if name in measured.sets}
    return model_utility(kept) if kept else None


def _shown(value: Estimate) -> str:
    return f"{value.value:.3f} (95 % interval {value.low:.3f} to {value.high:.3f}, n = {value.n})"
