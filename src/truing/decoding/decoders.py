"""All ways to decode; importing this module registers them."""

from truing.decoding.activation.mean_difference import mean_difference_steering
from truing.decoding.args import args
from truing.decoding.best_of_n import best_of_n
from truing.decoding.contrastive.decoder import contrastive_decoding
from truing.decoding.controlled import controlled_decoding
from truing.decoding.deal import deal
from truing.decoding.method import DECODERS
from truing.decoding.qalign import qalign
from truing.decoding.rps import rps
from truing.decoding.transfer_q import transfer_q
from truing.decoding.vote import vote

__all__ = [
    "DECODERS",
    "args",
    "best_of_n",
    "contrastive_decoding",
    "controlled_decoding",
    "deal",
    "mean_difference_steering",
    "qalign",
    "rps",
    "transfer_q",
    "vote",
]
