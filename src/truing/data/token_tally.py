"""Counting during tokenisation."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from truing.data.conversion import counts
from truing.data.token_report import Quantiles, TokenReport
from truing.data.truncation import Fitted

logger = logging.getLogger(__name__)


class TokenTally:
    """Collects what a :class:`TokenReport` says.

    Args:
        loud: also log the first dropped row of each reason (streaming, where nobody reads the counts).
    """

    def __init__(self, loud: bool = False) -> None:
        self.loud = loud
        self.prompts: list[int] = []
        self.completions: list[int] = []
        self.merges = self.rewrites = self.prompt_cuts = self.cuts = self.open = self.doubles = 0
        self.dropped: dict[str, tuple[int, list[str]]] = {}

    def drop(self, reason: str, number: str) -> None:
        """A row that is left out."""
        total, ids = self.dropped.get(reason, (0, []))
        if self.loud and not total:
            logger.warning("row %s is left out: %s (further rows like it are not mentioned)", number, reason)
        self.dropped[reason] = (total + 1, ids if len(ids) >= 5 else [*ids, number])

    def keep(self, fitted: Fitted, *, merged: bool, rewritten: bool, had_bos: bool, complete: bool) -> None:
        """A row that is used."""
        self.prompts.append(len(fitted.prompt))
        self.completions.extend(map(len, fitted.completions))
        self.merges += merged
        self.rewrites += rewritten
        self.doubles += had_bos
        self.prompt_cuts += fitted.prompt_cut
        self.cuts += sum(fitted.cut)
        self.open += not complete

    def report(self, notes: Sequence[str], partial: bool = False) -> TokenReport:
        """The counts so far."""
        return TokenReport(
            rows=len(self.prompts),
            prompt_tokens=Quantiles.of(self.prompts),
            completion_tokens=Quantiles.of(self.completions),
            boundary_merges=self.merges,
            template_rewrites=self.rewrites,
            prompts_truncated=self.prompt_cuts,
            completions_truncated=self.cuts,
            without_eos=self.open,
            double_bos_avoided=self.doubles,
            dropped=counts(self.dropped),
            notes=tuple(notes),
            partial=partial,
        )
