"""The contrastive term of secrets-rm: by hand, without pairs of weight 0, and what it refuses."""

from __future__ import annotations

import math

import pytest
import torch

from truing.errors import ObjectiveError
from truing.objectives import Batch, Scores, bradley_terry, secrets_rm
from truing.objectives.algebra.contrast import GapContrast


def scores(states: torch.Tensor) -> Scores:
    count = len(states)
    nothing = torch.zeros(count, dtype=states.dtype)
    return Scores(nothing, torch.arange(count), count, states=states, values=states[:, :1])


def gaps(rows: torch.Tensor) -> Scores:
    """Pairs whose differences are these: rejected has state 0."""
    return scores(torch.stack([rows, torch.zeros_like(rows)], dim=1).flatten(0, 1))


def losses(term: GapContrast, given: Scores, batch: Batch) -> torch.Tensor:
    found = term.losses(given, batch, term.init())
    return found.values * found.weights


def test_two_pairs_by_hand():
    """Without masks d = d′: cosines are 1 with itself and 0.6 with the other, so log(1 + e^((0.6 − 1)/0.5)) each."""
    given = gaps(torch.tensor([[2.0, 0.0], [3.0, 4.0]], dtype=torch.float64))
    expected = math.log1p(math.exp(-0.4 / 0.5))
    assert losses(GapContrast(0.5, 0.0), given, Batch.pairs(2)).tolist() == pytest.approx([expected, expected])


def test_a_pair_alone_has_nothing_to_be_told_from():
    given = gaps(torch.randn(1, 8, generator=torch.Generator().manual_seed(0)))
    assert float(losses(GapContrast(0.05, 0.5), given, Batch.pairs(1))) == 0.0


def test_a_weight_of_0_is_the_same_as_leaving_the_pair_out():
    rows = torch.randn(4, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    term = GapContrast(0.2, 0.0)
    weight = torch.tensor([1.0, 2.0, 1.0, 0.0])
    both = losses(term, gaps(rows), Batch.pairs(4, weight=weight))
    without = losses(term, gaps(rows[:3]), Batch.pairs(3, weight=weight[:3]))
    torch.testing.assert_close(both[:3], without)
    assert float(both[3]) == 0.0


def test_masks_are_new_in_every_training_batch_and_the_first_for_held_out_ones():
    given, batch = gaps(torch.ones(4, 16)), Batch.pairs(4)
    term = GapContrast(0.5, 0.3, seed=2)

    def loss(state: dict[str, torch.Tensor]) -> list[float]:
        return term.losses(given, batch, state).values.tolist()

    once = term.update(term.init(), given, batch, None, True)
    twice = term.update(once, given, batch, None, True)
    assert int(twice["batches"]) == 2
    assert loss(once) != loss(twice)
    assert loss(term.update(twice, given, batch, None, False)) == loss(term.init())
    assert loss(once) == loss({"batches": torch.tensor([1])})
    assert loss(once) != GapContrast(0.5, 0.3, seed=3).losses(given, batch, once).values.tolist()


def test_masks_keep_the_mean():
    """A component survives with probability 0.75, and is then worth 4/3."""
    one, other = GapContrast(0.5, 0.25)._views(torch.ones(100, 400), 1)
    assert sorted(one.unique().tolist()) == pytest.approx([0.0, 4 / 3])
    # 40,000 components have a standard error of 0.003.
    assert float(one.mean()) == pytest.approx(1.0, abs=0.015)
    assert float((one != other).float().mean()) == pytest.approx(2 * 0.75 * 0.25, abs=0.015)


def test_without_weight_nothing_is_contrasted():
    assert secrets_rm().coupling == "none"
    assert "states" not in secrets_rm().requires
    assert "InfoNCE" in secrets_rm(contrast=0.5).text()


def test_bad_settings_are_explained():
    with pytest.raises(ObjectiveError, match="temperature"):
        secrets_rm(contrast=1.0, temperature=0.0)
    with pytest.raises(ObjectiveError, match="dropout"):
        secrets_rm(contrast=1.0, dropout=1.0)
    nothing = Scores(torch.zeros(4), torch.arange(4), 4, values=torch.zeros(4, 1))
    with pytest.raises(ObjectiveError, match="states of answers are contrasted, and the scores have none"):
        secrets_rm(contrast=1.0)(nothing, Batch.pairs(2))
    mixed = bradley_terry(centre=0.0) + secrets_rm(contrast=1.0, centre=0.0)
    with pytest.raises(ObjectiveError, match="depends on the other pairs of the batch"):
        mixed.with_latent_order(0.8, 0.9)
