"""Tokenised records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from truing.data.token_report import TokenReport

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

    from truing.objectives.algebra.scores import DataKind


@dataclass(frozen=True)
class Encoded:
    """Tokenised records.

    Args:
        dataset: columns ``id``, ``prompt_ids`` (list of int), ``completion_ids`` (list of lists of int; chosen,
            rejected for pairs), and of ``label``, ``scores``, ``weight``, ``margin``, ``preference`` and
            ``annotator`` (a number) those that the records have.
        kind: what the records are.
        report: what tokenisation did.
        annotators: names that the numbers in ``annotator`` stand for.
        fingerprint: changes with the records, the tokenizer and the settings; empty where that is unknown.
    """

    dataset: Dataset | IterableDataset
    kind: DataKind
    report: TokenReport
    annotators: tuple[str, ...] = ()
    fingerprint: str = ""

    def __len__(self) -> int:
        return len(self.dataset)
