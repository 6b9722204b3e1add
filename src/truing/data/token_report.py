"""What tokenisation did, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from truing.data.records import Count


@dataclass(frozen=True)
class Quantiles:
    """A set of numbers, such as lengths in tokens; ``nan`` where there are none."""

    count: int
    total: float
    mean: float
    minimum: float
    median: float
    p90: float
    p99: float
    maximum: float

    @classmethod
    def of(cls, lengths: Sequence[float]) -> Quantiles:
        """The quantiles of some lengths (linear interpolation)."""
        import numpy as np

        if len(lengths) == 0:
            return cls(0, 0, *[float("nan")] * 6)
        values = np.asarray(lengths)
        low, median, p90, p99, high = np.quantile(values, [0, 0.5, 0.9, 0.99, 1])
        return cls(
            len(values), float(values.sum()), float(values.mean()), *map(float, (low, median, p90, p99, high))
        )


@dataclass(frozen=True)
class TokenReport:
    """Counts of one tokenisation.

    Args:
        rows: rows that were tokenised and kept.
        prompt_tokens: lengths of their prompts, after truncation.
        completion_tokens: lengths of all their completions, after truncation.
        boundary_merges: rows in which tokenising prompt and answer in one go would give other tokens at the
            boundary. Those answers begin with tokens that the model would not choose by itself.
        template_rewrites: rows in which the chat template renders the prompt differently once an answer follows;
            they are split after what both renderings share.
        prompts_truncated: prompts that were shortened from the left.
        completions_truncated: completions that were cut at the end, so that they end without EOS.
        without_eos: rows with a completion that does not end in EOS or an end-of-turn token.
        double_bos_avoided: rows whose text begins with BOS already, where the tokenizer would have added another.
        dropped: rows left out, by reason.
        notes: what else there is to know, in words.
        partial: whether only the first rows were looked at (streaming).
    """

    rows: int
    prompt_tokens: Quantiles
    completion_tokens: Quantiles
    boundary_merges: int
    template_rewrites: int
    prompts_truncated: int
    completions_truncated: int
    without_eos: int
    double_bos_avoided: int
    dropped: tuple[Count, ...] = ()
    notes: tuple[str, ...] = ()
    partial: bool = False

    @property
    def rows_dropped(self) -> int:
        """Rows left out, for whatever reason."""
        return sum(count.number for count in self.dropped)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TokenReport:
        """The report that :meth:`as_dict` (or its JSON) describes."""
        fields = dict(values)
        for name in ("prompt_tokens", "completion_tokens"):
            numbers: dict[str, Any] = {k: float("nan") if v is None else v for k, v in fields[name].items()}
            fields[name] = Quantiles(**numbers)
        counts = [Count(c["what"], c["number"], tuple(c["ids"])) for c in fields["dropped"]]
        return cls(**{**fields, "dropped": tuple(counts), "notes": tuple(fields["notes"])})

    def lines(self) -> list[str]:
        """What a reader should know, one sentence a line; nothing where all is well."""
        rows = self.rows
        found = [
            (self.prompts_truncated, "prompts shortened from the left to fit"),
            (self.completions_truncated, "completions cut at the end"),
            (
                self.boundary_merges,
                f"of {rows:,} rows would tokenise differently if prompt and answer were one text",
            ),
            (
                self.template_rewrites,
                f"of {rows:,} rows whose template rewrites the prompt once an answer follows",
            ),
            (self.without_eos, f"of {rows:,} rows with a completion that ends without EOS"),
        ]
        said = [f"{number:,} {text}" for number, text in found if number > 0]
        return [*said, *(f"left out: {count}" for count in self.dropped), *self.notes]
