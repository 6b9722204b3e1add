"""SCIR: verdicts, their agreement, and what is paid for disagreement."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives import METHODS
from truing.objectives.algebra.internal import VERDICTS
from truing.worlds.verdicts import Verdicts

SCIR = METHODS.get("scir")


def world(implicit: list[float], spoken: list[float], first: float = 0.0) -> Verdicts:
    return Verdicts(torch.tensor(implicit, dtype=torch.float64), torch.tensor(spoken, dtype=torch.float64), first)


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def entropy(p: float) -> float:
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


def test_one_pair_by_hand() -> None:
    """Verdicts 0.8 and 0.6: −log 0.8 + H(0.7) − ½ (H(0.8) + H(0.6)) + 0.5 H(0.7)."""
    found = world([logit(0.8)], [logit(0.6)]).loss(SCIR(beta=1.0))
    expected = -math.log(0.8) + 1.5 * entropy(0.7) - 0.5 * (entropy(0.8) + entropy(0.6))
    assert float(found) == pytest.approx(expected) == pytest.approx(0.5527, abs=1e-4)


def test_each_verdict_is_a_label_for_the_other() -> None:
    """0.8 and 0.6: −log 0.8 − log 0.6; 0.8 and 0.4: −log 0.2 − log 0.4."""
    objective = SCIR(beta=1.0, penalty="exchange") + -1.0 * SCIR(beta=1.0, consistency=0.0)
    one = float(world([logit(0.8)], [logit(0.6)]).loss(objective))
    other = float(world([logit(0.8)], [logit(0.4)]).loss(objective))
    assert one == pytest.approx(-math.log(0.8) - math.log(0.6))
    assert other == pytest.approx(-math.log(0.2) - math.log(0.4))


@pytest.mark.parametrize("penalty", ["divergence", "exchange"])
def test_roles_are_not_labels(penalty: str) -> None:
    scores, batch = world([0.5, -1.0, 2.0], [0.7, 0.1, -2.0], first=0.4).scored()
    objective = SCIR(beta=1.0, penalty=penalty)
    assert float(objective(scores, batch).loss) == pytest.approx(float(objective(scores, batch.exchanged()).loss))


def test_unsure_pairs_teach_nothing() -> None:
    """σ(0.5) = 0.62 and σ(2) = 0.88; both verdicts have to be surer than 0.7."""
    given = world([0.5, 2.0, 2.0, -2.0], [2.0, 0.5, 2.0, -2.0])
    pull = given.pull(SCIR(beta=1.0, confidence=0.7, consistency=0.0))
    assert (pull != 0).tolist() == [False, False, True, True]
    assert torch.sign(pull[2:]).tolist() == [1.0, -1.0]


def test_where_verdicts_agree_the_rest_is_dpo() -> None:
    given = world([0.5, 2.0], [1.0, 1.0])
    scores, batch = given.scored()
    dpo = METHODS.get("dpo")(beta=1.0)(scores, replace(batch, parts={})).loss
    assert float(given.loss(SCIR(beta=1.0, consistency=0.0))) == pytest.approx(float(dpo))


def test_metrics_tell_agreement_and_rightness_apart() -> None:
    """Agreed: the first, rightly, and the third, wrongly. The fourth does not count."""
    given = replace(
        world([1.0, 1.0, -1.0, 1.0], [1.0, -1.0, -1.0, 1.0]), weight=torch.tensor([1.0, 1.0, 1.0, 0.0])
    )
    metrics = SCIR(beta=1.0)(*given.scored()).metrics
    assert float(metrics["verdicts/agreed"] / metrics["count/verdicts/agreed"]) == pytest.approx(2 / 3)
    assert float(metrics["verdicts/right"] / metrics["count/verdicts/right"]) == pytest.approx(1 / 2)


def test_what_it_needs() -> None:
    assert {"online", "reference", *(f"part:{name}" for name in VERDICTS)} == SCIR().requires


def test_certain_verdicts_have_a_finite_gradient() -> None:
    pull = world([60.0, -60.0], [-60.0, -60.0]).pull(SCIR(beta=1.0))
    assert pull.isfinite().all()


@pytest.mark.parametrize(
    "settings", [{"confidence": 0.4}, {"confidence": 1.0}, {"consistency": -1.0}, {"penalty": "kl"}]
)
def test_bounds(settings: dict[str, object]) -> None:
    with pytest.raises(ObjectiveError):
        SCIR(**settings)
