from __future__ import annotations

import json
import math
import re

import pytest

from truing.errors import TruingError
from truing.evidence import CLAIMS, Claim, Result, above, claim, claims_for, equals, verify
from truing.objectives import METHODS, dpo

KEYS = {
    "method",
    "name",
    "claim",
    "source",
    "predicted",
    "relation",
    "measured",
    "tolerance",
    "interval",
    "unit",
    "passed",
    "seed",
    "seconds",
    "details",
}


@pytest.mark.parametrize("method", [method.name for method in METHODS])
def test_every_objective_has_a_claim(method):
    assert claims_for(method)


# Their prediction depends on the world that the seed draws, or is a word ("half").
NO_NUMBER_IN_THE_STATEMENT = {
    "dpo/idealised-ranking",
    "dpo-norm/pull-per-token",
    "r-dpo/removes-the-length-bonus",
    "wpo/on-policy-answers-weigh-one",
}


@pytest.mark.parametrize("name", [entry.name for entry in CLAIMS])
def test_claim_holds(name):
    (result,) = verify(name)
    assert result.passed, f"predicted {result.predicted_text}, measured {result.measured_text}"
    record = result.as_dict()
    assert set(record) == KEYS
    assert (record["tolerance"] is None) != (record["interval"] is None)
    json.dumps(record, allow_nan=False)
    if result.measurement.relation == "=" and name not in NO_NUMBER_IN_THE_STATEMENT:
        numbers = re.findall(r"(?<![\w.])[-−]?\d+(?:\.\d+)?", result.claim)
        predicted = result.measurement.predicted
        rounded = [n for n in numbers if round(predicted, len(n.partition(".")[2])) == float(n.replace("−", "-"))]
        assert predicted == 0 or rounded, f"{predicted} is not in: {result.claim}"


@pytest.mark.parametrize("entry", list(CLAIMS), ids=lambda entry: entry.name)
def test_statements_are_one_plain_sentence(entry):
    assert entry.statement.endswith(".")
    assert ". " not in entry.statement
    assert entry.source


def test_an_alias_finds_the_claims_of_its_method():
    assert claims_for("robust") == claims_for("rdpo")
    assert {result.method for result in verify("sigmoid-norm", seeds=[])} == set()


def test_claims_of_one_method_do_not_swallow_those_of_another():
    assert {entry.method for entry in claims_for("dpo")} == {"dpo"}


def test_seeds_draw_different_worlds_and_one_seed_the_same():
    first, second = verify("dpo/tilted-optimum", seeds=(0, 1))
    assert (first.seed, second.seed) == (0, 1)
    assert first.measurement.details["target"] != second.measurement.details["target"]
    (again,) = verify("dpo/tilted-optimum", seeds=(1,))
    assert again.measurement == second.measurement


def test_the_factory_stands_in_for_the_method():
    used = []

    def factory(**options):
        used.append(options)
        return dpo(**options)

    (result,) = verify("dpo/tilted-optimum", factory=factory)
    assert result.passed
    assert used == [{"beta": 0.5}]


@pytest.mark.parametrize(
    ("name", "message"),
    [("dpoo", "unknown method 'dpoo'"), ("dpo/no-such", "unknown claim 'dpo/no-such'")],
)
def test_unknown_names_are_refused(name, message):
    with pytest.raises(TruingError, match=message):
        verify(name)


def test_a_factory_for_all_methods_is_refused():
    with pytest.raises(TruingError, match="a factory builds one method"):
        verify("all", factory=dpo)


def test_a_claim_about_an_unknown_method_is_refused():
    with pytest.raises(TruingError, match="unknown method"):
        claim(method="no-such", statement="It holds.", source="none")(lambda make, seed: equals(0, 0, 0, "none"))


def result_of(measurement):
    entry = Claim("dpo/x", "dpo", "It holds.", "none", lambda make, seed: measurement)
    return Result(entry, measurement, 0, 0.1234567)


def test_texts_for_tables():
    number = result_of(equals(2.19722, 2.1971, 1e-3, "nats"))
    assert (number.predicted_text, number.measured_text) == ("2.1972 ± 0.001 nats", "2.1971")
    direction = result_of(above(0.0, [1.0, 2.0, 3.0], "tokens"))
    assert (direction.predicted_text, direction.measured_text) == (
        "> 0 tokens",
        "2 (95 % interval -0.4841 to 4.484)",
    )


def test_numbers_that_are_not_finite_become_null():
    record = result_of(equals(1.0, math.nan, 0.1, "nats", curve=[1.0, math.inf])).as_dict()
    assert record["measured"] is None
    assert record["details"] == {"curve": [1.0, None]}
    assert record["passed"] is False
    assert record["seconds"] == 0.123
