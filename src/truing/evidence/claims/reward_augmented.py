"""Reward-augmented pairs (2410.08067): one prompt, five answers with scores, and a policy that is told the goal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from truing.data.derive import ask_for
from truing.data.rows import Row
from truing.evidence.claim import claim
from truing.evidence.measurement import Measurement, above, equals
from truing.evidence.setups import normals
from truing.objectives.methods.dpo import dpo
from truing.worlds import Data, LogLinear, Problem, descend, pairs

Relabel = Callable[[Row], Iterable[Row]]

SCORES = (1, 3, 5, 8, 10)
PLAIN = "Say it."
PAIRS = ((10, 8), (3, 1))
GOALS = (1, 3, 8, 10, 12)
"""Those of the data, and one that no pair has."""
BETA = 0.1


def _rows() -> list[Row]:
    return [
        {
            "id": str(number),
            "prompt": PLAIN,
            "chosen": str(better),
            "rejected": str(worse),
            "score_chosen": better,
            "score_rejected": worse,
        }
        for number, (better, worse) in enumerate(PAIRS)
    ]


def _policy(seed: int) -> LogLinear:
    """Logit = goal·v_y + c_y, on the prompt without a goal (goal 0) and on those with one; goals count in tenths."""
    each = torch.eye(len(SCORES), dtype=torch.float64)
    features = torch.stack([torch.cat([goal / 10 * each, each], -1) for goal in (0, *GOALS)])
    return LogLinear(features, base=0.3 * normals(seed, 1, len(SCORES)).expand(1 + len(GOALS), -1))


def _data(rows: Iterable[dict[str, Any]]) -> Data:
    prompts = {PLAIN: 0, **{ask_for(PLAIN, goal): place for place, goal in enumerate(GOALS, start=1)}}
    found = list(rows)
    better, worse = ([SCORES.index(int(row[name])) for row in found] for name in ("chosen", "rejected"))
    return pairs(better, worse, prompt=[prompts[row["prompt"]] for row in found])


def _changes(policy: LogLinear, data: Data) -> Float[Tensor, "prompts answers"]:
    """Log-probabilities after training with DPO, minus those before."""
    trained = descend(policy, dpo(beta=BETA), data, steps=300, rate=20.0).policy
    return trained.logps().detach() - policy.logps().detach()


def _of(changes: Tensor, goal: int, score: int) -> float:
    return float(changes[1 + GOALS.index(goal), SCORES.index(score)])


@claim(
    method="reward-augmented",
    statement="Pairs say 10 over 8 and 3 over 1; trained on them with goals, the policy moves 10 above 8 under goal "
    "10, 8 above 10 under goal 8, and 10 above 8 under goal 12, which it has never seen: the smallest gap is above 0.",
    source="2410.08067, goal-conditioned reward −(g − s)²; catalogue, reward-augmented-pairs: evidence",
)
def ranks_by_the_goal(make: Relabel, seed: int) -> Measurement:
    changes = _changes(_policy(seed), _data(new for row in _rows() for new in make(row)))
    gaps = {
        "goal 10": _of(changes, 10, 10) - _of(changes, 10, 8),
        "goal 8": _of(changes, 8, 8) - _of(changes, 8, 10),
        "goal 12": _of(changes, 12, 10) - _of(changes, 12, 8),
    }
    return above(0.0, min(gaps.values()), "nats", **gaps)


@claim(
    method="reward-augmented",
    statement="DPO on the plain pairs pushes the good answer of score 8 down against the answer of score 5, which no "
    "pair names, and below its reference probability; asked for 8, the policy trained with goals moved it up against "
    "5: the smallest of the three moves is above 0.",
    source="2410.08067: good rejected answers are unlearned by plain preference training",
)
def good_losers_are_kept(make: Relabel, seed: int) -> Measurement:
    policy = _policy(seed)
    plain = _changes(policy, _data(_rows()))[0]
    augmented = _changes(policy, _data(new for row in _rows() for new in make(row)))
    loser, unnamed = SCORES.index(8), SCORES.index(5)
    moves = {
        "plain, below the reference": -float(plain[loser]),
        "plain, against 5": float(plain[unnamed] - plain[loser]),
        "asked for 8, against 5": _of(augmented, 8, 8) - _of(augmented, 8, 5),
    }
    return above(0.0, min(moves.values()), "nats", **moves)


@claim(
    method="reward-augmented",
    statement="The relabelled pairs without the goal in the prompt contradict each other: the loss cannot fall below "
    "log 2 = 0.693 nats.",
    source="catalogue, reward-augmented-pairs: negative control",
)
def nothing_is_learned_without_the_goal(make: Relabel, seed: int) -> Measurement:
    rows = [{**new, "prompt": PLAIN} for row in _rows() for new in make(row)]
    policy, data = _policy(seed), _data(rows)
    trace = descend(policy, dpo(beta=BETA), data, steps=100, rate=20.0)
    final = Problem(dpo(beta=BETA), data, policy.frozen()).loss(trace.policy)
    return equals(math.log(2), float(final.loss.detach()), 1e-6, "nats")
