"""The mask of a run: made from the starting model, before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from truing.data.sources import load
from truing.data.views import view
from truing.objectives.methods.sft import nll
from truing.policies.packing import Tree
from truing.recipe.schema import SourceSection
from truing.training.prepare import Prepared, encode
from truing.unlearning.load import Job
from truing.unlearning.selection import density
from truing.unlearning.weight_mask import weight_mask


@dataclass(frozen=True)
class _Answers:
    """Records as prompts with one answer each."""

    trees: list[Tree]

    def answers(self) -> list[Tree]:
        return self.trees


def starting_mask(job: Job, prepared: Prepared) -> dict[str, Tensor]:
    """Choose the weights that may change, by the answers themselves, whatever the method makes of them.

    Args:
        job: its ``selection`` is the rule.
        prepared: the run before its first step; the model is left as it was.

    Raises:
        TruingError: if the data cannot be read, or the rule gives no scores.
    """
    assert job.selection is not None
    forget = _read(job.recipe.forget, prepared)
    retain = None if job.recipe.retain is None else _read(job.recipe.retain, prepared)
    return weight_mask(prepared.policy, forget, retain, job.selection)


def described(mask: dict[str, Tensor], job: Job) -> str:
    """A mask in words."""
    assert job.selection is not None
    return f"{job.selection.rule}: {density(mask)['all']:.2%} of the weights may change"


def _read(section: SourceSection, prepared: Prepared) -> _Answers:
    records = load(
        section.path, split=section.split, layout=section.layout, columns=section.columns, limit=section.limit
    )
    # Of preferences the rejected answers are to be forgotten, as in training.
    answers = view(records, {"unwanted"}) if records.kind != "demonstrations" else records
    data = encode(answers, prepared.tokenizer, prepared.recipe, nll(), seed=prepared.recipe.training.seed)[1]
    return _Answers(data.trees(range(len(data))))
