"""Judges of two answers as they stand: chat models, the odds of letters, recorded verdicts."""

from truing.judging.comparers.letters import LetterOdds
from truing.judging.comparers.pointwise import PointwiseScores
from truing.judging.comparers.recorded import Recorded
from truing.judging.comparers.text import TextVerdicts

__all__ = ["LetterOdds", "PointwiseScores", "Recorded", "TextVerdicts"]
