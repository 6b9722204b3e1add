"""What the model's side does when there is too much, too late, given up, broken, or the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tests.serving.small import PATIENCE, Gate, Heard, asked, engine
from truing.serving.asked import Ended, LateError, Load, OverloadedError, Piece, StoppingError
from truing.serving.capacity import Capacity, Pace
from truing.serving.searches import Searched
from truing.serving.service import ModelService


@pytest.fixture
def service() -> Iterator[ModelService]:
    made = ModelService(Searched(engine()), Capacity(rows=4, waiting=3))
    yield made
    made.close(PATIENCE)


@pytest.fixture
def gate(service: ModelService) -> Iterator[Gate]:
    """The model is busy until the gate is opened."""
    made = Gate()
    service.call(made, Heard())
    assert made.reached.wait(PATIENCE)
    yield made
    made.open()


def test_more_than_may_wait_is_told_to_come_again(service: ModelService, gate: Gate) -> None:
    heard = [Heard() for _ in range(3)]
    tickets = [service.submit(asked(seed=seed), one) for seed, one in enumerate(heard)]
    assert service.load() == Load(running=1, waiting=3, room=3)
    with pytest.raises(OverloadedError, match="3 requests wait already") as error:
        service.submit(asked(), Heard())
    assert 1 <= error.value.retry_after <= 120
    with pytest.raises(OverloadedError):
        service.call(lambda: 1, Heard())
    # Who is not waited for takes no room.
    tickets[1].cancel()
    late = Heard()
    service.submit(asked(seed=1), late)
    gate.open()
    assert len({one.texts()[0] for one in (heard[0], late, heard[2])}) == 3
    assert heard[1].events == []


def test_when_to_come_again_follows_the_pace() -> None:
    pace = Pace()
    assert pace.retry_after(100) == 1.0  # nothing is known
    pace.begun(0.0)
    for number in range(1, 60):
        pace.ended(number * 4.0)
    # 4 seconds for each, and half of 10 before.
    assert pace.retry_after(10) == pytest.approx(20.0)
    assert pace.retry_after(1000) == 120.0


def test_rows_are_not_more_than_there_is_room_for(service: ModelService) -> None:
    """Three times three answers where four may grow: one request after the other."""
    most = 0
    step = service._batch.step

    def watched():
        nonlocal most
        most = max(most, len(service._batch.answers))
        return step()

    service._batch.step = watched
    heard = [Heard() for _ in range(3)]
    for seed, one in enumerate(heard):
        service.submit(asked(tokens=5, seed=seed, count=3), one)
    assert [len(one.texts()) for one in heard] == [3, 3, 3]
    assert most == 3


def test_tokens_of_all_that_grows_are_bounded() -> None:
    """Each request may come to about 25 tokens; with room for 60, two grow at a time."""
    made = ModelService(Searched(engine()), Capacity(tokens=60))
    most = 0
    step = made._batch.step

    def watched():
        nonlocal most
        most = max(most, made._batch.room)
        return step()

    made._batch.step = watched
    heard = [Heard() for _ in range(5)]
    for one in heard:
        made.submit(asked(tokens=10), one)
    for one in heard:
        one.texts()
    made.close(PATIENCE)
    assert 30 < most <= 60


def test_who_gave_up_makes_room_at_once(service: ModelService) -> None:
    gone, heard = Heard(), Heard()
    ticket = service.submit(asked(tokens=100, count=4), gone)
    assert gone.begun.wait(PATIENCE)
    ticket.cancel()
    count = len(gone.events)
    service.submit(asked(tokens=3, seed=2), heard)
    assert heard.texts()
    assert len(gone.events) == count
    assert not any(isinstance(event, Ended) for event in gone.events)


def test_a_listener_that_fails_harms_nobody(service: ModelService, caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: object) -> None:
        raise RuntimeError("the line is dead")

    heard = Heard()
    service.submit(asked(tokens=50), broken)
    service.submit(asked(tokens=3, seed=2), heard)
    assert heard.texts()
    assert "listener failed" in caplog.text


def test_who_waits_too_long_is_told_so(service: ModelService, gate: Gate) -> None:
    waiting, job = Heard(), Heard()
    service.submit(asked(seconds=0.01), waiting)
    service.call(lambda: 1, job, seconds=0.01)
    time.sleep(0.05)
    gate.open()
    for heard in (waiting, job):
        assert isinstance(heard.end(), LateError)
        assert len(heard.events) == 1
    assert "not there after 0.01 seconds" in str(waiting.end())


def test_an_answer_that_takes_too_long_is_broken_off(service: ModelService) -> None:
    heard = Heard()
    begun = threading.Event()
    step = service._batch.step

    def slow():
        begun.set()
        time.sleep(0.05)
        return step()

    service._batch.step = slow
    service.submit(asked(tokens=100, seconds=0.2), heard)
    assert isinstance(heard.end(), LateError)
    assert all(isinstance(event, Piece) for event in heard.events[:-1])
    service._batch.step = step
    other = Heard()
    service.submit(asked(tokens=2), other)
    assert other.texts()


def test_an_error_in_a_pass_is_told_to_those_in_it(
    service: ModelService, caplog: pytest.LogCaptureFixture
) -> None:
    heard = [Heard(), Heard()]
    service.submit(asked(tokens=100), heard[0])
    assert heard[0].begun.wait(PATIENCE)
    drawn = service._batch._chosen

    def fails(logits):
        raise RuntimeError("out of memory")

    service._batch._chosen = fails
    service.submit(asked(tokens=100, seed=1), heard[1])
    for one in heard:
        assert "out of memory" in str(one.end())
    service._batch._chosen = drawn
    other = Heard()
    service.submit(asked(tokens=3), other)
    assert other.texts()


def test_an_error_with_new_prompts_does_not_touch_who_grows(service: ModelService) -> None:
    running, new = Heard(), Heard()
    expected = Heard()
    service.submit(asked(tokens=60, seed=3), expected)
    expected.end()
    service.submit(asked(tokens=60, seed=3), running)
    assert running.begun.wait(PATIENCE)
    rows = engine().rows

    def fails(prompts, count):
        raise RuntimeError("out of memory")

    engine().rows = fails
    try:
        service.submit(asked(), new)
        assert "out of memory" in str(new.end())
    finally:
        del engine().rows
    assert engine().rows == rows
    assert running.texts() == expected.texts()


def test_nobody_is_forgotten_when_joining_fails(service: ModelService) -> None:
    heard = [Heard(), Heard()]
    service.submit(asked(tokens=100), heard[0])
    assert heard[0].begun.wait(PATIENCE)
    admit = service._batch.admit

    def fails(requests):
        service._batch.admit = admit
        raise RuntimeError("out of memory")

    service._batch.admit = fails
    service.submit(asked(seed=1), heard[1])
    for one in heard:
        assert "out of memory" in str(one.end())
    other = Heard()
    service.submit(asked(tokens=3), other)
    assert other.texts()


def test_the_end_lets_what_runs_finish() -> None:
    made = ModelService(Searched(engine()))
    heard = [Heard() for _ in range(3)]
    for seed, one in enumerate(heard):
        made.submit(asked(tokens=20, seed=seed), one)
    closing = threading.Thread(target=made.close, args=(PATIENCE,))
    closing.start()
    assert all(one.texts() for one in heard)
    closing.join(PATIENCE)
    assert not made._thread.is_alive()
    with pytest.raises(StoppingError, match="shutting down"):
        made.submit(asked(), Heard())
    with pytest.raises(StoppingError):
        made.call(lambda: 1, Heard())
    made.close(0.0)  # again, which changes nothing


def test_the_end_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truing.serving.service._GRACE", 0.05)
    made = ModelService(Searched(engine()))
    gate, running, waiting = Gate(), Heard(), Heard()
    made.call(gate, running)
    assert gate.reached.wait(PATIENCE)
    made.submit(asked(), waiting)
    made.close(0.05)
    assert isinstance(running.end(), LateError)
    assert isinstance(waiting.end(), LateError)
    gate.open()
    made._thread.join(PATIENCE)
    assert len(running.events) == len(waiting.events) == 1


def test_other_work_is_done_in_turn(service: ModelService) -> None:
    heard, failed = Heard(), Heard()
    service.call(lambda: threading.current_thread().name, heard)
    assert heard.end() == "truing-model"

    def fails() -> None:
        raise ValueError("no judge")

    service.call(fails, failed)
    assert isinstance(failed.end(), ValueError)
