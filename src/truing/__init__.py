"""Align generative models with preferences, and prove that it worked.

The names below are loaded when they are first used, so that ``import truing`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from truing.arenas import ArenaResult, arena
    from truing.data.check import check_path as check_data
    from truing.data.sources import load as load_data
    from truing.decoding.run import decode
    from truing.diagnostics.run import diagnose_run as diagnose
    from truing.errors import TruingError
    from truing.evidence import verify
    from truing.objectives.recipe import build as objective
    from truing.policies.causal import CausalPolicy
    from truing.recipe import Recipe, load_recipe, parse_recipe
    from truing.report import write_run_report
    from truing.scoring import score_file
    from truing.statistics import win_rate
    from truing.training.align import RunResult, align
    from truing.unlearning.run import unlearn

_HOMES = {
    "ArenaResult": ("truing.arenas", "ArenaResult"),
    "CausalPolicy": ("truing.policies.causal", "CausalPolicy"),
    "Recipe": ("truing.recipe", "Recipe"),
    "RunResult": ("truing.training.align", "RunResult"),
    "TruingError": ("truing.errors", "TruingError"),
    "align": ("truing.training.align", "align"),
    "arena": ("truing.arenas", "arena"),
    "check_data": ("truing.data.check", "check_path"),
    "decode": ("truing.decoding.run", "decode"),
    "diagnose": ("truing.diagnostics.run", "diagnose_run"),
    "load_data": ("truing.data.sources", "load"),
    "load_recipe": ("truing.recipe", "load_recipe"),
    "objective": ("truing.objectives.recipe", "build"),
    "parse_recipe": ("truing.recipe", "parse_recipe"),
    "score_file": ("truing.scoring", "score_file"),
    "unlearn": ("truing.unlearning.run", "unlearn"),
    "verify": ("truing.evidence", "verify"),
    "win_rate": ("truing.statistics", "win_rate"),
    "write_run_report": ("truing.report", "write_run_report"),
}

__all__ = [
    "ArenaResult",
    "CausalPolicy",
    "Recipe",
    "RunResult",
    "TruingError",
    "align",
    "arena",
    "check_data",
    "decode",
    "diagnose",
    "load_data",
    "load_recipe",
    "objective",
    "parse_recipe",
    "score_file",
    "unlearn",
    "verify",
    "win_rate",
    "write_run_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'truing' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
