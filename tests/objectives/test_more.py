"""MORE: shortest combinations, weights from batch to batch, parts of a batch, bad input."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from truing.errors import ObjectiveError
from truing.objectives import METHODS, Batch, Scores, bradley_terry
from truing.objectives.algebra.sources import products, shortest

more = METHODS.get("more")
COLUMN = "source:source"


def scores(values: list[float], states: list[list[float]]) -> Scores:
    count = len(values)
    return Scores(
        torch.zeros(count, dtype=torch.float64),
        torch.arange(count),
        count,
        values=torch.tensor(values, dtype=torch.float64)[:, None],
        states=torch.tensor(states, dtype=torch.float64),
    )


def batch(source: list[int], **columns) -> Batch:
    return Batch.pairs(len(source), columns={COLUMN: torch.tensor(source, dtype=torch.float64)}, **columns)


def test_two_gradients_have_a_closed_form():
    """(2, 0) and (0, 1): λ_1 = ((g_2 − g_1)·g_2)/‖g_1 − g_2‖² = 1/5; (1, 0) and (3, 0): all weight on the shorter."""
    assert shortest(products(torch.tensor([[2.0, 0.0], [0.0, 1.0]]))).tolist() == pytest.approx([0.2, 0.8])
    assert shortest(products(torch.tensor([[1.0, 0.0], [3.0, 0.0]]))).tolist() == pytest.approx(
        [1.0, 0.0], abs=1e-9
    )
    assert shortest(products(torch.tensor([[1.0, 0.0], [-3.0, 0.0]]))).tolist() == pytest.approx([0.75, 0.25])
    assert shortest(products(torch.zeros(3, 2))).tolist() == pytest.approx([1 / 3] * 3)


@given(st.integers(0, 10_000), st.integers(2, 6))
def test_the_shortest_is_optimal(seed, count):
    """No gradient is nearer to 0 along d than d itself, and Frank–Wolfe's gap is 0: the conditions of optimality."""
    draw = torch.Generator().manual_seed(seed)
    gradients = torch.randn(count, 4, generator=draw, dtype=torch.float64) + torch.randn(4, generator=draw)
    weights = shortest(products(gradients))
    step = weights @ gradients
    assert float(weights.min()) >= 0
    assert float(weights.sum()) == pytest.approx(1.0)
    assert float((gradients @ step).min()) >= float(step @ step) - 1e-9 * float(gradients.square().sum())


@given(st.integers(0, 10_000))
def test_two_sources_agree_with_the_closed_form(seed):
    draw = torch.Generator().manual_seed(seed)
    one, other = torch.randn(2, 5, generator=draw, dtype=torch.float64)
    expected = float((((other - one) @ other) / (one - other).square().sum()).clamp(0, 1))
    assert float(shortest(products(torch.stack([one, other])))[0]) == pytest.approx(expected, abs=1e-6)


def test_weights_and_loss_by_hand():
    """Rewards are 0, so every slope is −1/2: g = −(h_w − h_l)/2, here (−1, 0) of source 0 and (0, −1/2) of source 1.

    λ* = (1/5, 4/5) without unit length; with momentum 0.5 from equal weights 0.35 and 0.65. Source 0 has two pairs of
    three, so that its factor is 0.35 · 3/2, that of source 1 is 0.65 · 3. Losses are log 2 each.
    """
    given = scores([0.0] * 6, [[2.0, 0.0], [0.0, 0.0], [2.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    records = batch([0, 0, 1])
    objective = more(momentum=0.5, unit=False, centre=0.0)
    state = objective.update(objective.init(), given, records)
    assert state[0]["weights"].tolist() == pytest.approx([0.0, 0.35, 0.65])
    assert state[0]["factors"].tolist() == pytest.approx([1.0, 0.35 * 1.5, 0.65 * 3])
    out = objective(given, records, state)
    assert float(out.loss) == pytest.approx(0.6931472)
    assert out.per_example.tolist() == pytest.approx([0.525 * 0.6931472] * 2 + [1.95 * 0.6931472])
    report = objective.report(state, {COLUMN: ("helpful", "harmless")})
    assert report == pytest.approx({"weight of helpful": 0.35, "weight of harmless": 0.65})


def test_sources_that_a_batch_lacks_keep_their_weight():
    given = scores([0.0] * 4, [[2.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    objective = more(momentum=0.5, unit=False)
    state = objective.update(objective.init(), given, batch([0, 1]))
    before = state[0]["weights"]
    alone = objective.update(state, given, batch([1, 1]))
    assert alone[0]["weights"].tolist() == pytest.approx(before.tolist())
    assert float(alone[0]["factors"][2]) == pytest.approx(1.0)
    third = objective.update(state, given, batch([2, 2]))[0]["weights"]
    assert third.tolist() == pytest.approx([0.0, *(before[1:] * 2 / 3).tolist(), 1 / 3])


def test_a_batch_in_parts_adds_up():
    draw = torch.Generator().manual_seed(1)
    values, states = torch.randn(8, generator=draw).tolist(), torch.randn(8, 3, generator=draw).tolist()
    source = [0, 1, 1, 0]
    objective = more()
    whole = scores(values, states)
    records = batch(source)
    state = objective.update(objective.init(), whole, records)
    denominators = objective.denominators(records, whole.lengths)
    parts = 0.0
    for pair in range(4):
        own = scores(values[2 * pair : 2 * pair + 2], states[2 * pair : 2 * pair + 2])
        parts += float(objective(own, batch([source[pair]]), state, denominators=denominators).loss)
    assert parts == pytest.approx(float(objective(whole, records, state).loss))


def test_held_out_records_count_alike():
    given = scores([1.0, 0.0, 0.0, 2.0], [[2.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    objective, records = more(momentum=0.0), batch([0, -1])
    trained = objective.update(objective.init(), given, batch([0, 1]))
    state = objective.update(trained, None, records, training=False)
    assert float(objective(given, records, state).loss) == pytest.approx(
        float(bradley_terry()(given, Batch.pairs(2)).loss)
    )
    assert torch.equal(state[0]["weights"], trained[0]["weights"])


def test_bad_input_is_explained():
    flat = Scores.from_sequences(torch.zeros(2, dtype=torch.float64))
    with pytest.raises(ObjectiveError, match="what is scored has none"):
        more().update(more().init(), flat, batch([0]))
    with pytest.raises(ObjectiveError, match=r"momentum = 1\.0 cannot be used"):
        more.configure({"momentum": 1.0})
