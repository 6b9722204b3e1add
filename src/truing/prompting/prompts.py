"""All ways to prompt; importing this module registers them."""

from truing.prompting.method import PROMPTING
from truing.prompting.urial import urial

__all__ = ["PROMPTING", "urial"]
