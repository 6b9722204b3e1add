"""The whole measurement."""

from __future__ import annotations

import json

import numpy as np
import pytest

from truing.errors import DataError
from truing.unlearning.items import Item
from truing.unlearning.measure import measure, measure_model
from truing.unlearning.metrics.relearning import Attack
from truing.unlearning.metrics.utility import harmonic_mean
from truing.unlearning.sets import How
from truing.unlearning.suite import Suite

QUICK = How(max_new_tokens=4)


def test_a_report_on_two_models(make_policy, tokenizer, suite):
    found = measure(make_policy(0), tokenizer, suite, make_policy(1), how=QUICK, relearning=Attack(steps=1))
    report = found.as_dict()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert set(report["sets"]) == {"forget", "retain", "holdout", "real_authors", "world_facts"}
    metrics = {"probability", "rouge", "truthfulness", "indifference", "extraction_strength"}
    assert all(set(values) == metrics for values in report["sets"].values())
    assert report["sets"]["forget"]["probability"]["n"] == 4
    assert report["forget_quality"]["n_retrained"] == 4
    assert set(report["membership"]) == set(report["privacy_leak"]) == {"loss", "zlib", "min-k"}
    assert report["relearning"]["taught"] == report["retrained"]["relearning"]["taught"] == 1
    # the utility is that of the nine means
    nine = [
        report["sets"][name][metric]["value"]
        for name in ("retain", "real_authors", "world_facts")
        for metric in ("probability", "rouge", "truthfulness")
    ]
    assert report["utility"]["value"] == pytest.approx(harmonic_mean(nine))
    assert report["notes"] == []
    assert found.sentences()[0].startswith("forget quality: p = ")


def test_a_model_beside_itself(make_policy, tokenizer, suite):
    policy = make_policy()
    found = measure(policy, tokenizer, suite, policy, how=How(max_new_tokens=0))
    assert found.forget_quality.p_value == 1.0
    assert all(value.value == 0.0 for value in found.privacy_leak.values())
    assert found.utility == found.utility_retrained
    # without generation six numbers are left, none of them 0 for a random model
    assert found.utility.value > 0
    assert "rouge" not in found.as_dict()["sets"]["retain"]


def test_measured_once_is_measured(make_policy, tokenizer, suite):
    how = How(max_new_tokens=0)
    once = measure_model(make_policy(1), tokenizer, suite, how=how)
    first = measure(make_policy(0), tokenizer, suite, once, how=how)
    second = measure(make_policy(0), tokenizer, suite, make_policy(1), how=how)
    assert first.as_dict() == second.as_dict()
    with pytest.raises(DataError, match="on other questions, or with other settings"):
        measure(make_policy(0), tokenizer, Suite(suite.forget), once, how=how)
    with pytest.raises(DataError, match="on other questions, or with other settings"):
        measure(make_policy(0), tokenizer, suite, once, how=How(max_new_tokens=0, averaging="geometric"))


def test_what_is_missing_is_said(make_policy, tokenizer):
    plain = Suite([Item("Who?", "Nobody."), Item("Where?", "Nowhere.")])
    found = measure(make_policy(), tokenizer, plain, make_policy(1), how=How(max_new_tokens=0))
    assert found.notes == [
        "no forget quality: the forget set has no wrong answers",
        "no utility: there are no questions about what is to be kept",
        "no membership inference: it needs a holdout set that no model was trained on",
    ]
    assert set(found.as_dict()["sets"]["forget"]) == {"probability", "extraction_strength"}
    alone = measure(make_policy(), tokenizer, plain, how=How(max_new_tokens=0))
    assert alone.notes[0].startswith("no forget quality: it compares with a model")


def test_control_questions_are_multiple_choice(make_policy, tokenizer):
    item = Item("Which?", "A.", perturbed_answer=("A.", "A.", "A."))
    found = measure(make_policy(), tokenizer, Suite([item], real_authors=[item]), how=How(max_new_tokens=0))
    # four answers that are the same share the probability
    assert found.model.sets["real_authors"].values["probability"] == pytest.approx([0.25])
    assert found.model.sets["forget"].values["probability"][0] < 0.01


def test_some_without_wrong_answers_are_an_error(make_policy, tokenizer):
    items = [Item("Who?", "Nobody.", perturbed_answer=("Ann.",)), Item("Where?", "Nowhere.")]
    with pytest.raises(DataError, match="1 of 2 questions have no wrong answers") as caught:
        measure(make_policy(), tokenizer, Suite(items), how=QUICK)
    assert caught.value.where == "forget, question 2: 'Where?'"


def test_rows_for_a_file(make_policy, tokenizer, suite):
    measured = measure_model(make_policy(), tokenizer, Suite(suite.forget), how=QUICK).sets["forget"]
    rows = measured.rows()
    assert [row["question"] for row in rows] == [item.question for item in suite.forget]
    assert rows[0]["probability"] == pytest.approx(measured.values["probability"][0], abs=1e-6)
    assert all(isinstance(row["generated"], str) for row in rows)
    assert np.isfinite([row["rouge"] for row in rows]).all()
