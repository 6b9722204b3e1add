"""Checks of data; importing this package registers all of them."""

from truing.data.checks import (
    agreement,
    contradictions,
    counts,
    duplicates,
    echo,
    empty,
    encoding,
    identical,
    labels,
    leakage,
    length_bias,
    refusals,
    scores,
    templates,
    tokens,
    truncated,
)
from truing.data.checks.base import CHECKS, Check, Finding, Subject

__all__ = [
    "CHECKS",
    "Check",
    "Finding",
    "Subject",
    "agreement",
    "contradictions",
    "counts",
    "duplicates",
    "echo",
    "empty",
    "encoding",
    "identical",
    "labels",
    "leakage",
    "length_bias",
    "refusals",
    "scores",
    "templates",
    "tokens",
    "truncated",
]
