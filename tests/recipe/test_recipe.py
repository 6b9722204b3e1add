"""Recipes: what they may say, and what a mistake is answered with."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truing.errors import RecipeError, TruingError
from truing.recipe import load_recipe, parse_recipe
from truing.recipe.yaml_reader import dotted, parse_value

MINIMAL = "model: some/model\ndata: train.jsonl\noutput: runs/first\n"


def _load(tmp_path: Path, text: str, *overrides: str):  # type: ignore[no-untyped-def]
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return load_recipe(path, overrides)


def test_short_forms_stand_for_mappings(tmp_path: Path) -> None:
    recipe = _load(tmp_path, MINIMAL + "training: {peft: lora}\n")
    assert recipe.model.name == "some/model"
    assert recipe.data.path == "train.jsonl"
    assert recipe.training.peft is not None
    assert recipe.training.peft.name == "lora"
    assert recipe.objective == "dpo"


def test_numbers_in_scientific_notation_are_numbers(tmp_path: Path) -> None:
    # YAML 1.1 reads 5e-7 as text; a recipe must not.
    recipe = _load(tmp_path, MINIMAL + "training: {learning_rate: 5e-7, weight_decay: 1E-2}\n")
    assert recipe.training.learning_rate == 5e-7
    assert recipe.training.weight_decay == 0.01


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("training.epochs=2", "training.epochs", 2.0),
        ("training.learning_rate=1e-6", "training.learning_rate", 1e-6),
        ("training.peft=lora", "training.peft.name", "lora"),
        ("training.peft.rank=4", "training.peft.rank", 4),
        ("model=other/model", "model.name", "other/model"),
        ("model.revision=main", "model.revision", "main"),
        ("data.columns={prompt: question}", "data.columns", {"prompt": "question"}),
        ("alarms.stop_on=[over_optimisation]", "alarms.stop_on", ["over_optimisation"]),
        ("data.eval_path=", "data.eval_path", ""),
    ],
)
def test_overrides(tmp_path: Path, override: str, path: str, value: object) -> None:
    found: object = _load(tmp_path, MINIMAL, override)
    for part in path.split("."):
        found = getattr(found, part)
    assert found == value


def test_overrides_reach_into_objectives(tmp_path: Path) -> None:
    named = _load(tmp_path, MINIMAL + "objective: dpo\n", "objective.beta=0.2")
    assert named.objective == {"name": "dpo", "beta": 0.2}
    several = _load(tmp_path, MINIMAL + "objective: [{name: dpo}, {name: nll}]\n", "objective[1].weight=0.1")
    assert several.objective == [{"name": "dpo"}, {"name": "nll", "weight": 0.1}]


@pytest.mark.parametrize(
    ("text", "message", "where"),
    [
        ("model: a\ndata: b\noutput: c\ntraing: {}\n", "unknown key 'traing'", ":4"),
        (MINIMAL + "training:\n  learnin_rate: 1\n", "unknown key 'training.learnin_rate'", ":5"),
        (MINIMAL + "training: {epochs: two}\n", "training.epochs must be a number, not 'two'", ":4"),
        (MINIMAL + "training: {epochs: 0}\n", "training.epochs must be greater than 0, not 0", ":4"),
        (MINIMAL + "training: {global_batch: 0}\n", "training.global_batch must be greater than 0, not 0", ":4"),
        (
            MINIMAL + "training: {micro_batch_tokens: -3}\n",
            "training.micro_batch_tokens must be greater than 0 or 'auto', not -3",
            ":4",
        ),
        (MINIMAL + "alarms: {stop_on: [fire]}\n", "alarms.stop_on", ":4"),
        ("model: a\ndata: b\n", "the key 'output' is missing", ":1"),
        ("model: a\nmodel: b\n", "stands twice", ":2"),
        ("a: [1\n", "not valid YAML", ":2"),
        ("- 1\n", "a recipe is a mapping", ""),
        ("just text\n", "a recipe is a mapping", ""),
        ("", "the recipe is empty", ""),
        ("a: &x [1]\nb: *x\n", "alias", ":2"),
        ("a: !!python/object/apply:os.system [echo]\n", "could not determine a constructor", ":1"),
        ("training: 3\nmodel: a\ndata: b\noutput: c\n", "training must be a mapping, not 3", ":1"),
    ],
)
def test_mistakes_name_the_line_and_the_key(tmp_path: Path, text: str, message: str, where: str) -> None:
    with pytest.raises(RecipeError) as caught:
        _load(tmp_path, text)
    assert message in str(caught.value)
    assert where in (caught.value.where or "")


def test_a_near_miss_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="did you mean 'training'"):
        _load(tmp_path, MINIMAL + "trainin: {}\n")


def test_an_alias_bomb_is_refused_at_once(tmp_path: Path) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(RecipeError, match="alias"):
        _load(tmp_path, bomb)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError):
        _load(tmp_path, "a: " + "[" * 600 + "]" * 600)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epochs", "no key=value"),
        ("=3", "no key=value"),
        ("training.epochs.x=1", "cannot be set inside"),
        ("objective[7].beta=1", "is a list of 1"),
        ("training.epochs=[", "not valid YAML"),
        ("training.unknown=1", "unknown key"),
    ],
)
def test_bad_overrides(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message.replace("[", r"\[")):
        _load(tmp_path, MINIMAL + "training: {epochs: 1}\nobjective: [{name: dpo}]\n", override)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="there is no recipe"):
        load_recipe(tmp_path / "none.yaml")
    with pytest.raises(RecipeError, match="is a folder"):
        load_recipe(tmp_path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"model: caf\xe9\n")
    with pytest.raises(RecipeError, match="not UTF-8"):
        load_recipe(latin)
    large = tmp_path / "large.yaml"
    large.write_text("#" * 2_000_000)
    with pytest.raises(RecipeError, match="2,000,000 bytes"):
        load_recipe(large)


def test_every_key_is_described() -> None:
    from truing.recipe.schema import Recipe
    from truing.recipe.section import Section

    def missing(section: type[Section], path: str) -> list[str]:
        found = []
        for name, field in section.model_fields.items():
            if not field.description and section is not Section:
                found.append(f"{path}{name}")
            if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
                found += missing(field.annotation, f"{path}{name}.")
        return found

    assert missing(Recipe, "") == []


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
known_keys = st.sampled_from(
    [
        "model",
        "data",
        "objective",
        "training",
        "reference",
        "evaluation",
        "alarms",
        "output",
        "name",
        "path",
        "peft",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(known_keys | st.text(max_size=6), json_like, max_size=6))
def test_any_mapping_is_a_recipe_or_a_clear_error(value: dict[str, object]) -> None:
    try:
        parse_recipe(value)
    except TruingError as error:
        assert len(str(error).splitlines()) < 40  # noqa: PT017  (no error is fine too)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_a_recipe_or_a_clear_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "r.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(TruingError):
        load_recipe(path)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_override_is_taken_or_refused_clearly(text: str) -> None:
    with contextlib.suppress(TruingError):
        parse_recipe({"model": "a", "data": "b", "output": "c"}, [text])


def test_values_on_the_command_line() -> None:
    assert parse_value("1e-6") == 1e-6
    assert parse_value("true") is True
    assert parse_value("[a, b]") == ["a", "b"]
    assert dotted(("objective", 0, "beta")) == "objective[0].beta"


def test_an_override_reaches_into_the_default_objective() -> None:
    recipe = parse_recipe({"model": "a", "data": "b", "output": "c"}, ["objective.beta=0.05"])
    assert recipe.objective == {"name": "dpo", "beta": 0.05}


def test_a_raised_two_is_a_name_and_no_number() -> None:
    with pytest.raises(RecipeError, match="'²'"):
        parse_recipe({"model": "a", "data": "b", "output": "c"}, ["²=1"])
