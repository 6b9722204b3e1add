"""All ways to decode; importing this module registers them."""

from truing.decoding.method import DECODERS

__all__ = ["DECODERS"]
