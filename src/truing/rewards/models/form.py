"""What the numbers of a reward head mean; kept as ``reward.json`` beside the model's weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from truing.data.critiques import LEAD
from truing.errors import ModelError
from truing.objectives.algebra import Objective
from truing.objectives.algebra.critiques import CRITIQUE
from truing.objectives.algebra.ratings import MeanRating, SquaredErrors
from truing.objectives.algebra.values import HeadValue, SkewValue, skew
from truing.objectives.algebra.zero_inflated import Heads, LogExpectedValue
from truing.writing import write_json

FILE = "reward.json"


@dataclass(frozen=True)
class RewardForm:
    """How head outputs become preferences.

    Attributes:
        kind: ``"scalar"``, one reward an answer; ``"skew"``, an embedding an answer, compared by a skew-symmetric form;
            ``"ratings"``, one number a respect; ``"zero-inflated"``, a distribution of a value that is often zero.
        scale: what a gap is multiplied by to give log-odds.
        unit: whether embeddings are divided by their length.
        objective: what the model was trained with; empty where that is not known.
        respects: what the outputs rate, where they are ratings.
        lead: text between an answer and the critique of it that the model writes before it scores; empty for models
            that write none.
        critique_tokens: of the longest critique that it learned from.
    """

    kind: Literal["scalar", "skew", "ratings", "zero-inflated"] = "scalar"
    scale: float = 1.0
    unit: bool = False
    objective: str = ""
    respects: tuple[str, ...] = ()
    lead: str = ""
    critique_tokens: int = 0

    @classmethod
    def of(cls, objective: Objective) -> RewardForm:
        """The form that an objective trains.

        Raises:
            ModelError: if it trains no reward model.
        """
        score = objective.reward
        if isinstance(score, SkewValue):
            return cls("skew", objective.reward_scale, score.unit, objective.name)
        if isinstance(score, MeanRating):
            terms = [term for _, term in objective.terms if isinstance(term, SquaredErrors)]
            return cls("ratings", objective.reward_scale, objective=objective.name, respects=terms[0].respects)
        if isinstance(score, LogExpectedValue):
            return cls("zero-inflated", objective=objective.name)
        if isinstance(score, HeadValue):
            lead = LEAD if CRITIQUE in objective.requires else ""
            return cls("scalar", objective.reward_scale, objective=objective.name, lead=lead)
        raise ModelError(f"objective {objective.name!r} trains no reward model")

    @property
    def says_odds(self) -> bool:
        """Whether gaps are log-odds of a preference; those of ratings and of expected values only give an order."""
        return self.kind in ("scalar", "skew")

    def log_odds(
        self, better: Float[Tensor, "*pairs width"], worse: Float[Tensor, "*pairs width"]
    ) -> Float[Tensor, "*pairs"]:
        """Log-odds that the first answer is preferred to the second, or, without :attr:`says_odds`, a gap."""
        if self.kind == "skew":
            return self.scale * skew(better, worse, unit=self.unit)
        return self._level(better) - self._level(worse)

    def _level(self, values: Float[Tensor, "*answers width"]) -> Float[Tensor, "*answers"]:
        """One number an answer by which answers are put in order."""
        if self.kind == "ratings":
            return self.scale * values.mean(-1)
        if self.kind == "zero-inflated":
            return Heads.of(values.reshape(-1, values.shape[-1])).picked.log_mean.reshape(values.shape[:-1])
        return self.scale * values[..., 0]

    def columns(self, values: Float[Tensor, "answers width"]) -> Float[Tensor, "answers columns"]:
        """The rewards of each answer: its ratings by respect, or the one that there is."""
        return self.scale * values if self.kind == "ratings" else self.rewards(values)[:, None]

    @property
    def names(self) -> tuple[str, ...]:
        """What the columns are called."""
        return self.respects if self.kind == "ratings" else ("reward-model",)

    def table(self, values: Float[Tensor, "answers width"]) -> Float[Tensor, "answers answers"]:
        """Log-odds of every answer against every other; minus its own transpose, 0 on the diagonal."""
        found = self.log_odds(values[:, None, :], values[None, :, :])
        return (found - found.T) / 2

    def rewards(self, values: Float[Tensor, "answers width"]) -> Float[Tensor, " answers"]:
        """One number an answer: its reward, or its mean log-odds against the others of the same prompt."""
        if self.kind == "skew":
            return self.table(values).sum(1) / max(1, len(values) - 1)
        return self._level(values).exp() if self.kind == "zero-inflated" else self._level(values)

    def levels(self, values: Float[Tensor, "answers width"]) -> Float[Tensor, " answers"]:
        """One number an answer, so that for two answers the difference is the log-odds of the preference.

        Under a skew-symmetric form it is the mean log-odds against all answers of the prompt, itself included.
        """
        return self.table(values).mean(1) if self.kind == "skew" else self._level(values)

    def save(self, folder: Path) -> None:
        write_json(folder / FILE, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> RewardForm:
        """Read ``reward.json``; a model without one gives a single reward.

        Raises:
            ModelError: if the file cannot be read.
        """
        path = folder / FILE
        if not path.exists():
            return cls()
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{**stored, "respects": tuple(stored.get("respects", ()))})
        except (ValueError, TypeError):
            raise ModelError("this is not what Truing writes beside a reward model", where=str(path)) from None


def form_of(name: str) -> RewardForm:
    """The form of a reward model by folder; of one on the hub, a single reward."""
    folder = Path(name).expanduser()
    return RewardForm.load(folder) if folder.is_dir() else RewardForm()


def check_width(form: RewardForm, width: int, where: str) -> None:
    """Raise where a head's outputs cannot have the form.

    Raises:
        ModelError: if a scalar form meets several outputs, or a skew form an odd number.
    """
    if form.kind == "scalar" and width != 1:
        raise ModelError(
            f"the model's head gives {width} numbers, and nothing says which of them is the reward",
            where=where,
            allowed="one output, or a model with reward.json beside it",
        )
    if form.kind == "ratings" and width != len(form.respects):
        raise ModelError(
            f"the model's head gives {width} numbers, and reward.json names {len(form.respects)} respects",
            where=where,
        )
    if form.kind == "zero-inflated" and width % 4:
        raise ModelError(f"heads of distributions have four outputs each, and there are {width}", where=where)
    if form.kind == "skew" and width % 2:
        raise ModelError(f"a skew-symmetric form needs an even number of outputs, not {width}", where=where)
