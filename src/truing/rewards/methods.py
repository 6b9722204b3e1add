"""All pieces of rewards; importing this module registers them."""

from truing.rewards.method import REWARDS

__all__ = ["REWARDS"]
