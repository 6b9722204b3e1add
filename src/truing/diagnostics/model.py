"""Diagnose a model on pairs: alone, or beside the model that it was trained from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from truing.diagnostics import against, alone, own_answers
from truing.diagnostics.pair_scores import ches_of, score_pairs
from truing.diagnostics.positions import PositionKL
from truing.diagnostics.readings import Reading
from truing.errors import DataError, TruingError

if TYPE_CHECKING:
    from truing.data.records import Records
    from truing.policies.causal import CausalPolicy
    from truing.policies.packing import Tree
    from truing.policies.precision import Precision


@dataclass(frozen=True)
class Options:
    """How a model is diagnosed.

    Attributes:
        limit: most pairs that are looked at; the first ones.
        beta: of the objective that trained the model, or will; for the idealised accuracy.
        flip_rate: share of labels that are assumed wrong, where the data has no column ``preference``.
        samples: prompts that are answered, for where pairs stand and, with a reference, for length and KL by position;
            0 for none.
        max_new_tokens: length of these answers.
        max_length: tokens of prompt and answer.
        precision: auto, float32 or bfloat16.
        chat_template, system: as in a recipe.
    """

    limit: int = 500
    beta: float = 0.1
    flip_rate: float = 0.1
    samples: int = 32
    max_new_tokens: int = 64
    max_length: int | None = 1024
    precision: str = "auto"
    chat_template: str | None = None
    system: str | None = None

    def __post_init__(self) -> None:
        for name, value, fine, allowed in (
            ("--limit", self.limit, self.limit >= 5, "5 or more"),
            ("--beta", self.beta, self.beta > 0, "> 0"),
            (
                "--flip-rate",
                self.flip_rate,
                0 < self.flip_rate < 0.5,
                "above 0 and below 0.5; at 0 every ideal is 1",
            ),
            ("--samples", self.samples, self.samples >= 0, "0 or more"),
            (
                "--precision",
                self.precision,
                self.precision in ("auto", "float32", "bfloat16"),
                "auto, float32, bfloat16",
            ),
        ):
            if not fine:
                raise TruingError(f"{name} cannot be {value}", where=name, allowed=allowed)


@dataclass(frozen=True)
class ModelDiagnosis:
    """What was measured.

    Attributes:
        model, reference, data: names; ``reference`` is ``None`` without one.
        pairs: pairs that were looked at.
        readings: the numbers with their meaning.
        positions: KL to the reference by position in the answer.
        rows: one mapping for each pair.
        notes: what the reader should know.
    """

    model: str
    reference: str | None
    data: str
    pairs: int
    readings: list[Reading]
    positions: list[PositionKL] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "reference": self.reference,
            "data": self.data,
            "pairs": self.pairs,
            "readings": [reading.as_dict() for reading in self.readings],
            "kl_by_position": [position.as_dict() for position in self.positions],
            "notes": self.notes,
        }


def diagnose_model(
    model: str, data: str | Records, *, reference: str | None = None, options: Options | None = None
) -> ModelDiagnosis:
    """Measure what the literature says to look at.

    Args:
        model: folder or hub name.
        data: pairs, or ranked answers; as for training, or records that were read already.
        reference: the model that training started from.
        options: how.

    Raises:
        TruingError: if the data holds no pairs, or anything cannot be loaded.
    """
    options = options or Options()
    tokenizer, ids, trees, preference, notes, source = _pairs(model, data, options)
    policy = _policy(model, tokenizer, options)
    own = score_pairs(policy, trees)
    readings = [*alone.ranking_now(own), alone.length_of_data(own)]
    if reference is None:
        ches = ches_of(policy, trees)
        readings += [
            alone.displacement_risk(ches[0], ids, whose="the model"),
            *own_answers.beside_pairs(policy, own, trees, options),
            *alone.uncertainty(own),
        ]
        notes.append("without --reference there is nothing to compare with: no change, no flips, no distance")
        lines = against.rows(ids, own, ches, None)
        return ModelDiagnosis(model, None, source, len(trees), readings, rows=lines, notes=notes)
    other = _policy(reference, tokenizer, options)
    base = score_pairs(other, trees)
    ches = ches_of(other, trees)
    if isinstance(preference, float):
        notes.append(f"the data has no column preference: {options.flip_rate:.0%} of labels are taken as wrong")
    if np.array_equal(own.logps, base.logps):
        notes.append("model and reference give the same numbers: they are the same model")
    changed, ranked = against.ranking_change(own, base, preference, options.beta)
    readings[2:2] = changed
    readings += [
        *against.properties(own, base),
        alone.displacement_risk(ches[0], ids, whose="the reference"),
        against.ches_and_displacement(ches[0], own, base),
        *against.uncertainty_change(own, base),
        against.length_lean(own, base),
    ]
    sampled, positions = own_answers.of_both(policy, other, base, trees, options)
    lines = against.rows(ids, own, ches, ranked)
    return ModelDiagnosis(model, reference, source, len(trees), [*readings, *sampled], positions, lines, notes)


def _pairs(
    model: str, data: str | Records, options: Options
) -> tuple[Any, list[str], list[Tree], np.ndarray | float, list[str], str]:
    """Tokenised pairs with their ids and, where known, the probability that chosen is preferred."""
    from truing.data.sources import load
    from truing.data.text import TextEncoder
    from truing.data.views import view
    from truing.policies.loading import load_tokenizer
    from truing.training.examples import ExampleData

    records = load(data) if isinstance(data, str) else data
    if records.kind not in ("pairs", "ranked"):
        raise DataError(
            f"a diagnosis needs pairs, and this is {records.kind} data",
            where=f"{records.source}, layout {records.layout!r}",
            allowed="prompt, chosen and rejected; or ranked answers with scores",
            fix="give preference pairs with --data; `truing data check` shows how a file was read",
        )
    records = view(records, {"pairs"})
    total = len(records)
    notes = []
    if total > options.limit:
        from dataclasses import replace

        dataset: Any = records.dataset
        records = replace(records, dataset=dataset.select(range(options.limit)))
        notes.append(f"the first {options.limit:,} of {total:,} pairs (--limit)")
    tokenizer = load_tokenizer(model)
    encoder = TextEncoder(
        tokenizer, max_length=options.max_length, chat_template=options.chat_template, system=options.system
    )
    encoded = encoder.encode(records)
    if len(encoded.dataset) < 5:
        raise DataError(
            f"{len(encoded.dataset)} pairs are too few to say anything", where=records.source, allowed="5 or more"
        )
    examples = ExampleData(encoded.dataset, "pairs")
    preference: np.ndarray | float = 1 - options.flip_rate
    if "preference" in encoded.dataset.column_names:
        preference = np.asarray(encoded.dataset["preference"], dtype=np.float64)
    ids = [str(i) for i in encoded.dataset["id"]]
    return tokenizer, ids, examples.trees(range(len(examples))), preference, notes, records.source


def _policy(name: str, tokenizer: Any, options: Options) -> CausalPolicy:
    import torch

    from truing.policies.causal import CausalPolicy
    from truing.policies.loading import load_model

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    loaded = load_model(name, device=device)
    rows = loaded.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise TruingError(
            f"the reference {name!r} has {rows:,} tokens and the model's tokenizer {len(tokenizer):,}: "
            "they cannot score the same answers",
            where="--reference",
            fix="give the model that training started from",
        )
    return CausalPolicy(loaded, tokenizer, precision=cast("Precision", options.precision))


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """One JSON object for each pair."""
    import json

    from truing.writing import write_text

    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
