"""Chat models on this machine, and by name."""

import pytest

from truing.chat import chat_model
from truing.chat.on_device import LocalChat
from truing.errors import RecipeError
from truing.policies.generation import Sampling

ASKED = [[{"role": "user", "content": "Say something."}], [{"role": "user", "content": "Was the film good?"}]]


@pytest.fixture(scope="module")
def chat() -> LocalChat:
    found = chat_model("truing/tiny", max_tokens=8)
    assert isinstance(found, LocalChat)
    return found


def test_it_replies_the_same_at_temperature_zero(chat: LocalChat) -> None:
    replies = chat(ASKED, str)
    assert replies == chat(ASKED, str)
    assert replies[0] == chat(ASKED[:1], str)[0]


def test_a_reply_that_cannot_be_read_is_drawn_again(chat: LocalChat) -> None:
    drawn: list[str] = []

    def second(reply: str) -> str | None:
        drawn.append(reply)
        return reply if len(drawn) > 1 else None

    sampling = Sampling(max_new_tokens=8, temperature=1.0)
    (found,) = LocalChat(chat.policy, sampling)(ASKED[:1], second)
    assert len(drawn) == 2
    assert drawn[0] != drawn[1] == found


def test_what_cannot_be_read_is_none_and_asked_once_at_temperature_zero(chat: LocalChat) -> None:
    asked: list[str] = []
    assert chat(ASKED, asked.append) == [None, None]
    assert len(asked) == 2


def test_an_endpoint_needs_a_model_name() -> None:
    with pytest.raises(RecipeError, match="an endpoint needs the name of its model") as error:
        chat_model("http://localhost:8000/v1", where="--judge")
    assert error.value.where == "--judge"


def test_an_endpoint_knows_its_model() -> None:
    assert chat_model("http://localhost:8000/v1#some-judge").name == "some-judge"
