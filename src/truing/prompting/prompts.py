"""All ways to prompt; importing this module registers them."""

from truing.prompting.aligner.align import p_aligner, p_aligner_rewriter
from truing.prompting.guidelines.guide import guide_align
from truing.prompting.honest_prompt import honest_prompt
from truing.prompting.method import PROMPTING
from truing.prompting.negative_prompt import negative_prompt
from truing.prompting.pc_defense import pc_defense
from truing.prompting.urial import urial

__all__ = [
    "PROMPTING",
    "guide_align",
    "honest_prompt",
    "negative_prompt",
    "p_aligner",
    "p_aligner_rewriter",
    "pc_defense",
    "urial",
]
