"""All ways to make data with a model; importing this module registers them."""

from truing.data.synthesis.conflicts.rows import conflict_rows
from truing.data.synthesis.debate.pairs import persuasion_rows
from truing.data.synthesis.honesty import honest_rows
from truing.data.synthesis.method import SYNTHESES

__all__ = ["SYNTHESES", "conflict_rows", "honest_rows", "persuasion_rows"]
