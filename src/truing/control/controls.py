"""All methods of control; importing this module registers them."""

from truing.control.method import CONTROLS
from truing.control.parl import parl
from truing.control.regret import regret_preference

__all__ = ["CONTROLS", "parl", "regret_preference"]
