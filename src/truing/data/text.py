"""From records to token trees: a prompt and its completions as token ids.

BOS stands once, at the start of the prompt, if the tokenizer uses one; EOS (or the template's end-of-turn token)
stands once, at the end of every completion. What does not fit shortens the prompt from the left first. Nothing
is cut, dropped or merged uncounted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from truing.data import token_cache
from truing.data.chat import ChatRenderer, own_template, resolve
from truing.data.encoded import Encoded
from truing.data.mismatch import mismatched
from truing.data.records import Records
from truing.data.row_encoder import REFUSED, RowEncoder
from truing.data.rows import Row
from truing.data.token_report import TokenReport
from truing.data.token_tally import TokenTally
from truing.errors import DataError

__all__ = ["Encoded", "TextEncoder", "mismatched"]

BATCH = 512
"""Rows that are tokenised at a time."""

MOST_REFUSED = 0.1
"""Share of rows that a chat template may refuse before it counts as the wrong template."""

NUMBERS = ("id", "label", "scores", "weight", "margin", "preference", "annotator", "ratings", "rated")


class TextEncoder:
    """Turns records into token ids with one tokenizer.

    Args:
        tokenizer: of transformers; a fast one.
        max_length: most tokens of prompt plus completion.
        max_prompt_length: most tokens of a prompt.
        chat_template: name of a built-in template, a file, or a template; the tokenizer's own by default.
        system: a system message for conversations that have none.

    Raises:
        DataError: if the lengths contradict each other, or the template cannot be read.
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        max_length: int | None = None,
        max_prompt_length: int | None = None,
        chat_template: str | None = None,
        system: str | None = None,
    ) -> None:
        _check_lengths(max_length, max_prompt_length)
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.max_prompt_length = max_prompt_length
        self.chat_template = None if chat_template is None else resolve(chat_template)
        self.system = system

    def encode(self, records: Records, *, cache: bool = True) -> Encoded:
        """Tokenise records.

        Args:
            records: of any kind.
            cache: keep the result in the cache folder, and take it from there.

        Raises:
            DataError: if messages meet a tokenizer without template, a setting has no effect on these records,
                a prompt has no tokens, the template refuses many rows, or no row is left.
        """
        encoder = RowEncoder(self.tokenizer, self._renderer(records), self.max_length, self.max_prompt_length)
        columns = _columns(records)
        if records.streaming:
            return self._stream(records, encoder, columns)
        annotators = _annotators(records)
        key = self._key(records) if cache else None
        found = None if key is None else token_cache.read(key)
        if found is not None:
            return Encoded(found[0], records.kind, found[1], annotators, key or "")
        tally = TokenTally()
        rows = _encoded_rows(records, encoder, tally, columns, annotators)
        dataset = token_cache.table(rows, columns, None if key is None else token_cache.path_of(key))
        report = tally.report(self._notes(records, columns))
        _check_report(report, records)
        if key is not None:
            token_cache.write_report(key, report)
        return Encoded(dataset, records.kind, report, annotators, key or "")

    def _renderer(self, records: Records) -> ChatRenderer | None:
        if records.conversational:
            return ChatRenderer(self.tokenizer, self.chat_template, self.system)
        for name, value in (("chat_template", self.chat_template), ("system", self.system)):
            if value is not None:
                raise DataError(
                    f"data.{name} has no effect: prompts and answers are plain text, not messages",
                    where=f"{records.source}, layout {records.layout!r}",
                    fix=f"leave data.{name} out, or write the prompts as message lists",
                )
        return None

    def _notes(self, records: Records, columns: Sequence[str]) -> list[str]:
        said = []
        if not records.conversational and getattr(self.tokenizer, "chat_template", None):
            said.append(
                "the tokenizer has a chat template, but the data is plain text, so that it is not applied; "
                "write prompts as message lists to apply it"
            )
        if records.streaming:
            said.append("margins and annotators are left out: a stream does not tell whether every row has them")
        elif "margin" in records.columns and "margin" not in columns:
            said.append("the column margin is left out, because some rows have none")
        if self.tokenizer.eos_token_id is None:
            said.append("the tokenizer has no end-of-sequence token: nothing teaches the model when to stop")
        return said

    def _key(self, records: Records) -> str | None:
        identity = token_cache.tokenizer_identity(self.tokenizer)
        if identity is None:
            return None
        template = (self.chat_template or own_template(self.tokenizer)) if records.conversational else ""
        return token_cache.key(
            records.fingerprint, identity, self.max_length, self.max_prompt_length, template, self.system
        )

    def _stream(self, records: Records, encoder: RowEncoder, columns: Sequence[str]) -> Encoded:
        """Encode rows as they are read; the report is about the first of them."""
        from datasets import Features, IterableDataset

        tally = TokenTally()
        first = list(islice(iter(records.dataset), BATCH))
        for _ in encoder(first, records.kind, tally):
            pass
        notes = [*self._notes(records, columns), f"only the first {len(first)} rows were looked at"]
        report = tally.report(notes, partial=True)
        _check_report(report, records)

        def generate() -> Iterator[Row]:
            yield from _encoded_rows(records, encoder, TokenTally(loud=True), columns, ())

        features = Features.from_arrow_schema(token_cache.schema(columns))
        return Encoded(IterableDataset.from_generator(generate, features=features), records.kind, report)


