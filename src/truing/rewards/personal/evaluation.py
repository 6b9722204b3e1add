"""Labelled pairs judged by the reward of who labelled them."""

from __future__ import annotations

import numpy as np
import torch

from truing.rewards.evaluation.pairs import JudgedPairs
from truing.rewards.personal.comparisons import Comparisons
from truing.rewards.personal.fitted import PersonalRewards
from truing.training.examples import ExampleData


def judged_by_user(fitted: PersonalRewards, pairs: Comparisons, examples: ExampleData) -> JudgedPairs:
    """What each pair's user is said to prefer; subsets are the users.

    Args:
        fitted: that knows all of them.
        pairs: as vectors.
        examples: the same pairs as tokens.

    Raises:
        DataError: if a user is not known.
    """
    everything = range(len(examples))
    sides = [fitted.rewards(pairs.users, pairs.prompts, side) for side in (pairs.chosen, pairs.rejected)]
    return JudgedPairs(
        ids=[str(row["id"]) for row in examples.take(everything)],
        rewards=torch.stack(sides, 1).double().numpy(),
        lengths=np.array([[len(branch) for branch in tree.branches] for tree in examples.trees(everything)]),
        subsets=pairs.users,
    )
