"""All ways to decode; importing this module registers them."""

from truing.decoding.activation.mean_difference import mean_difference_steering
from truing.decoding.method import DECODERS

__all__ = ["DECODERS", "mean_difference_steering"]
