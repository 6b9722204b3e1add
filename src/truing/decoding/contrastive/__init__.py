"""Decoding against an amateur: what one model, or one prompt, makes likelier than another."""

from truing.decoding.contrastive.calibration import calibrated, grouped
from truing.decoding.contrastive.decoder import Contrastive, contrastive_decoding
from truing.decoding.contrastive.processor import ContrastProcessor
from truing.decoding.contrastive.score import Contrast

__all__ = ["Contrast", "ContrastProcessor", "Contrastive", "calibrated", "contrastive_decoding", "grouped"]
