"""Preference strength (2401.06080): what an ensemble says of pairs that it was not fitted on, and repaired labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field
from scipy.special import expit

from truing.errors import DataError, ObjectiveError
from truing.parameters import POSITIVE, Doc
from truing.registry import Paper
from truing.rewards.evaluation.calibration import temperature
from truing.rewards.method import label_repair


@dataclass(frozen=True)
class Votes:
    """What the members say of every pair.

    Attributes:
        strength: mean of the members' gaps, divided by the temperature that makes σ of it the probability that a
            label agrees with the ensemble; log-odds of the label as it is, nats.
        spread: standard deviation of the members' gaps, on the same scale.
        temperature: what gaps were divided by.
    """

    strength: Float[np.ndarray, " pairs"]
    spread: Float[np.ndarray, " pairs"]
    temperature: float


@dataclass(frozen=True)
class Repairs:
    """What becomes of every label.

    Attributes:
        flipped: which labels are exchanged.
        soft: which are made uncertain.
        preference: probability that the chosen answer, after flips, is preferred; 1 unless ``soft``.
        margin: by how much the chosen answer should lead; 0 where ``soft``.
    """

    flipped: Bool[np.ndarray, " pairs"]
    soft: Bool[np.ndarray, " pairs"]
    preference: Float[np.ndarray, " pairs"]
    margin: Float[np.ndarray, " pairs"]


@dataclass(frozen=True)
class Strength:
    """How strength is measured, and labels are repaired.

    Args:
        members, folds, ridge, seed: of the ensemble.
        flip, soft: shares of the pairs, by strength from below.
        margin: whether strong pairs get a margin.
    """

    members: int
    folds: int
    ridge: float
    flip: float
    soft: float
    margin: bool
    seed: int

    def votes(self, gaps: Float[np.ndarray, "pairs width"]) -> Votes:
        """Strength of pairs from the difference of their answers' embeddings, chosen minus rejected.

        Each pair is judged by members that were fitted on other folds, each on a bootstrap sample: who has learned a
        wrong label by heart cannot doubt it.

        Raises:
            DataError: if there are too few pairs, or members put no more pairs in the labels' order than chance.
        """
        count = len(gaps)
        if count < 2 * self.folds:
            raise DataError(
                f"{count} pairs cannot be judged in {self.folds} folds", allowed=f"at least {2 * self.folds} pairs"
            )
        draw = np.random.default_rng(self.seed)
        scale = np.sqrt(np.mean(gaps**2, axis=0))
        inputs = gaps / np.where(scale > 0, scale, 1.0)
        fold = draw.permutation(count) % self.folds
        said = np.zeros((self.members, count))
        for number in range(self.folds):
            rest = np.flatnonzero(fold != number)
            for member in range(self.members):
                sample = draw.choice(rest, len(rest))
                said[member, fold == number] = inputs[fold == number] @ _fitted(inputs[sample], self.ridge)
        mean = said.mean(0)
        found = temperature(mean) or 1.0  # where all labels agree no finite scale is best
        if not np.isfinite(found):
            raise DataError(
                "members that were fitted on other pairs put these in the labels' order no better than chance",
                fix="take more pairs, or another model's states; labels cannot be judged by what knows nothing",
            )
        return Votes(mean / found, said.std(0) / found, float(found))

    def repairs(self, votes: Votes) -> Repairs:
        """Flip the weakest if they point the other way, make the next uncertain, give the rest a margin."""
        strength = votes.strength
        count = len(strength)
        rank = np.empty(count, dtype=np.int64)
        rank[np.argsort(strength, kind="stable")] = np.arange(count)
        weakest = rank < round(self.flip * count)
        flipped = weakest & (strength < 0)
        soft = ~weakest & (rank < round((self.flip + self.soft) * count))
        lead = np.abs(strength) if self.margin else np.zeros(count)
        strong = flipped | (strength > 0)
        return Repairs(flipped, soft, np.where(soft, expit(strength), 1.0), np.where(strong & ~soft, lead, 0.0))


def _fitted(inputs: Float[np.ndarray, "pairs width"], ridge: float) -> Float[np.ndarray, " width"]:
    """Coefficients of a Bradley–Terry model of linear rewards."""
    from sklearn.linear_model import LogisticRegression

    both = np.concatenate([inputs, -inputs])
    labels = np.repeat([1, 0], len(inputs))
    model = LogisticRegression(C=1 / (2 * ridge), fit_intercept=False, max_iter=200)
    found: np.ndarray = model.fit(both, labels).coef_[0]
    return found


@label_repair(
    name="preference-strength",
    slug="secrets-rm",
    paper=Paper("Secrets of RLHF in Large Language Models Part II: Reward Modeling", 2024, "2401.06080"),
    summary="An ensemble that has not seen a pair says how strong its preference is; weak labels are exchanged or made "
    "uncertain, strong ones get a margin.",
    formula="μ = mean_m (R_m(y_w) − R_m(y_l)) / T; lowest share with μ < 0: exchange; next share: P(y_w ≻ y_l) = σ(μ); "
    "others: margin |μ|",
    legend=(
        "R_m: linear reward m on states of a frozen model, fitted to a bootstrap sample of the other folds",
        "T: temperature that makes σ(μ) the probability that a label agrees",
    ),
    use_when="Labels are noisy, and pairs are many enough that an ensemble knows better than single labels.",
    avoid_when="Disagreement is taste, not noise (pal), or pairs are so few or states so poor that the ensemble is at "
    "chance: it refuses then, and close to it flips labels at random. Held-out pairs stay as they are.",
    requires=("pairs", "frozen language model"),
    cost="one forward pass of the frozen model over the data, and members times folds small regressions",
    aliases=("label-repair",),
)
def preference_strength(
    members: Annotated[int, Field(ge=2), Doc("of the ensemble", "members >= 2")] = 10,
    folds: Annotated[
        int, Field(ge=2), Doc("parts of the data, each judged by members of the others", "folds >= 2")
    ] = 5,
    ridge: Annotated[float, POSITIVE, Doc("price of a member's squared coefficients", "ridge > 0")] = 1.0,
    flip: Annotated[
        float,
        Field(ge=0, lt=1),
        Doc("lowest share of pairs, whose labels are exchanged if μ < 0", "0 <= flip < 1"),
    ] = 0.2,
    soft: Annotated[
        float,
        Field(ge=0, lt=1),
        Doc("next share of pairs, whose labels are made uncertain; 0.2 in the paper", "0 <= soft < 1"),
    ] = 0.0,
    margin: Annotated[bool, Doc("whether strong pairs get a margin, as in the paper", "true or false")] = False,
    seed: Annotated[int, Field(ge=0), Doc("of folds and samples", "a whole number of at least 0")] = 0,
) -> Strength:
    """2401.06080, section 2.

    Shares are the paper's parts of its data by strength. Soft labels and margins are off: where rewards are linear they
    gain nothing over flips alone (`truing verify preference-strength`).

    Raises:
        ObjectiveError: if the shares are more than the whole.
    """
    if flip + soft > 1:
        raise ObjectiveError(
            f"flip and soft are shares of the same pairs, and {flip:g} + {soft:g} is more than the whole",
            allowed="flip + soft <= 1",
        )
    return Strength(members, folds, ridge, flip, soft, margin, seed)
