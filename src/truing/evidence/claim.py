"""The registry of claims: what a method's theory predicts, and the experiment that could refute it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from truing.evidence.measurement import Measurement
from truing.evidence.subjects import subject
from truing.objectives import Objective
from truing.registry import Registry

Factory = Callable[..., Objective]
# The first argument builds an objective (a Factory) or measures (the function of an audit).
Experiment = Callable[[Any, int], Measurement]


@dataclass(frozen=True)
class Claim:
    """A prediction about one method.

    Args:
        name: the method and a short title, e.g. ``"dpo/tilted-optimum"``.
        method: registered name of the objective, audit or relabelling.
        statement: one sentence.
        source: the paper, or the entry of the catalogue, that it follows from.
        experiment: builds the objective with the factory that it is given (or applies the audit or relabelling that it
            is given), in a world drawn from the seed, and measures.
    """

    name: str
    method: str
    statement: str
    source: str
    experiment: Experiment
    aliases: tuple[str, ...] = ()

    def measure(self, seed: int = 0, factory: Callable[..., Any] | None = None) -> Measurement:
        """Run the experiment.

        Args:
            seed: of everything that is random in it.
            factory: builds the objective from its hyper-parameters, or stands in for the audit or relabelling; what is
                registered if left out. A factory with a mistake in it is how the claim's ability to fail is tested.
        """
        return self.experiment(subject(self.method) if factory is None else factory, seed)


CLAIMS: Registry[Claim] = Registry("claim")


def claim(*, method: str, statement: str, source: str) -> Callable[[Experiment], Experiment]:
    """Register an experiment; the claim is called ``method/name-of-the-function``."""

    def register(experiment: Experiment) -> Experiment:
        registered = subject(method).name
        title = experiment.__name__.replace("_", "-")
        CLAIMS.add(Claim(f"{registered}/{title}", registered, statement, source, experiment))
        return experiment

    return register


def claims_for(method: str) -> list[Claim]:
    """All claims about a method, by name or alias.

    Raises:
        TruingError: if there is no such name.
    """
    name = subject(method).name
    return [entry for entry in CLAIMS if entry.method == name]
