"""Symbolic semantics of preference losses (2412.17696): what a loss demands, and losses from formulas.

decompile   objective      → structure (P, P_C, P_A)
compile     structure      → objective that trains
compare     two structures → equal, above, below or incomparable, with countermodels
parse       text           → formula

Decisions are made on truth tables; probabilities of formulas are weighted model counts.
"""

from truing.objectives.semantics.compile import compile, rebuild
from truing.objectives.semantics.decompile import decompile
from truing.objectives.semantics.formulas import ATOMS, Formula
from truing.objectives.semantics.lattice import Lattice, Node, enumerate, known
from truing.objectives.semantics.loss import SymbolicLoss
from truing.objectives.semantics.order import Comparison, Countermodel, Witness, compare, is_above, rho
from truing.objectives.semantics.parsing import parse, probability
from truing.objectives.semantics.structure import Structure, from_ratio, ratio

__all__ = [
    "ATOMS",
    "Comparison",
    "Countermodel",
    "Formula",
    "Lattice",
    "Node",
    "Structure",
    "SymbolicLoss",
    "Witness",
    "compare",
    "compile",
    "decompile",
    "enumerate",
    "from_ratio",
    "is_above",
    "known",
    "parse",
    "probability",
    "ratio",
    "rebuild",
    "rho",
]
