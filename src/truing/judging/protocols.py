"""All ways to judge; importing this module registers them."""

from truing.judging.entities.alignment import llm_align
from truing.judging.guided import guided_judge
from truing.judging.leaderboard.board import bt_leaderboard
from truing.judging.method import JUDGING
from truing.judging.pairwise import pairwise_judge
from truing.judging.pine.protocol import pine
from truing.judging.pointwise import pointwise_judge
from truing.judging.portia.protocol import portia
from truing.judging.reflection import self_reflection
from truing.judging.vote import judge_vote

__all__ = [
    "JUDGING",
    "bt_leaderboard",
    "guided_judge",
    "judge_vote",
    "llm_align",
    "pairwise_judge",
    "pine",
    "pointwise_judge",
    "portia",
    "self_reflection",
]
