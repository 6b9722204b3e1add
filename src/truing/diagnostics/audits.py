"""All audits; importing this module registers them."""

from truing.arenas.effects import effects
from truing.audit.judges.bias_effects import judge_bias_bench
from truing.audit.judges.discretion import discretion
from truing.audit.judges.dissection import preference_dissection
from truing.audit.judges.profile import profile
from truing.audit.judges.self_preference import self_preference
from truing.diagnostics.activation_steering import activation_steering
from truing.diagnostics.audit import AUDITS
from truing.diagnostics.ches import ches
from truing.diagnostics.context_trust import context_trust
from truing.diagnostics.generation_exploit import generation_exploit
from truing.diagnostics.honesty import honesty
from truing.diagnostics.mode_seeking import mode_seeking
from truing.diagnostics.overoptimisation import indicators
from truing.diagnostics.pc_audit import pc_audit
from truing.diagnostics.persuasion import persuasion
from truing.diagnostics.ranking import ranking
from truing.diagnostics.self_consuming import self_consuming
from truing.diagnostics.stimulus import stimulus_effects
from truing.diagnostics.three_d import three_d
from truing.diagnostics.token_shift import token_shift
from truing.rewards.evaluation.benchmarks import rag_rewardbench
from truing.unlearning.attribution import wagle

__all__ = [
    "AUDITS",
    "activation_steering",
    "ches",
    "context_trust",
    "discretion",
    "effects",
    "generation_exploit",
    "honesty",
    "indicators",
    "judge_bias_bench",
    "mode_seeking",
    "pc_audit",
    "persuasion",
    "preference_dissection",
    "profile",
    "rag_rewardbench",
    "ranking",
    "self_consuming",
    "self_preference",
    "stimulus_effects",
    "three_d",
    "token_shift",
    "wagle",
]
