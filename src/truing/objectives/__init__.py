"""Preference objectives: pure functions of scores, composed from a small algebra."""

from truing.objectives.algebra import Batch, LossOutput, Objective, Scores
from truing.objectives.method import METHODS, Method, objective
from truing.objectives.methods.alphapo import alphapo
from truing.objectives.methods.aot import aot, aot_unpaired
from truing.objectives.methods.apo import apo_down, apo_zero, apo_zero_unpaired
from truing.objectives.methods.asft import asft
from truing.objectives.methods.bco import bco
from truing.objectives.methods.bco_pair import bco_pair
from truing.objectives.methods.bialign import bialign
from truing.objectives.methods.bradley_terry import bradley_terry
from truing.objectives.methods.bvpo import bvpo
from truing.objectives.methods.cdpo import cdpo
from truing.objectives.methods.cpo import cpo, cpo_simpo
from truing.objectives.methods.critique_and_score import critique_and_score
from truing.objectives.methods.curated import curated
from truing.objectives.methods.cyclealign import cyclealign
from truing.objectives.methods.d2o import d2o
from truing.objectives.methods.discopop import discopop
from truing.objectives.methods.distillation import adpa, dckd, kl
from truing.objectives.methods.dpa_ratings import dpa_ratings
from truing.objectives.methods.dpo import dpo
from truing.objectives.methods.dpo_norm import dpo_norm
from truing.objectives.methods.drift import drift
from truing.objectives.methods.exo import exo
from truing.objectives.methods.f_dpg import f_dpg
from truing.objectives.methods.f_dpo import f_dpo
from truing.objectives.methods.flex_dpo import flex_dpo
from truing.objectives.methods.gpm import gpm
from truing.objectives.methods.gpo import gpo
from truing.objectives.methods.hinge import hinge
from truing.objectives.methods.infonca import infonca
from truing.objectives.methods.ipo import ipo
from truing.objectives.methods.kto import kto
from truing.objectives.methods.lcpo import lcpo
from truing.objectives.methods.ld_dpo import ld_dpo
from truing.objectives.methods.logic import ccpo, logic, uncpo
from truing.objectives.methods.mah_dpo import mah_dpo
from truing.objectives.methods.mapl import mapl
from truing.objectives.methods.meet import meet
from truing.objectives.methods.mm_dpo import mm_dpo
from truing.objectives.methods.mnpo import inpo, mnpo
from truing.objectives.methods.more import more
from truing.objectives.methods.nash_md import nash_md
from truing.objectives.methods.nca import nca
from truing.objectives.methods.nft import nft
from truing.objectives.methods.optdist import optdist
from truing.objectives.methods.orpo import orpo
from truing.objectives.methods.poft import poft
from truing.objectives.methods.policy_gradient import dapo, dr_grpo, grpo, gspo, reinforce_plus_plus, rloo
from truing.objectives.methods.ppo import ppo
from truing.objectives.methods.r_dpo import r_dpo
from truing.objectives.methods.raft import raft
from truing.objectives.methods.rationale_po import rationale_po
from truing.objectives.methods.rdpo import rdpo
from truing.objectives.methods.rmu import rmu
from truing.objectives.methods.rpo import rpo
from truing.objectives.methods.rrhf import rrhf
from truing.objectives.methods.scir import scir
from truing.objectives.methods.secrets_rm import secrets_rm
from truing.objectives.methods.sft import nll, sft
from truing.objectives.methods.sft_dpo import sft_dpo
from truing.objectives.methods.simpo import simpo
from truing.objectives.methods.slic import slic
from truing.objectives.methods.sparsepo import mapo, sparsepo, tdpo
from truing.objectives.methods.spo_degree import spo_degree
from truing.objectives.methods.sppo_hard import sppo_hard
from truing.objectives.methods.unlearning import ga, graddiff, npo, simnpo
from truing.objectives.methods.wpo import wpo
from truing.objectives.modifiers import MODIFIERS, Modifier, modifier

__all__ = [
    "METHODS",
    "MODIFIERS",
    "Batch",
    "LossOutput",
    "Method",
    "Modifier",
    "Objective",
    "Scores",
    "adpa",
    "alphapo",
    "aot",
    "aot_unpaired",
    "apo_down",
    "apo_zero",
    "apo_zero_unpaired",
    "asft",
    "bco",
    "bco_pair",
    "bialign",
    "bradley_terry",
    "bvpo",
    "ccpo",
    "cdpo",
    "cpo",
    "cpo_simpo",
    "critique_and_score",
    "curated",
    "cyclealign",
    "d2o",
    "dapo",
    "dckd",
    "discopop",
    "dpa_ratings",
    "dpo",
    "dpo_norm",
    "dr_grpo",
    "drift",
    "exo",
    "f_dpg",
    "f_dpo",
    "flex_dpo",
    "ga",
    "gpm",
    "gpo",
    "graddiff",
    "grpo",
    "gspo",
    "hinge",
    "infonca",
    "inpo",
    "ipo",
    "kl",
    "kto",
    "lcpo",
    "ld_dpo",
    "logic",
    "mah_dpo",
    "mapl",
    "mapo",
    "meet",
    "mm_dpo",
    "mnpo",
    "modifier",
    "more",
    "nash_md",
    "nca",
    "nft",
    "nll",
    "npo",
    "objective",
    "optdist",
    "orpo",
    "poft",
    "ppo",
    "r_dpo",
    "raft",
    "rationale_po",
    "rdpo",
    "reinforce_plus_plus",
    "rloo",
    "rmu",
    "rpo",
    "rrhf",
    "scir",
    "secrets_rm",
    "sft",
    "sft_dpo",
    "simnpo",
    "simpo",
    "slic",
    "sparsepo",
    "spo_degree",
    "sppo_hard",
    "tdpo",
    "uncpo",
    "wpo",
]
