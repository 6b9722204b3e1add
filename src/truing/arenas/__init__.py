"""The arena: one model, one data set, many objectives, equal budgets; who wins, who ties, what it costs."""

from truing.arenas.run import ArenaResult, arena

__all__ = ["ArenaResult", "arena"]
