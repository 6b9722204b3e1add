"""All ways to judge; importing this module registers them."""

from truing.judging.method import JUDGING

__all__ = ["JUDGING"]
