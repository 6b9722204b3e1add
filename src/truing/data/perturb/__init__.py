"""Perturbations: damage done to training records on purpose, to see which method bears it.

Held-out records are never touched: what is measured is the truth.
"""

from truing.data.perturb.base import PERTURBATIONS, Perturbation, build, perturbed
from truing.data.perturb.drop_liked import DropLiked
from truing.data.perturb.flip_labels import FlipLabels
from truing.data.perturb.keep_by_length import KeepByLength
from truing.data.perturb.only_disliked import OnlyDisliked

__all__ = [
    "PERTURBATIONS",
    "DropLiked",
    "FlipLabels",
    "KeepByLength",
    "OnlyDisliked",
    "Perturbation",
    "build",
    "perturbed",
]
