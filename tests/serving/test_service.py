"""The model's thread: answers that grow together are those that each request gets alone."""

from __future__ import annotations

import gc
import random
import threading
import weakref
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.serving.small import PATIENCE, ROOM, Heard, asked, engine
from truing.errors import DataError, ModelError, RecipeError
from truing.policies.group_sampling import GroupSampler, chosen
from truing.policies.growing import PlainRows
from truing.policies.packing import Tree
from truing.prompting.transform import Shown
from truing.serving.asked import Asked, Ended, Piece
from truing.serving.capacity import Capacity
from truing.serving.drawing import Luck, chosen_each
from truing.serving.searches import Searched
from truing.serving.service import ModelService


@pytest.fixture
def service() -> Iterator[ModelService]:
    made = ModelService(Searched(engine()))
    yield made
    made.close(PATIENCE)


def answered(service: ModelService, one: Asked) -> list[str]:
    heard = Heard()
    service.submit(one, heard)
    return heard.texts()


def text(tokens: list[int]) -> str:
    return engine().text(tokens)


def by_hand(one: Asked, choice: int = 0) -> list[int]:
    """The model run on the whole text for every token."""
    sampling, policy = one.sampling, engine().policy
    (prompt,), luck, tokens = [engine().encode(one.prompt.prompt)], Luck(sampling.seed, choice), []
    while len(tokens) < sampling.max_new_tokens and not (tokens and tokens[-1] in engine().ends):
        with torch.no_grad():
            logits = policy.model(input_ids=torch.tensor([[*prompt, *tokens]])).logits[:, -1]
        number = torch.tensor([luck()], dtype=torch.float64)
        tokens += chosen(logits, number, sampling.temperature, sampling.top_p, sampling.top_k).tolist()
    return tokens


def test_an_answer_is_that_of_the_sampler(service: ModelService) -> None:
    one = asked("What is a bird?", tokens=20, seed=7, temperature=0.8, top_p=0.9)
    ((expected,),) = GroupSampler(engine().policy)([engine().encode("What is a bird?")], 1, one.sampling)
    assert answered(service, one) == [text(expected)]


@pytest.mark.parametrize("more", [{}, {"temperature": 0.0}, {"top_k": 5}, {"top_k": 9, "top_p": 0.5}], ids=str)
def test_answers_are_those_of_a_plain_loop(service: ModelService, more: dict) -> None:
    one = asked("A dog", tokens=6, seed=3, count=2, **more)
    assert answered(service, one) == [text(by_hand(one, choice)) for choice in range(2)]


@given(
    st.lists(
        st.tuples(
            st.just(0.0) | st.floats(2**-10, 2, width=16), st.floats(0.125, 1, width=16), st.integers(0, 12)
        ),
        min_size=1,
        max_size=6,
    )
)
def test_rows_are_drawn_as_each_alone(settings: list[tuple[float, float, int]]) -> None:
    draw = torch.Generator().manual_seed(len(settings))
    logits = torch.randn(len(settings), 10, generator=draw)
    luck = torch.rand(len(settings), generator=draw, dtype=torch.float64)
    found = chosen_each(logits, luck, *(torch.tensor(column) for column in zip(*settings, strict=True)))
    for row, (temperature, top_p, top_k) in enumerate(settings):
        alone = chosen(logits[row : row + 1], luck[row : row + 1], temperature, top_p, top_k)
        assert found[row] == alone[0]


def test_next_to_no_temperature_is_none() -> None:
    logits = torch.tensor([[1.0, 3.0, 2.0]])
    cold = (torch.tensor([1e-42]), torch.ones(1), torch.zeros(1, dtype=torch.int64))
    assert chosen_each(logits, torch.tensor([0.99], dtype=torch.float64), *cold).tolist() == [1]


