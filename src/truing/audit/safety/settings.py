"""Settings at which answers are drawn: the grid of 2310.06987."""

from __future__ import annotations

from dataclasses import dataclass

from truing.policies.generation import Sampling

TOP_K = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_STEPS = tuple(round(0.05 * step, 2) for step in range(1, 21))


@dataclass(frozen=True)
class Setting:
    """One way to draw.

    Attributes:
        name: e.g. ``top-p 0.35``.
        temperature: 1 where top-p or top-k is what is varied, whatever the model's own configuration says.
        top_p: 1 for all.
        top_k: 0 for all.
    """

    name: str
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0

    def sampling(self, max_new_tokens: int, seed: int) -> Sampling:
        """As models take it."""
        return Sampling(max_new_tokens, self.temperature, self.top_p, seed=seed, top_k=self.top_k)


DEFAULT = Setting("default (temperature 0.1, top-p 0.9)", temperature=0.1, top_p=0.9)

GRID: tuple[Setting, ...] = (
    *(Setting(f"temperature {value:g}", temperature=value) for value in _STEPS),
    *(Setting(f"top-p {value:g}", top_p=value) for value in _STEPS),
    *(Setting(f"top-k {value}", top_k=value) for value in TOP_K),
)
"""20 temperatures, 20 top-p and 9 top-k. The authors' script also has top-p 0, which keeps no token, and leaves the
temperature of the last two to the model's configuration."""
