"""A transform of some objectives, which leaves the others as they are."""

from __future__ import annotations

from dataclasses import dataclass

from truing.rewards.algebra import Context, Rewards, Transform


@dataclass(frozen=True)
class On:
    """``inner`` applied to the named objectives.

    Args:
        inner: the transform.
        names: objectives that it changes.
    """

    inner: Transform
    names: tuple[str, ...]

    @property
    def needs_reference(self) -> bool:
        return self.inner.needs_reference

    @property
    def pointwise(self) -> bool:
        return self.inner.pointwise

    def __call__(self, rewards: Rewards, context: Context) -> Rewards:
        return rewards.replaced(self.inner(rewards.only(self.names), context))
