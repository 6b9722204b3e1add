"""No more answers are held at once than `sampling.batch` says, and the answers are the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.decoding.test_methods import engine, task  # noqa: F401
from truing.decoding.controlled import controlled_decoding
from truing.decoding.deal import deal, standardised
from truing.decoding.decoders import args
from truing.decoding.engine import ModelEngine
from truing.decoding.guided import Guided
from truing.decoding.other_model import ByEngine
from truing.decoding.rolling import finish
from truing.decoding.values import Mean, OfContinuations
from truing.policies.growing import Rows
from truing.worlds.autoregressive import Autoregressive
from truing.worlds.decoding import ListedEngine, listed_task


class Watched:
    """Rows that note how many are pushed at once."""

    def __init__(self, rows: Rows, sizes: list[int]) -> None:
        self.rows, self.sizes = rows, sizes

    def push(self, tokens, going=None):
        self.sizes.append(len(tokens))
        self.rows.push(tokens, going)

    def take(self, rows):
        return Watched(self.rows.take(rows), self.sizes)

    def put(self, rows, other):
        self.rows.put(rows, other.rows)

    def __getattr__(self, name):
        return getattr(self.rows, name)


def _answers(engine: ModelEngine, decoder, batch: int, monkeypatch) -> tuple[list[str], int]:  # noqa: F811
    given, sizes = task(engine), []
    given.sampling = replace(given.sampling, batch=batch)
    begin = type(engine).rows
    with monkeypatch.context() as patch:
        patch.setattr(type(engine), "rows", lambda self, *words: Watched(begin(self, *words), sizes))
        found = decoder(given)
    return [one.text for one in found], max(sizes)


@pytest.mark.parametrize(
    "decoder",
    [
        args(k=5, w=1.0),
        controlled_decoding(beta=0.5, k=4, m=3),
        deal(beams=3, k=4, ahead=2),
        deal(beams=2, k=5, ahead=0, standardise=True),
    ],
    ids=["args", "controlled-decoding", "deal", "deal standardised"],
)
def test_batch_bounds_what_is_held_and_changes_nothing(engine, decoder, monkeypatch) -> None:  # noqa: F811
    whole, most = _answers(engine, decoder, 10_000, monkeypatch)
    assert most > 7
    found, held = _answers(engine, decoder, 5, monkeypatch)
    assert found == whole
    # After a step as many go on as there are prompts, here 3, or beams.
    assert held <= max(5, 3 * getattr(decoder, "beams", 1))


def test_continuations_by_another_model_are_bounded_too(engine, monkeypatch) -> None:  # noqa: F811
    decoder = Guided(OfContinuations(4, Mean(), continuing=ByEngine(engine)), 5, 1.0)
    whole, _ = _answers(engine, decoder, 10_000, monkeypatch)
    found, held = _answers(engine, decoder, 6, monkeypatch)
    assert found == whole
    assert held <= 6


def test_what_becomes_of_an_answer_does_not_depend_on_its_neighbours(engine) -> None:  # noqa: F811
    given = task(engine)
    luck = torch.rand(6, 6, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    together = engine.rows(given.encoded, 2)
    finish(together, engine.ends, given.sampling, luck)
    for row in range(6):
        alone = engine.rows(given.encoded, 2).take([row])
        finish(alone, engine.ends, given.sampling, luck[row : row + 1])
        assert alone.tokens == [together.tokens[row]]


def test_hypotheses_that_end_at_different_steps_are_compared_on_one_scale() -> None:
    """The empty answer ends first and is 1.4 spreads above its step's mean; that of two letters is worth twice as much,
    but at most 1.2 spreads above the mean of its step.
    """
    policy = Autoregressive(2, 2)
    listed = ListedEngine(policy)
    known = {"": 1.0, "a": 0.0, "b": 0.0, "aa": 2.0, "ab": 1.9, "ba": 1.8, "bb": 1.7}
    worth = torch.tensor([known[listed.text(output)] for output in policy.outputs], dtype=torch.float64)
    (found,) = deal(beams=3, k=3, weight=10.0, ahead=0, standardise=True)(listed_task(listed, worth))
    assert "" in [one.text for one in found.candidates]
    assert found.text == "aa"


def test_standardised_by_hand() -> None:
    """(1, 3) has mean 2 and spread 1; what is not known stays last, and equal ones are all 0."""
    found = standardised(torch.tensor([1.0, -torch.inf, 3.0]))
    assert found.tolist() == [-1.0, -torch.inf, 1.0]
    assert standardised(torch.tensor([2.0, 2.0])).tolist() == [0.0, 0.0]
    assert standardised(torch.full((2,), -torch.inf)).tolist() == [-torch.inf] * 2
