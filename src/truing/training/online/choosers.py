"""Which records a rollout becomes, where rewards alone do not say it."""

from __future__ import annotations

from collections.abc import Callable

from truing.objectives.algebra import Objective
from truing.objectives.algebra.internal import VERDICTS
from truing.policies.causal import CausalPolicy
from truing.rewards.algebra import Prompt
from truing.rewards.judges.local import LocalJudge
from truing.training.online.choosing import Chooser
from truing.training.online.verdicts import SelfJudged

PromptOf = Callable[[str], Prompt]
"""The prompt of a record, by its id."""


def chooser_for(objective: Objective, policy: CausalPolicy, prompt: PromptOf) -> Chooser | None:
    """What makes records for an objective; ``None`` where rewards alone decide.

    Args:
        objective: what learns from them.
        policy: the trained model.
        prompt: of a record.
    """
    for requirement, build in _CHOOSERS.items():
        if requirement in objective.requires:
            return build(policy, prompt)
    return None


def _self_judged(policy: CausalPolicy, prompt: PromptOf) -> Chooser:
    longest = getattr(policy.inner.config, "max_position_embeddings", None)
    return SelfJudged(LocalJudge(policy), prompt, longest)


_CHOOSERS: dict[str, Callable[[CausalPolicy, PromptOf], Chooser]] = {f"part:{VERDICTS[0]}": _self_judged}
