"""Entity alignment by a judge (LLM-Align, 2412.04690): which entities of two knowledge graphs are the same."""

from truing.judging.entities.alignment import Alignment, Link, llm_align
from truing.judging.entities.choosers import LetterChooser, TextChooser
from truing.judging.entities.graph import Graph, read_graph
from truing.judging.entities.measures import hits, measured
from truing.judging.entities.questions import Question
from truing.judging.entities.shortlist import lexical_scores

__all__ = [
    "Alignment",
    "Graph",
    "LetterChooser",
    "Link",
    "Question",
    "TextChooser",
    "hits",
    "lexical_scores",
    "llm_align",
    "measured",
    "read_graph",
]
