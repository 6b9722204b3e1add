"""Objectives from what a recipe says."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from truing.errors import ObjectiveError
from truing.objectives import METHODS, dpo, ipo, modifiers, nll, simpo
from truing.objectives.algebra import Batch, Objective, Scores
from truing.objectives.recipe import build

SCORES = Scores(
    torch.tensor([-1.0, -2.0, -0.5, -3.0, -0.2, -1.1]),
    torch.tensor([0, 0, 1, 2, 3, 3]),
    4,
    torch.tensor([-1.5, -1.0, -1.5, -1.0, -1.0, -1.0]),
    {"log_collision": torch.full((6,), -0.3)},
)
BATCH = Batch.pairs(2, margin=torch.tensor([0.5, 1.0]))


def same(left: Objective, right: Objective) -> bool:
    return left.text() == right.text() and torch.equal(left(SCORES, BATCH).loss, right(SCORES, BATCH).loss)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("dpo", dpo()),
        ("sigmoid", dpo()),
        ({"name": "dpo"}, dpo()),
        ({"name": "dpo", "beta": 0.05}, dpo(0.05)),
        ({"name": "dpo", "beta": 1}, dpo(1.0)),
        ({"name": "DPO", "weight": 0.5}, 0.5 * dpo()),
        ({"name": "ipo", "tau": 0.2, "reduction": "sum"}, ipo(0.2, "sum")),
        (["dpo"], dpo()),
        ([{"name": "dpo"}, {"name": "nll", "weight": 0.005}], dpo() + 0.005 * nll()),
        (("dpo", {"name": "nll", "reduction": "sum"}), dpo() + nll("sum")),
        ({"name": "dpo", "modify": []}, dpo()),
        ({"name": "dpo", "modify": ["wpo"]}, modifiers.wpo(dpo())),
        ({"name": "dpo", "modify": [{"wpo": None}]}, modifiers.wpo(dpo())),
        ({"name": "dpo", "modify": [{"ld": {"alpha": 0.3}}]}, modifiers.ld(dpo(), 0.3)),
        (
            {"name": "dpo", "modify": [{"length": {"alpha": 0.02}}]},
            METHODS.get("r-dpo").configure({"alpha": 0.02}),
        ),
        ({"name": "dpo", "modify": [{"robust": {"flip_rate": 0.2}}]}, dpo().robust(0.2)),
        ({"name": "dpo", "modify": [{"smooth": {"eps": 0.2}}]}, dpo().smoothed(0.2)),
        (
            {"name": "dpo", "modify": [{"divergence": {"name": "alpha", "alpha": 0.7}}]},
            METHODS.get("f-dpo").configure({"divergence": "alpha", "alpha": 0.7}),
        ),
        ({"name": "dpo", "modify": [{"margin": {"scale": 2.0}}]}, modifiers.margin(dpo(), 2.0)),
        (
            {"name": "simpo", "weight": 2, "modify": [{"length": {"alpha": 0.1}}, "wpo"]},
            2 * modifiers.wpo(modifiers.length(simpo(), 0.1)),
        ),
    ],
    ids=str,
)
def test_what_a_recipe_may_say(spec: object, expected: Objective) -> None:
    assert same(build(spec), expected)


def test_every_method_can_be_named() -> None:
    for method in METHODS:
        assert build(method.name).name == method.name


def test_names_say_what_was_done() -> None:
    assert build("dpo").name == "dpo"
    assert build([{"name": "dpo", "modify": ["wpo", {"ld": {}}]}, "nll"]).name == "dpo(wpo, ld)+nll"


@pytest.mark.parametrize("spec", [["nll", "dpo"], ["dpo", "nll"], ["dpo", "simpo"]], ids=str)
def test_a_sum_reports_the_rewards_of_its_first_comparison(spec: list[str]) -> None:
    rewards = [objective(SCORES, BATCH).metrics["rewards/chosen"] for objective in (build(spec), dpo())]
    assert float(rewards[0]) == float(rewards[1])


def test_modifiers_convert_by_beta() -> None:
    """A price of 0.02 reward a token is 0.02/beta in units of the score, whatever beta is."""
    for beta in (0.05, 0.5):
        text = build({"name": "dpo", "beta": beta, "modify": [{"length": {"alpha": 0.02}}]}).text()
        assert text.endswith("+ 0.02·(|y_w| − |y_l|))")
        text = build({"name": "dpo", "beta": beta, "modify": ["margin"]}).text()
        assert text.endswith(" − margin)")


def test_a_margin_column_is_asked_for() -> None:
    assert "column:margin" in build({"name": "dpo", "modify": ["margin"]}).requires
    assert "column:margin" not in build("dpo").requires


ERRORS: list[tuple[Any, str, str, str]] = [
    # spec, key path, what, remedy
    (None, "objective", "an objective cannot be made of None", "e.g. `objective: dpo`"),
    (0.1, "objective", "an objective cannot be made of 0.1", "e.g. `objective: dpo`"),
    ([], "objective", "the list of objectives is empty", ""),
    ([["dpo"]], "objective[0]", "an objective cannot be made of ['dpo']", "e.g. `objective[0]: dpo`"),
    ({}, "objective.name", "an objective needs a name", "add e.g. `name: dpo`"),
    ({"beta": 0.1}, "objective.name", "an objective needs a name", "add e.g. `name: dpo`"),
    ({"name": 3}, "objective.name", "3 is not the name of an objective", "add e.g. `name: dpo`"),
    ("dop", "objective", "unknown objective 'dop'", "did you mean 'dpo'"),
    (["dpo", "kot"], "objective[1]", "unknown objective 'kot'", "did you mean 'kto'"),
    ([{"name": "dpo"}, {"name": "simp"}], "objective[1].name", "unknown objective 'simp'", "did you mean 'simpo'"),
    ({"name": "dpo", "bta": 1}, "objective.bta", "objective 'dpo' has no key 'bta'", "did you mean 'beta'?"),
    ({"name": "dpo", "wieght": 1}, "objective.wieght", "has no key 'wieght'", "did you mean 'weight'?"),
    ({"name": "dpo", 3: 1}, "objective.3", "objective 'dpo' has no key 3", "remove it"),
    ({"name": "dpo", "ld": 0.5}, "objective.ld", "has no key 'ld'", "'ld' is a modifier: put it under `modify`"),
    (
        {"name": "dpo", "beta": 0},
        "objective.beta",
        "beta = 0 cannot be used: it should be greater than 0",
        "beta=0.1",
    ),
    (
        ["dpo", {"name": "ipo", "tau": -1.0}],
        "objective[1].tau",
        "tau = -1.0 cannot be used",
        "the default is tau=0.1",
    ),
    (
        {"name": "dpo", "beta": "1e-1"},
        "objective.beta",
        "beta = '1e-1' cannot be used",
        "write beta: 0.1 without quotes",
    ),
    ({"name": "dpo", "weight": 0}, "objective.weight", "weight = 0 cannot be used", "remove the entry"),
    ({"name": "dpo", "weight": True}, "objective.weight", "weight = True cannot be used", "a positive number"),
    (
        ["dpo", {"name": "nll", "weight": -1.0}],
        "objective[1].weight",
        "weight = -1.0 cannot be used",
        "remove the entry",
    ),
    (
        {"name": "dpo", "weight": float("nan")},
        "objective.weight",
        "weight = nan cannot be used",
        "remove the entry",
    ),
    (["dpo", "kto"], "objective", "no data layout suits every part of objective 'dpo+kto'", "take the same data"),
    (
        {"name": "dpo", "modify": "ld"},
        "objective.modify",
        "`modify` must be a list, not 'ld'",
        "e.g. `modify: [wpo",
    ),
    ({"name": "dpo", "modify": {"ld": {}}}, "objective.modify", "`modify` must be a list", "e.g. `modify: [wpo"),
    ({"name": "dpo", "modify": ["dl"]}, "objective.modify[0]", "unknown modifier 'dl'", "did you mean 'ld'"),
    ({"name": "dpo", "modify": [7]}, "objective.modify[0]", "a modifier cannot be made of 7", "e.g. `modify: ["),
    (
        {"name": "dpo", "modify": [{"ld": 0.5}]},
        "objective.modify[0]",
        "a modifier cannot be made of",
        "{ld: {alpha: 0.5}}",
    ),
    (
        {"name": "dpo", "modify": [{"name": "ld", "alpha": 0.5}]},
        "objective.modify[0]",
        "a modifier cannot be made of",
        "write `{ld: {alpha: 0.5}}`",
    ),
    (
        {"name": "dpo", "modify": [{"ld": {}, "wpo": {}}]},
        "objective.modify[0]",
        "a modifier cannot be made of",
        "one modifier an entry",
    ),
    (
        {"name": "dpo", "modify": ["wpo", {"ld": {"alpha": 1.0}}]},
        "objective.modify[1].ld.alpha",
        "alpha = 1.0 cannot be used: it should be less than 1",
        "alpha=0.5",
    ),
    (
        {"name": "dpo", "modify": [{"robust": {"flip_rat": 0.1}}]},
        "objective.modify[0].robust.flip_rat",
        "modifier 'robust' has no hyper-parameter 'flip_rat'",
        "'flip_rate'",
    ),
    (
        {"name": "dpo", "modify": [{"divergence": {"name": "reverse-kl"}}]},
        "objective.modify[0].divergence.name",
        "name = 'reverse-kl' cannot be used",
        "jensen-shannon",
    ),
    (
        {"name": "dpo", "modify": [{"divergence": {"name": "forward-kl", "alpha": 0.5}}]},
        "objective.modify[0].divergence",
        "alpha = 0.5 would have no effect",
        'set the divergence to "alpha"',
    ),
    (
        {"name": "f-dpo", "divergence": "forward-kl", "alpha": 0.5},
        "objective",
        "alpha = 0.5 would have no effect",
        'set the divergence to "alpha"',
    ),
    (
        ["dpo", {"name": "kto", "modify": ["ld"]}],
        "objective[1].modify[0]",
        "'kto' cannot be weighted token",
        "drop",
    ),
    (
        {"name": "cdpo", "modify": ["smooth"]},
        "objective.modify[0]",
        "'cdpo' cannot be smoothed",
        "drop the modifier",
    ),
    ({"name": "sft", "modify": ["wpo"]}, "objective.modify[0]", "it compares nothing", ""),
    (
        {"name": "aot", "modify": ["wpo"]},
        "objective.modify[0]",
        "after sorting over the batch",
        "drop the modifier",
    ),
]


@pytest.mark.parametrize(("spec", "where", "what", "fix"), ERRORS, ids=[str(e[0])[:60] for e in ERRORS])
def test_errors_name_the_key_path_and_the_remedy(spec: object, where: str, what: str, fix: str) -> None:
    with pytest.raises(ObjectiveError) as caught:
        build(spec)
    assert caught.value.where == where
    assert what in caught.value.what
    assert fix in (caught.value.fix or "")
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) <= 4


def test_the_path_starts_where_the_recipe_has_it() -> None:
    with pytest.raises(ObjectiveError) as caught:
        build([{"name": "dpo", "beta": -1}], "stages[2].objective")
    assert caught.value.where == "stages[2].objective[0].beta"


_SCALARS = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(-3, 3)
    | st.sampled_from(["dpo", "kto", "nll", "ld", "wpo", "alpha", "beta", "", "1e-3"])
)
_KEYS = (
    st.sampled_from(["name", "weight", "modify", "beta", "alpha", "ld", "robust", "flip_rate", "eps"])
    | st.integers()
)
_SPECS = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=8
)


@settings(max_examples=300, deadline=None)
@given(_SPECS)
def test_whatever_a_recipe_says_is_built_or_refused(spec: object) -> None:
    outcome = _built_or_refused(spec)
    if isinstance(outcome, ObjectiveError):
        assert str(outcome.where).startswith("objective")
        assert outcome.fix or outcome.allowed
    else:
        assert outcome.data
        assert outcome.text()


def _built_or_refused(spec: object) -> Objective | ObjectiveError:
    try:
        return build(spec)
    except ObjectiveError as refusal:
        return refusal
