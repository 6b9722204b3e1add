"""Judging without order: answers, options and documents that a local model reads as a set (PINE, 2407.01100)."""

from truing.judging.pine.comparer import PineLetters
from truing.judging.pine.protocol import pine
from truing.judging.pine.questions import Choice, choose, respond

__all__ = ["Choice", "PineLetters", "choose", "pine", "respond"]
