"""Records made from records: changed pairs, and the parts that some objectives want beside every record."""

from truing.data.derive.base import PARTS, RELABELLINGS, PartMaker, Relabelling, relabelled, with_prompts
from truing.data.derive.context import in_context
from truing.data.derive.grades import graded
from truing.data.derive.janus import janus
from truing.data.derive.mapl import constraints
from truing.data.derive.method import DATA_METHODS, DataMethod
from truing.data.derive.rationale import rationale
from truing.data.derive.refusal import REFUSALS
from truing.data.derive.reward_augmented import ask_for, reward_augmented

__all__ = [
    "DATA_METHODS",
    "PARTS",
    "REFUSALS",
    "RELABELLINGS",
    "DataMethod",
    "PartMaker",
    "Relabelling",
    "ask_for",
    "constraints",
    "graded",
    "in_context",
    "janus",
    "rationale",
    "relabelled",
    "reward_augmented",
    "with_prompts",
]
