"""Every bounded hyper-parameter refuses what is out of bounds, and says why. Generated from the registries."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Iterator
from typing import Any, NamedTuple

import annotated_types
import pytest
from pydantic.fields import FieldInfo

from truing.errors import ObjectiveError
from truing.objectives import METHODS, bco, dpo
from truing.objectives.algebra import Objective
from truing.objectives.modifiers import MODIFIERS
from truing.parameters import Parameter

from .cases import every_method


def base(owner: Any) -> Objective:
    """An objective that a modifier fits."""
    return bco() if owner.name == "match-prompts" else dpo()


class Owned(NamedTuple):
    """A hyper-parameter and what it belongs to."""

    owner: Any
    parameter: Parameter

    def __str__(self) -> str:
        return f"{self.owner.kind} {self.owner.name}.{self.parameter.name}"

    def build(self, value: Any, where: str | None = None) -> Objective:
        values = {self.parameter.name: value}
        if self.owner.name in {"f-dpo", "divergence"} and self.parameter.name == "alpha":
            # alpha exists for one divergence only.
            values["divergence" if self.owner.name == "f-dpo" else "name"] = "alpha"
        if self.owner.kind == "modifier":
            return self.owner.configure(base(self.owner), values, where)
        return self.owner.configure(values, where)


OWNED = [Owned(owner, p) for registry in (METHODS, MODIFIERS) for owner in registry for p in owner.parameters]
every_parameter = pytest.mark.parametrize("owned", OWNED, ids=str)


def bounds(parameter: Parameter) -> list[Any]:
    """The pydantic constraints in an annotation."""
    kind, *extras = typing.get_args(parameter.annotation)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        extras += [extra for one in typing.get_args(kind) for extra in getattr(one, "__metadata__", ())]
    return [one for extra in extras if isinstance(extra, FieldInfo) for one in extra.metadata]


def choices(parameter: Parameter) -> tuple[Any, ...]:
    """The values of a ``Literal``."""
    kind = typing.get_args(parameter.annotation)[0]
    return typing.get_args(kind) if typing.get_origin(kind) is typing.Literal else ()


def is_flag(parameter: Parameter) -> bool:
    """Whether it is either true or false."""
    return typing.get_args(parameter.annotation)[0] is bool


def beyond(constraint: Any) -> Iterator[float]:
    """Values just outside and far outside of one constraint."""
    match constraint:
        case annotated_types.Gt(gt=bound):
            yield from (bound, bound - 1.0)
        case annotated_types.Ge(ge=bound):
            yield from (math.nextafter(bound, -math.inf), bound - 1.0)
        case annotated_types.Lt(lt=bound):
            yield from (bound, bound + 1.0)
        case annotated_types.Le(le=bound):
            yield from (math.nextafter(bound, math.inf), bound + 1.0)


def inside(constraint: Any) -> Iterator[float]:
    """The value nearest to a bound that is allowed, far enough from it to compute with."""
    match constraint:
        case annotated_types.Gt(gt=bound):
            yield bound + 1e-6
        case annotated_types.Ge(ge=bound):
            yield bound
        case annotated_types.Lt(lt=bound):
            yield bound - 1e-6
        case annotated_types.Le(le=bound):
            yield bound


OUTSIDE = [(owned, value) for owned in OWNED for c in bounds(owned.parameter) for value in beyond(c)]
INSIDE = [(owned, value) for owned in OWNED for c in bounds(owned.parameter) for value in inside(c)]


def test_the_generated_cases_are_there() -> None:
    names = {str(owned) for owned, _ in OUTSIDE}
    assert {"objective dpo.beta", "objective bco.momentum", "modifier ld.alpha"} <= names
    assert len(OUTSIDE) > 100


@pytest.mark.parametrize(("owned", "value"), OUTSIDE, ids=str)
def test_a_value_out_of_bounds_is_refused_with_the_bound_and_its_reason(owned: Owned, value: float) -> None:
    with pytest.raises(ObjectiveError) as caught:
        owned.build(value)
    error = caught.value
    assert error.what.startswith(f"{owned.parameter.name} = {value!r} cannot be used: it should be")
    assert error.allowed == owned.parameter.doc.bound
    assert f"{owned.parameter.name}={owned.parameter.default!r}" in str(error.fix)


@pytest.mark.parametrize(("owned", "value"), INSIDE, ids=str)
def test_a_value_just_inside_is_accepted(owned: Owned, value: float) -> None:
    assert owned.build(value).text()


# Names of models, which any text may be.
NAMES = {"teacher", "teacher_start", "critic"}


@pytest.mark.parametrize(
    ("owned", "value"),
    [
        (owned, value)
        for owned in OWNED
        for value in (math.nan, math.inf, -math.inf, "0.1", True, [0.1], {}, 1j)
        if not (owned.parameter.name in NAMES and isinstance(value, str))
        and not (is_flag(owned.parameter) and value is True)
    ],
    ids=lambda value: str(value) if isinstance(value, Owned) else repr(value),
)
def test_what_is_not_a_finite_number_is_refused(owned: Owned, value: object) -> None:
    with pytest.raises(ObjectiveError, match=f"^{owned.parameter.name} = ") as caught:
        owned.build(value)
    assert repr(value) in caught.value.what
    assert caught.value.allowed


@pytest.mark.parametrize("owned", [o for o in OWNED if o.parameter.name in NAMES], ids=str)
@pytest.mark.parametrize("value", ["", "one|two"])
def test_what_cannot_be_the_name_of_a_model_is_refused(owned: Owned, value: str) -> None:
    with pytest.raises(ObjectiveError, match=f"^{owned.parameter.name} = ") as caught:
        owned.build(value)
    assert caught.value.allowed == owned.parameter.doc.bound


def test_a_number_in_quotes_gets_the_remedy() -> None:
    with pytest.raises(ObjectiveError, match=r"write beta: 0\.05 without quotes; YAML reads 1e-3 as text"):
        dpo.configure({"beta": "5e-2"})


@every_parameter
def test_a_bound_is_stated_with_its_reason(owned: Owned) -> None:
    if is_flag(owned.parameter):
        assert owned.parameter.doc.bound == "true or false"
    elif bounds(owned.parameter):
        bound, _, reason = owned.parameter.doc.bound.partition("; ")
        assert any(sign in bound for sign in "<>")
        assert len(reason.split()) >= 3, "the reason is missing"
    else:
        allowed = choices(owned.parameter)
        assert allowed, "a number without bounds"
        assert all(str(choice) in owned.parameter.doc.bound for choice in allowed)


@every_parameter
def test_every_choice_is_accepted_and_nothing_else(owned: Owned) -> None:
    for choice in choices(owned.parameter):
        assert owned.build(choice).text()
    if choices(owned.parameter):
        with pytest.raises(ObjectiveError, match="cannot be used: it should be"):
            owned.build("no such choice")


@every_parameter
def test_the_error_names_the_key_path_of_a_recipe(owned: Owned) -> None:
    with pytest.raises(ObjectiveError) as caught:
        owned.build(object(), "objective[1]")
    assert caught.value.where == f"objective[1].{owned.parameter.name}"


@pytest.mark.parametrize("owned", [owned for owned in OWNED if owned.parameter.default is not None], ids=str)
def test_defaults_are_what_the_method_runs_with(owned: Owned) -> None:
    plain = owned.owner(base(owned.owner)) if owned.owner.kind == "modifier" else owned.owner()
    assert owned.build(owned.parameter.default).text() == plain.text()


@every_method
def test_an_unknown_hyper_parameter_gets_a_suggestion(name: str) -> None:
    method = METHODS.get(name)
    known = [parameter.name for parameter in method.parameters]
    wrong = f"{known[0]}s" if known else "beta"
    with pytest.raises(ObjectiveError, match=f"objective '{name}' has no hyper-parameter '{wrong}'") as caught:
        method.configure({wrong: 0.1})
    assert caught.value.allowed == (", ".join(known) or "none")
    assert str(caught.value.fix).startswith(f"did you mean '{known[0]}'" if known else "remove it")
    # The same from Python.
    with pytest.raises(ObjectiveError, match=f"has no hyper-parameter '{wrong}'"):
        method(**{wrong: 0.1})


def test_python_calls_are_checked_like_recipes() -> None:
    assert dpo(0.3).text() == dpo(beta=0.3).text() == dpo.configure({"beta": 0.3}).text()
    with pytest.raises(ObjectiveError, match="takes 1 hyper-parameters, but 2 values were given"):
        dpo(0.1, 0.2)
    with pytest.raises(ObjectiveError, match="got two values for 'beta'"):
        dpo(0.1, beta=0.2)
    with pytest.raises(ObjectiveError, match=r"beta = -1 cannot be used: it should be greater than 0"):
        dpo(-1)
