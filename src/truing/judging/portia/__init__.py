"""PORTIA (2310.01432): both answers are cut into parts that stand side by side, so that like is compared with like."""

from truing.judging.portia.align import aligned_by_length, aligned_by_meaning, token_overlap
from truing.judging.portia.cuts import cut_points, split
from truing.judging.portia.protocol import PortiaVerdict, fixed_coverage, portia

__all__ = [
    "PortiaVerdict",
    "aligned_by_length",
    "aligned_by_meaning",
    "cut_points",
    "fixed_coverage",
    "portia",
    "split",
    "token_overlap",
]
