"""Which records a rollout becomes, where rewards alone do not say it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from truing.objectives.algebra import Objective
from truing.objectives.algebra.agreed import AGREED
from truing.objectives.algebra.internal import VERDICTS
from truing.objectives.algebra.logged import LOGGED, REAL
from truing.policies.causal import CausalPolicy
from truing.rewards.algebra import Prompt
from truing.rewards.judges.local import LocalJudge
from truing.rewards.judges.ranking import RankingJudge
from truing.rewards.pipeline import Pipeline
from truing.training.online.agreement import AgreedRankings, mean_logps
from truing.training.online.choosing import Chooser
from truing.training.online.logged import FreshAgainstLogged, Logged, WithReal
from truing.training.online.verdicts import SelfJudged

PromptOf = Callable[[str], Prompt]
"""The prompt of a record, by its id."""


@dataclass(frozen=True)
class Given:
    """What choosers are made from.

    Attributes:
        policy: the trained model.
        prompt: of a record.
        rewards: of the run.
        folder: of the rollout log.
        logged: answers that the records hold.
    """

    policy: CausalPolicy
    prompt: PromptOf
    rewards: Pipeline
    folder: Path
    logged: Logged


def chooser_for(objective: Objective, given: Given) -> Chooser | None:
    """What makes records for an objective; ``None`` where rewards alone decide."""
    for requirement, build in _CHOOSERS.items():
        if requirement in objective.requires:
            return build(given)
    return None


def _self_judged(given: Given) -> Chooser:
    longest = getattr(given.policy.inner.config, "max_position_embeddings", None)
    return SelfJudged(LocalJudge(given.policy), given.prompt, longest)


def _agreed_rankings(given: Given) -> Chooser:
    judges = [scorer for scorer in given.rewards.scorers if isinstance(scorer, RankingJudge)]
    for judge in judges:
        judge.keep_in(given.folder)
    return AgreedRankings(partial(mean_logps, given.policy), given.prompt, [judge.show for judge in judges])


_CHOOSERS: dict[str, Callable[[Given], Chooser]] = {
    f"part:{VERDICTS[0]}": _self_judged,
    AGREED: _agreed_rankings,
    f"part:{REAL}": lambda given: WithReal(given.logged),
    LOGGED: lambda given: FreshAgainstLogged(given.logged),
}
