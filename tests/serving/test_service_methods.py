"""Every registered method, as a request may choose it: there is an answer, or an error that explains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.serving.small import PATIENCE, Heard, asked, engine
from truing.decoding.decoders import DECODERS
from truing.decoding.recipe import parse_decode_recipe
from truing.errors import TruingError
from truing.prompting.prompts import PROMPTING
from truing.rewards.lookup import pieces
from truing.serving.asked import Ended
from truing.serving.model import ServedModel, serve_model

# Settings that make a search small, where a method has them.
SMALL = {"n": 2, "k": 2, "m": 1, "steps": 3, "beams": 2, "ahead": 2, "target": 3}
BOTH: dict[str, Any] = {"rewards": ["sentiment", "harmlessness"], "combine": "mean"}


@pytest.fixture(scope="module")
def served() -> Iterator[ServedModel]:
    recipe = parse_decode_recipe({"model": "truing/tiny", "sampling": {"max_new_tokens": 4}})
    made = serve_model(recipe, policy=engine().policy)
    yield made
    made.service.close(PATIENCE)


def spec(entry: Any, **more: Any) -> dict[str, Any]:
    known = {parameter.name for parameter in entry.parameters}
    small = {name: value for name, value in SMALL.items() if name in known}
    if isinstance(small.get("target"), int) and entry.name == "rps":
        small["target"] = {"sentiment": 1.0, "harmlessness": 2.0}
    return {"name": entry.name, **small, **more}


def wishes() -> Iterator[Any]:
    for entry in DECODERS:
        yield pytest.param({**BOTH, "decode": spec(entry)}, id=entry.name)
        yield pytest.param({"decode": spec(entry)}, id=f"{entry.name}-without-rewards")
    for entry in pieces("reward"):
        yield pytest.param({"decode": {"n": 2}, "rewards": [spec(entry)]}, id=entry.name)
    for entry in pieces("reward transform"):
        yield pytest.param({**BOTH, "decode": {"n": 2}, "transform": [spec(entry)]}, id=entry.name)
    for entry in pieces("reward combiner"):
        yield pytest.param({**BOTH, "decode": {"n": 2}, "combine": spec(entry)}, id=entry.name)
    for entry in pieces("reward weighter"):
        given = {**BOTH, "combine": "weighted-sum"}
        yield pytest.param({**given, "decode": {"n": 2}, "weights": spec(entry)}, id=entry.name)


@pytest.mark.parametrize("wanted", list(wishes()))
def test_a_request_is_answered_or_told_why_not(served: ServedModel, wanted: dict[str, Any]) -> None:
    try:
        search = served.search_of(wanted)
    except TruingError:
        return
    heard = Heard()
    served.service.submit(asked("Is a bird an animal?", tokens=4, search=search), heard)
    ended = heard.end()
    assert isinstance(ended, Ended | TruingError), repr(ended)
    if isinstance(ended, Ended):
        assert heard.texts()


@pytest.mark.parametrize("entry", list(PROMPTING), ids=lambda entry: entry.name)
def test_a_prompt_is_changed_or_told_why_not(served: ServedModel, entry: Any) -> None:
    try:
        transform = served.transform_of([entry.name])
    except TruingError:
        return
    heard = Heard()
    shown = asked("Is a bird an animal?").prompt
    served.service.call(lambda: transform([shown]), heard)
    (changed,) = heard.end()
    assert changed.original == shown.original
    assert changed.prompt != shown.prompt
