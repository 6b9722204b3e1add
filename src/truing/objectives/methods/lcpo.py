"""LCPO (2509.24159, later named RE-PO), on DPO: which labels are right is inferred while the model learns.

The modifier of the same name puts it around any loss of pairs. Where records name their ``annotator``, each has a
reliability of its own; otherwise all labels share one. Before the first step every pair has p = 1/2 and the
posterior is the starting value, so that one near 1/2 would give no signal. The defaults are this library's own; the
paper varies both.
"""

from truing.objectives.algebra import Objective
from truing.objectives.method import objective
from truing.objectives.methods.dpo import dpo
from truing.objectives.parameters import Beta, Momentum, Reliability
from truing.registry import Paper

PAPER = Paper(
    "Latent Collective Preference Optimization: A General Framework for Robust LLM Alignment", 2025, "2509.24159"
)


@objective(
    name="lcpo",
    slug="lcpo",
    aliases=("re-po",),
    paper=PAPER,
    summary="DPO that infers which labels are wrong, and how reliable each annotator is, while it learns.",
    use_when="Labels are noisy at a rate that nobody knows, or come from annotators of unequal care.",
    avoid_when="Labels are clean, or annotators disagree in taste: a minority would be taken for mistaken.",
)
def lcpo(beta: Beta = 0.1, start: Reliability = 0.9, momentum: Momentum = 0.9) -> Objective:
    """−log(η σ(beta d) + (1 − η) σ(−beta d)), d = r_w − r_l: gradient of q l(d) + (1 − q) l(−d), q the posterior."""
    return dpo(beta).with_latent_order(start, momentum)
