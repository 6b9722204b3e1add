"""Searches behind the server: the same answers as without it, in turn with tokens, and given up when nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from types import SimpleNamespace

import pytest

from tests.serving.small import PATIENCE, Heard, asked, engine
from truing.decoding.answers import Candidate, Cost, Decoded
from truing.decoding.decoders import best_of_n, qalign
from truing.decoding.run import Setup
from truing.decoding.task import Decoder, Task
from truing.errors import RecipeError
from truing.prompting.transform import Identity, Shown
from truing.recipe.online import RewardsSection
from truing.rewards.build import build
from truing.serving import service as service_module
from truing.serving.asked import Ended, LateError, Search
from truing.serving.capacity import Capacity
from truing.serving.searches import Searched
from truing.serving.service import ModelService

LENGTH = build(RewardsSection(rewards=[{"name": "length", "unit": "characters", "target": 20}]))
BEST = Search(best_of_n(n=3), LENGTH)


@pytest.fixture
def service() -> Iterator[ModelService]:
    made = ModelService(Searched(engine()))
    yield made
    made.close(PATIENCE)


@pytest.mark.parametrize("decoder", [best_of_n(n=3), qalign(steps=3)], ids=lambda one: type(one).__name__)
def test_answers_and_cost_are_those_of_decoding(service: ModelService, decoder: Decoder) -> None:
    one = asked("A bird", seed=5, count=2, search=Search(decoder, LENGTH))
    heard = Heard()
    service.submit(one, heard)
    texts = heard.texts()
    cost, tokens = Cost(), 0
    for choice, text in enumerate(texts):
        sampling = replace(one.sampling, seed=5 + choice)
        (found,), spent = Setup(engine(), decoder, LENGTH, Identity(), sampling).answer([Shown.of("A bird")])
        assert text == found.text
        piece = heard.events[choice]
        assert piece.reward == found.reward
        assert piece.notes == pytest.approx(found.notes, nan_ok=True)
        cost, tokens = cost + spent, tokens + len(found.chosen.tokens)
    assert heard.end() == Ended(len(engine().encode("A bird")), tokens, cost)
    assert len(texts) == 2


def test_stop_texts_of_the_request_are_cut_before_answers_are_scored(service: ModelService) -> None:
    whole, cut = Heard(), Heard()
    one = asked(tokens=20, seed=1, search=Search(best_of_n(n=1), LENGTH))
    service.submit(one, whole)
    (text,) = whole.texts()
    service.submit(replace(one, stop=(text[4:7],)), cut)
    assert cut.texts() == [text[: text.index(text[4:7])]]
    assert cut.events[0].finish == "stop"
    assert whole.events[0].finish == "length"
    assert cut.events[0].reward != whole.events[0].reward


def test_an_error_concerns_its_search_alone(service: ModelService) -> None:
    stream, failed = Heard(), Heard()
    service.submit(asked(tokens=30), stream)
    service.submit(asked(search=Search(best_of_n(n=2), None)), failed)
    assert isinstance(failed.end(), RecipeError)
    assert "nothing to go by" in str(failed.end())
    assert stream.texts()


def test_what_is_refused_at_once(service: ModelService) -> None:
    with pytest.raises(RecipeError, match="may draw 2,000,000 tokens"):
        service.submit(asked(tokens=100, search=Search(best_of_n(n=20_000), LENGTH)), Heard())
    with pytest.raises(RecipeError, match="no log-probabilities"):
        service.submit(asked(top_logprobs=1, search=BEST), Heard())


@dataclass(frozen=True)
class Endless:
    """Goes on until it is given up."""

    begun: threading.Event

    def __call__(self, task: Task) -> list[Decoded]:
        rows = task.engine.rows(task.encoded, 1)
        while True:
            rows.push(rows.logits.argmax(-1))
            self.begun.set()
            rows.cut([0])


@pytest.mark.parametrize("reason", ["cancelled", "late", "end"])
def test_a_search_that_runs_can_be_given_up(reason: str) -> None:
    made = ModelService(Searched(engine()))
    begun, heard, other = threading.Event(), Heard(), Heard()
    seconds = 0.2 if reason == "late" else 600.0
    ticket = made.submit(asked(search=Search(Endless(begun), None), seconds=seconds), heard)
    assert begun.wait(PATIENCE)
    if reason == "end":
        made.close(0.01)
    else:
        if reason == "cancelled":
            ticket.cancel()
        made.submit(asked(tokens=2), other)
        assert other.texts()
        made.close(PATIENCE)
    assert not made._thread.is_alive()
    if reason == "cancelled":
        assert heard.events == []
    else:
        assert isinstance(heard.end(), LateError)


def test_who_waits_becomes_late_while_a_search_runs(service: ModelService) -> None:
    begun, waiting = threading.Event(), Heard()
    ticket = service.submit(asked(search=Search(Endless(begun), None)), Heard())
    assert begun.wait(PATIENCE)
    service.submit(asked(search=BEST, seconds=0.01), waiting)
    assert isinstance(waiting.end(), LateError)
    ticket.cancel()


@dataclass(frozen=True)
class Slow:
    """Takes ten units of time on a clock of the test's own."""

    clock: list[float]
    log: list[str]

    def __call__(self, task: Task) -> list[Decoded]:
        self.clock[0] += 10
        self.log.append("search")
        return [Decoded(task.prompts[0], Candidate("x", (5,)))]


def test_searches_and_tokens_have_equal_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token takes one unit, a search ten: between two searches there are ten tokens for who streams."""
    clock, log = [0.0], []
    monkeypatch.setattr(service_module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    made = ModelService(Searched(engine()), Capacity(rows=4))
    step, ready = made._batch.step, threading.Event()

    def counted():
        assert ready.wait(PATIENCE)
        clock[0] += 1
        log.append("token")
        return step()

    made._batch.step = counted
    stream, searches = Heard(), [Heard() for _ in range(3)]
    made.submit(asked(tokens=40, temperature=0.0), stream)
    for heard in searches:
        made.submit(asked(search=Search(Slow(clock, log), None)), heard)
    ready.set()
    for heard in (*searches, stream):
        heard.end()
    made.close(PATIENCE)
    places = [place for place, what in enumerate(log) if what == "search"]
    assert len(places) == 3
    assert [later - earlier - 1 for earlier, later in pairwise(places)] == [10, 10]


def test_searches_that_wait_take_turns(service: ModelService) -> None:
    """Two requests for two answers each: neither waits for both answers of the other."""
    order, hold = [], threading.Event()

    @dataclass(frozen=True)
    class Named:
        name: str

        def __call__(self, task: Task) -> list[Decoded]:
            order.append(self.name)
            return [Decoded(task.prompts[0], Candidate("x", (5,)))]

    service.call(lambda: hold.wait(PATIENCE), Heard())
    heard = [Heard(), Heard()]
    for name, one in zip("ab", heard, strict=True):
        service.submit(asked(count=2, search=Search(Named(name), None)), one)
    hold.set()
    for one in heard:
        assert one.texts() == ["x", "x"]
    assert order == ["a", "b", "a", "b"]
