"""Answers with their critiques behind them, as tokens: what a model that writes critiques learns from, and is asked.

    prompt | answer, end | lead | critique, end

The lead is the same for all answers, so that n answers, with critiques or without, share their prompt as a trunk, and
what is learned is token by token what is read when the model writes its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from truing.data.encoded import Encoded
from truing.data.records import Count, Records
from truing.data.special_tokens import SpecialTokens
from truing.data.token_report import Quantiles
from truing.data.tokenise import token_ids
from truing.data.truncation import fit
from truing.errors import DataError

LEAD = "\n\nCritique:"
"""Stands between an answer and its critique."""

COLUMNS = ("critique_chosen", "critique_rejected")


def critique_tokens(tokenizer: Any, critiques: Sequence[str]) -> list[list[int]]:
    """Critiques as tokens, each with the end of sequence."""
    special = SpecialTokens.of(tokenizer)
    return [special.end(ids) for ids in token_ids(tokenizer, [f" {text.strip()}" for text in critiques])]


def with_critiques(encoded: Encoded, records: Records, tokenizer: Any, max_length: int | None) -> Encoded:
    """Tokenised pairs with lead and critique behind every answer.

    Args:
        encoded: the pairs without.
        records: the same, with ``critique_chosen`` and ``critique_rejected``.
        tokenizer: of both.
        max_length: of prompt, answer, lead and critique, tokens. Prompts are shortened from the left; pairs that do
            not fit nevertheless are left out.

    Returns:
        With a column ``critique`` beside: tokens of each answer's critique, the end of sequence included.

    Raises:
        DataError: if a pair has no critiques, the records are streamed or no pairs, or none fits.
    """
    critiques = _texts(records)
    special, lead = SpecialTokens.of(tokenizer), token_ids(tokenizer, [LEAD])[0]
    rows: list[dict[str, Any]] = []
    left_out: list[str] = []
    shortened = 0
    for row in encoded.dataset:
        own = critique_tokens(tokenizer, critiques[row["id"]])
        whole = [[*answer, *lead, *said] for answer, said in zip(row["completion_ids"], own, strict=True)]
        fitted = fit(row["prompt_ids"], whole, max_length, None, special.known_bos)
        if any(fitted.cut):
            left_out.append(row["id"])
            continue
        shortened += fitted.prompt_cut
        rows.append(
            {
                **row,
                "prompt_ids": fitted.prompt,
                "completion_ids": fitted.completions,
                "critique": [float(len(said)) for said in own],
            }
        )
    if not rows:
        raise DataError(
            "no pair fits with its critiques",
            where=records.source,
            fix=f"raise data.max_length above {max_length}",
        )
    from datasets import Dataset

    report = replace(
        encoded.report,
        rows=len(rows),
        prompt_tokens=Quantiles.of([len(row["prompt_ids"]) for row in rows]),
        completion_tokens=Quantiles.of([len(ids) for row in rows for ids in row["completion_ids"]]),
        prompts_truncated=encoded.report.prompts_truncated + shortened,
    )
    if left_out:
        gone = Count("a pair too long with its critiques", len(left_out), tuple(left_out[:5]))
        report = replace(report, dropped=(*report.dropped, gone))
    fingerprint = f"{encoded.fingerprint}-critiques" if encoded.fingerprint else ""
    return replace(encoded, dataset=Dataset.from_list(rows), report=report, fingerprint=fingerprint)


def _texts(records: Records) -> dict[str, tuple[str, str]]:
    """The critiques of both answers, by the pair's id."""
    if records.streaming:
        raise DataError(
            "critiques are put behind answers before training, and a stream is read in training",
            where="data.streaming",
            fix="read the data whole",
        )
    found: dict[str, tuple[str, str]] = {}
    for row in records:
        both = tuple(row.get(name) or "" for name in COLUMNS)
        for name, said in zip(COLUMNS, both, strict=True):
            if not said.strip():
                raise DataError(
                    f"`{name}` is missing or empty",
                    where=f"{records.source}, row {row['id']}",
                    allowed="pairs with critiques of both answers: prompt, chosen, rejected, "
                    + ", ".join(COLUMNS),
                    fix="`truing reward critiques` has a model write them",
                )
        found[row["id"]] = (both[0], both[1])
    return found
