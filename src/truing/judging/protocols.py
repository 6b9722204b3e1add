"""All ways to judge; importing this module registers them."""

from truing.judging.method import JUDGING
from truing.judging.pairwise import pairwise_judge

__all__ = ["JUDGING", "pairwise_judge"]
