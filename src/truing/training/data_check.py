"""The checks of ``truing data check`` on what a run trains on, for its report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from truing.data.check import DataReport, check
from truing.data.records import Records
from truing.training.prepare import Prepared

DATA_FILE = "data.json"
# Checks compare rows with each other and tokenise them again: enough rows to see what is wrong with the data.
MOST_ROWS = 10_000


def check_data(prepared: Prepared) -> DataReport:
    """Check the first rows of the training data, and the held-out data for leakage from them."""
    held = prepared.held_out
    data = prepared.recipe.data
    return check(
        _first(prepared.train.source),
        tokenizer=prepared.tokenizer,
        other_splits={"held out": _first(held.source)} if held is not None else None,
        max_length=data.max_length,
        chat_template=data.chat_template,
    )


def _first(records: Records) -> Records:
    dataset: Any = records.dataset
    if len(dataset) <= MOST_ROWS:
        return records
    note = f"the first {MOST_ROWS:,} of {len(dataset):,} rows were checked; `truing data check` looks at all"
    return replace(records, dataset=dataset.select(range(MOST_ROWS)), notes=(*records.notes, note))
