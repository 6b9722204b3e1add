"""Signs in the policy's own distribution that more training will not help (2410.11677)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from truing.diagnostics.audit import audit
from truing.registry import Paper

# Thresholds are relative to the run itself: entropies of different tokenisers cannot be compared. They are ours; the
# paper gives none.
ENTROPY_FALL = 0.1
MASS_FALL = 0.05
_DECAY = 0.5


@dataclass(frozen=True)
class Indicators:
    """What the two series say up to their end.

    Attributes:
        turned: the entropy has risen and come down again, twice in a row by more than 0.1 bits from its peak.
        spilled: the mass inside the ten likeliest tokens has fallen by more than 0.05.
        peak: number of the evaluation at which the smoothed entropy was largest.
        entropy_peak, entropy: smoothed, bits.
        mass_start, mass: shares.
    """

    turned: bool
    spilled: bool
    peak: int
    entropy_peak: float
    entropy: float
    mass_start: float
    mass: float

    @property
    def fired(self) -> bool:
        return self.turned or self.spilled


@audit(
    name="likelihood-overopt",
    slug="likelihood-overopt",
    paper=Paper("Understanding Likelihood Over-optimisation in Direct Alignment Algorithms", 2024, "2410.11677"),
    summary="Watches entropy and mass of the ten likeliest next tokens for the turn after which answers get worse.",
    formula="H_k = −Σ_{i ∈ top k} p_i log₂ p_i;  mass_k = Σ_{i ∈ top k} p_i;  k = 10",
    legend=(
        "H_k: entropy over the ten likeliest next tokens, not renormalised, averaged over answer tokens, bits",
        "mass_k: their share of the probability",
    ),
    use_when="While training with a loss of differences, where no judge can be asked at every step: the alarm "
    "over_optimisation stops a run by it.",
    avoid_when="The best checkpoint is looked for: the signal comes after it. Where the task rewards ever more of the "
    "same it fires, too, though nothing is wrong. Values of different tokenisers cannot be compared.",
    requires=("held-out",),
    cost="read from the same forward pass as the loss, at every evaluation",
    aliases=("over-optimisation",),
)
def indicators(entropy: Sequence[float], mass: Sequence[float]) -> Indicators | None:
    """The two signs, judged after the last evaluation.

    Args:
        entropy: top-k entropy at each evaluation, bits.
        mass: top-k mass at the same evaluations.

    Returns:
        ``None`` before the fourth evaluation.
    """
    if len(entropy) < 4 or len(mass) < 4:
        return None
    smooth = smoothed(entropy)
    top = max(smooth)
    peak = smooth.index(top)
    turned = peak > 0 and top - smooth[-1] > ENTROPY_FALL and top - smooth[-2] > ENTROPY_FALL
    spilled = mass[0] - mass[-1] > MASS_FALL
    return Indicators(turned, spilled, peak, top, smooth[-1], mass[0], mass[-1])


def smoothed(values: Sequence[float]) -> list[float]:
    """Exponential moving average that starts at the first value."""
    found: list[float] = []
    for value in values:
        found.append(value if not found else _DECAY * found[-1] + (1 - _DECAY) * value)
    return found