def test_luck_is_that_of_seed_choice_and_place() -> None:
    expected = torch.rand(1, 1, 200, generator=torch.Generator().manual_seed(5), dtype=torch.float64)[0, 0]
    luck = Luck(5, 0)
    assert [luck() for _ in range(200)] == expected.tolist()
    firsts = {Luck(seed, choice)() for seed in range(-3, 10) for choice in range(4)}
    assert len(firsts) == 13 * 4
    assert Luck(2**64 + 5, 0)() == expected[0]


def mixed(number: int) -> Asked:
    draw = random.Random(number)
    words = " ".join(draw.choice(["bird", "dog", "éclair", "sea", "😀"]) for _ in range(draw.randint(1, 20)))
    return asked(
        words,
        tokens=draw.randint(1, 14),
        seed=number,
        count=draw.choice([1, 1, 2, 3]),
        temperature=draw.choice([0.0, 0.7, 1.0]),
        top_p=draw.choice([1.0, 0.8]),
        top_k=draw.choice([0, 20]),
        top_logprobs=draw.choice([None, 0, 2]),
        stop=draw.choice([(), ("a",), ("e", "th")]),
    )


def test_twenty_clients_at_once_get_what_each_gets_alone(service: ModelService) -> None:
    alone = [answered(service, mixed(number)) for number in range(20)]
    together = [Heard() for _ in range(20)]
    begin = threading.Barrier(20)

    def client(number: int) -> None:
        begin.wait(PATIENCE)
        service.submit(mixed(number), together[number])

    threads = [threading.Thread(target=client, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert [heard.texts() for heard in together] == alone
    for number, heard in enumerate(together):
        assert len(alone[number]) == mixed(number).count
        ended = heard.end()
        assert ended.completion_tokens == ended.cost.answer_tokens >= mixed(number).count


def test_what_is_told_at_the_end(service: ModelService) -> None:
    heard = Heard()
    one = asked("A cat", tokens=5, count=2, seed=1)
    service.submit(one, heard)
    ended = heard.end()
    prompt = len(engine().encode("A cat"))
    lengths = [len(by_hand(one, choice)) for choice in range(2)]
    assert ended == Ended(prompt, sum(lengths), ended.cost)
    # The last token of each answer is drawn, but not run.
    assert ended.cost.model_tokens == prompt + sum(lengths) - 2


def test_log_probabilities_are_those_of_scoring(service: ModelService) -> None:
    heard = Heard()
    one = asked("A cat", tokens=6, seed=2, top_logprobs=3, temperature=0.5)
    service.submit(one, heard)
    heard.end()
    tokens = [token for piece in heard.events[:-1] for token in piece.tokens]
    drawn = by_hand(one)
    assert b"".join(token.data for token in tokens).decode("utf-8", "replace") == text(drawn)
    with torch.no_grad():
        scores = engine().policy.score([Tree(engine().encode("A cat"), [drawn])])
    assert [token.logprob for token in tokens] == pytest.approx(scores.token_logps.tolist(), abs=1e-4)
    assert all(len(token.top) == 3 and token.top[0][2] >= token.logprob - 1e-6 for token in tokens)


def test_a_stop_text_is_cut_and_ends_the_answer(service: ModelService) -> None:
    whole = answered(service, asked(tokens=30, seed=4))[0]
    stop = whole[20:23]
    place = whole.index(stop)
    heard = Heard()
    service.submit(asked(tokens=30, seed=4, stop=(stop,)), heard)
    assert heard.texts() == [whole[:place]]
    assert heard.events[-2].finish == "stop"
    assert heard.end().completion_tokens < 30


def test_ends_are_told_apart(service: ModelService) -> None:
    heard = Heard()
    service.submit(asked(tokens=3), heard)
    heard.end()
    assert heard.events[-2].finish == "length"
    # A model that says nothing but its end token.
    inner = engine().policy.inner
    with torch.no_grad():
        before = inner.lm_head.weight.clone()
        inner.lm_head.weight.zero_()
    try:
        end = Heard()
        logits = inner.lm_head.register_forward_hook(
            lambda module, given, out: out.index_fill(-1, torch.tensor(sorted(engine().ends)), 50.0)
        )
        service.submit(asked(tokens=3, temperature=0.0, top_logprobs=1), end)
        assert end.texts() == [""]
        assert end.events[0] == Piece(0, "", (), "stop")
        logits.remove()
    finally:
        with torch.no_grad():
            inner.lm_head.weight.copy_(before)


def test_models_whose_attention_cannot_be_exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [text(by_hand(asked(word, tokens=4, seed=9))) for word in ("one", "two and three")]
    monkeypatch.setattr(engine()._sampler, "shares", False)
    assert isinstance(engine().rows([[5]], 1), PlainRows)
    made = ModelService(Searched(engine()))
    heard = [Heard(), Heard()]
    for one, word in zip(heard, ("one", "two and three"), strict=True):
        made.submit(asked(word, tokens=4, seed=9), one)
    assert [one.texts()[0] for one in heard] == expected
    # The prompt, and all of it again with one, two and three tokens.
    prompt = len(engine().encode("one"))
    assert heard[0].end().cost.model_tokens == 4 * prompt + 1 + 2 + 3
    made.close(PATIENCE)


@pytest.mark.parametrize(
    ("one", "error", "match"),
    [
        (asked("word " * ROOM), ModelError, "more than the 128 that there is room for"),
        (asked(tokens=ROOM), ModelError, "answers of 1[0-9]{2} tokens to this prompt"),
        (asked("\ud800"), DataError, "half a character"),
        (asked(count=33), RecipeError, "33 answers are more than grow at a time"),
    ],
    ids=["long prompt", "long answer", "half a character", "many answers"],
)
def test_what_cannot_be_answered_is_refused_at_once(
    service: ModelService, one: Asked, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        service.submit(one, Heard())


def test_a_conversation_that_the_template_refuses(service: ModelService) -> None:
    service.reader._tokenizer.chat_template = "{{ raise_exception('one at a time') }}"
    with pytest.raises(DataError, match="template refuses this conversation: one at a time"):
        service.submit(asked(prompt=Shown.of([{"role": "user", "content": "x"}])), Heard())


def test_tokens_as_text(service: ModelService) -> None:
    ids = engine().encode("A bird can fly.")
    given = service.reader.text_of(ids)
    assert service.reader(replace(Shown.of(given), verbatim=True), 1) == ids
    with pytest.raises(DataError, match="no text is read as these tokens"):
        service.reader.text_of([10**6])


def test_many_requests_leave_nothing_behind() -> None:
    made = ModelService(Searched(engine()), Capacity(rows=64, waiting=300))
    listeners = [Heard() for _ in range(300)]
    alive = []
    for number, heard in enumerate(listeners):
        alive.append(weakref.ref(made.submit(asked("x " * (number % 7 + 1), tokens=1, seed=number), heard)))
    for heard in listeners:
        heard.end()
    last = Heard()
    made.call(lambda: None, last)
    assert last.end() is None
    assert made.load().running == made.load().waiting == 0
    assert made._batch._rows is None
    assert not made._batch.answers
    made.close(PATIENCE)
    gc.collect()
    assert not [one for one in alive if one() is not None]


def test_prompts_are_run_once_and_long_ones_do_not_stall_others() -> None:
    """With 30 tokens of prompts in a pass, answers get a token between any two prompts of 20."""
    seen: list[int] = []
    made = ModelService(Searched(engine()), Capacity(prefill=30))
    before = engine().rows

    def rows(prompts, count):
        seen.append(sum(map(len, prompts)))
        return before(prompts, count)

    made._batch.engine = type("Watched", (), {"rows": staticmethod(rows), "ends": engine().ends})()
    running = Heard()
    made.submit(asked("Go", tokens=100, seed=1), running)
    assert running.begun.wait(PATIENCE)
    prompt = "word " * 10
    each = len(engine().encode(prompt))
    assert 15 < each <= 30
    others = [Heard() for _ in range(5)]
    for heard in others:
        made.submit(asked(prompt, tokens=2, count=2), heard)
    for heard in others:
        heard.end()
    made.close(PATIENCE)
    assert seen[1:] == [each] * 5
