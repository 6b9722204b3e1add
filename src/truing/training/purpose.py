"""What a run makes of a model: what is measured around training, and what the result is called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from truing.evaluation.findings import Finding
from truing.objectives.algebra import Objective
from truing.policies.generation import Progress
from truing.training.after import measure_after, measure_before
from truing.training.combinations import only_policies
from truing.training.prepare import Prepared
from truing.training.references import Resolved


class Measured(Protocol):
    """What training changed."""

    @property
    def findings(self) -> list[Finding]: ...

    def as_dict(self) -> dict[str, Any]: ...


class Purpose(Protocol):
    """The stages of a run that differ by what is trained."""

    @property
    def done(self) -> str:
        """What was done to the starting model, e.g. ``"aligned"``."""
        ...

    @property
    def task(self) -> str:
        """What the hub calls the result's task."""
        ...

    def check(self, objective: Objective) -> None:
        """Refuse an objective that trains something else.

        Raises:
            RecipeError: naming the command that takes it.
        """
        ...

    def before(self, prepared: Prepared, references: Resolved, progress: Progress | None) -> Any:
        """Measure the starting model."""
        ...

    def after(self, prepared: Prepared, before: Any, progress: Progress | None) -> Measured:
        """Measure the trained model, and compare."""
        ...

    def export(self, prepared: Prepared, model: Path) -> None:
        """Add to the model's folder what its users need beside weights and tokenizer."""
        ...

    def report(self, folder: Path) -> None:
        """Write ``report.html`` from the run's record."""
        ...


@dataclass(frozen=True)
class AlignPolicy:
    """A policy is trained: held-out records and sampled answers are compared with the starting model's."""

    done: str = "aligned"
    task: str = "text-generation"

    def check(self, objective: Objective) -> None:
        only_policies(objective)

    def before(self, prepared: Prepared, references: Resolved, progress: Progress | None) -> Any:
        return measure_before(prepared, references, progress)

    def after(self, prepared: Prepared, before: Any, progress: Progress | None) -> Measured:
        return measure_after(prepared, before, progress)

    def export(self, prepared: Prepared, model: Path) -> None:
        pass

    def report(self, folder: Path) -> None:
        from truing.report import write_run_report

        write_run_report(folder)
