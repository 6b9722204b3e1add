"""Steering by activations: directions in a model's states, found from examples and added while it answers."""

from truing.decoding.activation.blocks import blocks
from truing.decoding.activation.edits import EDITS
from truing.decoding.activation.hooks import Push, steered
from truing.decoding.activation.mean_difference import Steering, mean_difference_steering

__all__ = ["EDITS", "Push", "Steering", "blocks", "mean_difference_steering", "steered"]