def _encoded_rows(
    records: Records, encoder: RowEncoder, tally: TokenTally, columns: Sequence[str], annotators: Sequence[str]
) -> Iterator[Row]:
    codes = {name: number for number, name in enumerate(annotators)}
    source = iter(records.dataset)
    while batch := list(islice(source, BATCH)):
        for tokens in encoder(batch, records.kind, tally):
            yield {
                "prompt_ids": tokens.prompt,
                "completion_ids": tokens.completions,
                **{name: _value(tokens.row, name, codes) for name in columns},
            }


def _value(row: Mapping[str, Any], name: str, codes: Mapping[str, int]) -> Any:
    value = row.get(name)
    if name == "annotator":
        return -1 if value is None else codes[value]
    # A row without a weight counts once; one without a probability is certain.
    return 1.0 if value is None and name in ("weight", "preference") else value


def _columns(records: Records) -> list[str]:
    """Columns that training can use; ``margin`` only if every row has one."""
    names = [name for name in NUMBERS if name in records.columns]
    if records.streaming:
        # Every optional column is announced, and those to come are not known to be filled.
        unknown = {"margin", "annotator"} | ({"preference"} if records.kind != "pairs" else set())
        return [name for name in names if name not in unknown]
    if "margin" in names and any(value is None for value in records.dataset["margin"]):
        names.remove("margin")
    return names


def _annotators(records: Records) -> tuple[str, ...]:
    if "annotator" not in records.columns:
        return ()
    return tuple(sorted({name for name in records.dataset["annotator"] if name is not None}))


def _check_lengths(max_length: int | None, max_prompt_length: int | None) -> None:
    if max_length is not None and max_length < 2:
        raise DataError(
            f"max_length is {max_length}", where="data.max_length", allowed="2 or more: a prompt and an answer"
        )
    if max_prompt_length is not None and max_prompt_length < 1:
        raise DataError(
            f"max_prompt_length is {max_prompt_length}", where="data.max_prompt_length", allowed="1 or more"
        )
    if max_length is not None and max_prompt_length is not None and max_prompt_length >= max_length:
        raise DataError(
            f"max_prompt_length ({max_prompt_length}) leaves no room for an answer in max_length ({max_length})",
            where="data.max_prompt_length",
            fix=f"choose it below {max_length}",
        )


def _check_report(report: TokenReport, records: Records) -> None:
    """Raise if no row is left, or the template refuses so many that it must be the wrong one."""
    refused = [count for count in report.dropped if count.what.startswith(REFUSED)]
    number = sum(count.number for count in refused)
    total = report.rows + report.rows_dropped
    if number > MOST_REFUSED * total:
        reason = refused[0].what.removeprefix(f"{REFUSED}: ")
        raise DataError(
            f"the chat template refuses {number:,} of {total:,} rows: {reason}",
            where=f"{records.source}, row {', '.join(refused[0].ids)}",
            fix="choose another data.chat_template, or change these conversations "
            "(templates refuse system messages, roles that do not alternate, or unknown roles)",
        )
    if report.rows == 0:
        raise DataError(
            "no row is left after tokenisation",
            where=records.source,
            fix="; ".join(map(str, report.dropped)) or "the records are empty",
        )
