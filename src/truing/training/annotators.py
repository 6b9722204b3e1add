"""Who labelled what: one numbering of annotators for training and held-out records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from truing.objectives.algebra.latent import ANNOTATOR
from truing.training.examples import ExampleData

UNKNOWN = -1


def numbered_as(examples: ExampleData, own: Sequence[str], names: Sequence[str]) -> ExampleData:
    """Records whose column ``annotator`` has the numbers of other records.

    Every data set numbers its annotators from 0, so that the same number may mean two people.

    Args:
        examples: records that are numbered by ``own``.
        own: names that their numbers stand for.
        names: names that the new numbers stand for; whoever is not among them gets −1, as those without a name.
    """
    if not own or list(own) == list(names):
        return examples
    new = {name: number for number, name in enumerate(names)}
    numbers = np.array([*(new.get(name, UNKNOWN) for name in own), UNKNOWN])
    # The number −1 finds the last entry.
    column = numbers[np.asarray(examples.rows[ANNOTATOR])]
    return replace(examples, columns={**examples.columns, ANNOTATOR: column})
