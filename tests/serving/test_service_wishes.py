"""What requests may ask of a served model: it opens no file, asks no address and runs no program for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

from tests.serving.small import PATIENCE, Heard, asked, engine
from truing.decoding.decoders import DECODERS
from truing.decoding.recipe import DecodeRecipe, parse_decode_recipe
from truing.errors import RecipeError, TruingError
from truing.judging.bench import PROTOCOLS
from truing.judging.presentation import Pair
from truing.parameters import Doc, Parameter
from truing.prompting.prompts import PROMPTING
from truing.prompting.transform import Shown
from truing.rewards.lookup import pieces
from truing.serving.asked import Piece
from truing.serving.model import ServedModel, serve_model
from truing.serving.permitted import public

KINDS = ("reward", "reward transform", "reward combiner", "reward weighter")
SETTINGS = [
    (kind, entry, parameter)
    for kind, entries in [
        ("decoding", list(DECODERS)),
        ("prompting", list(PROMPTING)),
        *((kind, pieces(kind)) for kind in KINDS),
    ]
    for entry in entries
    for parameter in entry.parameters
]
SECRET = [(kind, entry, parameter) for kind, entry, parameter in SETTINGS if not public(parameter)]


def served(**recipe: Any) -> ServedModel:
    given = {"model": "truing/tiny", "sampling": {"max_new_tokens": 6}, **recipe}
    return serve_model(parse_decode_recipe(given), policy=engine().policy)


@pytest.fixture(scope="module")
def plain() -> Iterator[ServedModel]:
    made = served()
    yield made
    made.service.close(PATIENCE)


def request(kind: str, name: str, /, **settings: Any) -> dict[str, Any]:
    spec = {"name": name, **settings}
    sentiment = {"rewards": ["sentiment"]}
    return {
        "decoding": {"decode": spec},
        "reward": {"rewards": [spec]},
        "reward transform": {**sentiment, "transform": [spec]},
        "reward combiner": {**sentiment, "combine": spec},
        "reward weighter": {**sentiment, "combine": "weighted-sum", "weights": spec},
    }[kind]


@pytest.mark.parametrize(
    ("kind", "entry", "parameter"),
    SECRET,
    ids=[f"{entry.name}-{parameter.name}" for _, entry, parameter in SECRET],
)
def test_texts_that_may_be_files_models_or_addresses_are_refused(plain, kind, entry, parameter) -> None:
    spec = {"name": entry.name, parameter.name: "/etc/passwd"}
    asks = (
        (lambda: plain.transform_of([spec]))
        if kind == "prompting"
        else (lambda: plain.search_of(request(kind, entry.name, **{parameter.name: "/etc/passwd"})))
    )
    with pytest.raises(RecipeError, match="not for a request to"):
        asks()


def test_texts_that_may_be_set() -> None:
    """Whoever adds one here has made sure that it is only ever read as text."""
    texts = {f"{entry.name}.{parameter.name}" for _, entry, parameter in SETTINGS if parameter.doc.public}
    assert texts == {
        "format.sections",
        "keywords.all_of",
        "keywords.any_of",
        "keywords.none_of",
        "negative-prompt.separator",
        "negative-prompt.stimulus",
        "pc-defense.text",
        "urial.preface",
    }


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int | None, True),
        (dict[str, float], True),
        (list[tuple[int, ...]], True),
        (str, False),
        (str | None, False),
        (list[str], False),
        (dict[str, Any], False),
        (Any, False),
        (object, False),
        (Path, False),
    ],
    ids=str,
)
def test_which_types_are_harmless(annotation: Any, expected: bool) -> None:
    assert public(Parameter("x", None, Annotated[annotation, Doc("x")], Doc("x"))) == expected
    assert public(Parameter("x", None, annotation, Doc("x", public=True)))


def test_programs_are_not_run_for_requests(plain: ServedModel) -> None:
    with pytest.raises(RecipeError, match="'code-tests' runs programs, which is not for a request to ask"):
        plain.search_of({"rewards": ["code-tests"]})
    with pytest.raises(RecipeError, match="runs programs"):
        plain.pipeline_of({"rewards": [{"name": "code_tests", "isolation": "none"}]})


@pytest.mark.parametrize(
    ("wanted", "match"),
    [
        ({"decode": "best-off-n"}, "did you mean"),
        ({"decode": {"name": "best-of-n", "n": "many"}}, "n = 'many' cannot be used"),
        ({"decode": {"name": ["x"]}}, "cannot be made of"),
        ({"decode": "best-of-n", "rewards": []}, "at least 1 item"),
        ({"rewards": ["sentiment", "harmlessness"]}, "nothing that makes one reward"),
        ({"rewards": ["sentiment"], "transform": ["z-score"]}, "compares with samples of a reference"),
        ({"rewards": ["sentiment"], "output": "x.jsonl"}, "cannot set 'output'"),
        ({"transform": ["rank"]}, "at least 1 item"),
    ],
    ids=str,
)
def test_what_cannot_be_is_explained(plain: ServedModel, wanted: dict, match: str) -> None:
    with pytest.raises(TruingError, match=match):
        plain.search_of(wanted)


def test_a_plain_server_draws_token_by_token(plain: ServedModel) -> None:
    assert plain.search_of({}) is None
    assert plain.search_of({"decode": "sampling"}) is None
    assert plain.sampling.max_new_tokens == 6
    assert plain.context == 128
    with pytest.raises(RecipeError, match="names no rewards"):
        plain.pipeline_of({})
    shown = plain.transform_of(None)([Shown.of("x")])
    assert shown[0].prompt == "x"


def test_a_request_searches_with_rewards_of_its_own(plain: ServedModel) -> None:
    wanted = {"decode": {"n": 2}, "rewards": [{"name": "keywords", "any_of": ["bird"]}]}
    search = plain.search_of(wanted)
    heard = Heard()
    plain.service.submit(asked(tokens=4, search=search), heard)
    heard.end()
    assert isinstance(heard.events[0], Piece)
    assert heard.events[0].reward in (0.0, 1.0)
    assert heard.events[0].notes["drawn"] == 2
    # What is asked for again is there already.
    assert plain.search_of(dict(wanted)) is search


def test_no_more_than_some_are_kept(plain: ServedModel) -> None:
    for n in range(1, 80):
        plain.search_of({"decode": {"name": "best-of-n", "n": n}, "rewards": ["sentiment"]})
    assert len(plain._wishes._known) == 64


def test_the_servers_own_recipe_may_be_named(tmp_path: Path) -> None:
    words = tmp_path / "words.tsv"
    words.write_text("good\t1\n")
    own = {"name": "lexicon", "file": str(words), "as": "kind"}
    made = served(decode={"name": "best-of-n", "n": 3}, rewards=[own], prompting=["pc-defense"])
    search = made.search_of({})
    assert search is not None
    assert made.pipeline_of({}) is search.pipeline
    for spec in (own, "kind", "lexicon", {"name": "lexicon"}):
        found = made.search_of({"rewards": [spec]})
        assert found is not None
        assert found.decoder is search.decoder
        # It is the same reward, which is loaded once.
        assert found.pipeline.scorers[0] is search.pipeline.scorers[0]
    with pytest.raises(RecipeError, match="file of 'lexicon' is not for a request to set"):
        made.search_of({"rewards": [{**own, "file": "/etc/passwd"}]})
    other = made.search_of({"decode": {"name": "best-of-n", "n": 2}})
    assert (other.decoder.n, other.pipeline) == (2, search.pipeline)
    assert made.search_of({"decode": "best-of-n"}).decoder is search.decoder
    changed = made.transform_of(None)([Shown.of("x")])[0]
    assert changed.prompt != "x"
    assert made.transform_of([])([Shown.of("x")])[0].prompt == "x"
    made.service.close(PATIENCE)


def test_a_server_that_could_not_answer_does_not_start() -> None:
    with pytest.raises(RecipeError, match="nothing to go by"):
        served(decode="best-of-n")


def test_rewards_beside_drawing_token_by_token() -> None:
    made = served(decode="sampling", rewards=["sentiment"])
    assert made.search_of({}) is None
    assert made.pipeline_of({}).names == ("sentiment",)
    assert isinstance(DecodeRecipe.model_fields["decode"].default, str)
    made.service.close(PATIENCE)


def test_a_server_takes_searches_as_wide_as_its_own() -> None:
    made = served(
        decode={"name": "best-of-n", "n": 50_000}, rewards=["sentiment"], sampling={"max_new_tokens": 64}
    )
    assert made.service.capacity.search == 50_000 * 64
    made.service.close(PATIENCE)


def test_the_model_as_a_judge(plain: ServedModel) -> None:
    heard = Heard()
    bench = plain.bench("brevity")
    pair = Pair("What is a bird?", "An animal with wings.", "A stone.")
    plain.service.call(lambda: PROTOCOLS["swap"].run(bench, [pair]), heard)
    assert len(heard.end().verdicts) == 1
    assert bench.comparer.criteria == "brevity"
