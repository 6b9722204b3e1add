"""All ways to prompt; importing this module registers them."""

from truing.prompting.method import PROMPTING

__all__ = ["PROMPTING"]
