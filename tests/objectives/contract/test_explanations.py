"""What every registered method says about itself."""

from __future__ import annotations

import re

from truing.objectives import METHODS
from truing.objectives.algebra.values import head_width

from .cases import build, every_method
from .worlds import assemble, evaluate, records

# Common notation that needs no legend.
PLAIN = {"log", "max", "e", "Σ", "Σ_", "Σ_k", "k", "i", "below"}
SYMBOL = re.compile(r"[^\W\d²]\w*")


@every_method
def test_every_symbol_is_in_the_legend(name: str) -> None:
    objective = build(name)
    explained = {word for line in objective.legend() for word in SYMBOL.findall(line.partition(": ")[0])}
    for symbol in set(SYMBOL.findall(objective.text())) - PLAIN:
        # An index is explained with its letter: |y_w| by |y|.
        assert {symbol, symbol.split("_")[0]} & explained, symbol


@every_method
def test_the_legend_explains_nothing_that_is_absent(name: str) -> None:
    objective = build(name)
    text = objective.text()
    for line in objective.legend():
        symbol, separator, meaning = line.partition(": ")
        assert separator
        assert meaning
        assert re.findall(r"[^\W\d]|\|", symbol)[0] in text


@every_method
def test_the_formula_is_short_and_balanced(name: str) -> None:
    text = build(name).text()
    assert len(text) <= 120
    assert "--" not in text
    assert "− −" not in text
    assert "+ −" not in text
    for opening, closing in ("()", "[]"):
        assert text.count(opening) == text.count(closing)


@every_method
def test_it_says_where_it_comes_from_and_when_to_use_it(name: str) -> None:
    method = METHODS.get(name)
    assert re.fullmatch(r"\d{4}\.\d{5}", method.paper.arxiv)
    assert 2017 <= method.paper.year <= 2030
    assert method.paper.url.endswith(method.paper.arxiv)
    assert method.slug
    assert method.__doc__
    for sentence in (method.summary, method.use_when, method.avoid_when):
        assert sentence.endswith(".")
        assert 20 <= len(sentence) <= 250


@every_method
def test_it_names_itself(name: str) -> None:
    assert build(name).name == name
    assert METHODS.get(name.upper().replace("-", "_")).name == name


@every_method
def test_every_loss_reports_the_same_core_metrics(name: str) -> None:
    kind = sorted(build(name).data)[0]
    metrics = evaluate(build(name), assemble(kind, records(kind, 4, objective=build(name)))).metrics
    # A reward model has no log-probabilities.
    of_policies = set() if head_width(build(name).requires) else {"logps"}
    # Answers that are read under prompts of their own have no score that compares.
    compared = set() if build(name).reward is None else {"rewards"}
    expected = {
        f"{what}/{side}"
        for what in {"length", "log_ratio"} | compared | of_policies
        for side in ("chosen", "rejected")
    }
    assert expected | {"kl"} <= set(metrics)
    assert ("logps/chosen" in metrics) == bool(of_policies)
    assert ("rewards/chosen" in metrics) == bool(compared)
    assert all(f"count/{key}" in metrics for key in metrics if not key.startswith("count/"))
