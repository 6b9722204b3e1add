"""Formulas as they are printed, to the letter."""

from __future__ import annotations

import pytest

from truing.objectives import METHODS, dpo, f_dpo, ipo, kto, modifiers, nca, nll, simpo
from truing.objectives.algebra import Objective
from truing.objectives.algebra.formula import Argument, grouped, is_sum, minus, over, scaled, summed, times

DEFAULTS = {
    "dpo": "−log σ(0.1·(r_w − r_l))",
    "ipo": "(r_w/|y_w| − r_l/|y_l| − 5)²",
    "simpo": "−log σ(2·(log π(y_w)/|y_w| − log π(y_l)/|y_l|) − 1)",
    "kto": "[1 − σ(0.1·(r_w − z₀))] + [1 − σ(0.1·(z₀ − r_l))]",
    "apo-down": "σ(0.1·r_w) + [1 − σ(0.1·(r_w − r_l))]",
    "apo-zero": "[1 − σ(0.1·r_w)] + σ(0.1·r_l)",
    "rdpo": "−1.125·log σ(0.1·(r_w − r_l)) + 0.125·log σ(0.1·(r_l − r_w))",
    "cdpo": "−0.9·log σ(0.1·(r_w − r_l)) − 0.1·log σ(0.1·(r_l − r_w))",
    "r-dpo": "−log σ(0.1·(r_w − r_l) + 0.01·(|y_w| − |y_l|))",
    "orpo": "−log π(y_w)/|y_w| − 0.1·log σ(log odds(y_w) − log odds(y_l))",
    "hinge": "max(0, 1 − 0.1·(r_w − r_l))",
    "slic": "max(0, 1 − (log π(y_w) − log π(y_l))) − 0.1·log π(y_w)",
    "exo": "KL(σ(0.1·(r_w − r_l)) ‖ 0.999)",
    "nca": "−log σ(0.1·r_w) − 0.5·log σ(−0.1·r_w) − 0.5·log σ(−0.1·r_l)",
    "bco": "−log σ(0.1·(r_w − δ)) − log σ(0.1·(δ − r_l))",
    "sppo-hard": "(r_w − 500)² + (r_l + 500)²",
    "wpo": "−w(y_w)·w(y_l)·log σ(0.1·(r_w − r_l))",
    "ld-dpo": "−log σ(0.1·(ld(r_w, 0.5) − ld(r_l, 0.5)))",
    "aot-unpaired": "−log σ(0.1·(sort(r_w) − sort(r_l)))",
    "discopop": "−[1 − σ(r_w − r_l)]·log σ(0.05·(r_w − r_l)) + σ(r_w − r_l)·e^(−0.05·(r_w − r_l))",
    "alphapo": "−log σ(2·((1 − p_w^(−0.25))/0.25 − (1 − p_l^(−0.25))/0.25) − 1)",
    "infonca": "−Σ_k softmax_k(reward_k)·log softmax_k(0.1·r_k)",
    "rrhf": "Σ_(i below k) max(0, log π(y_i)/|y_i| − log π(y_k)/|y_k|) − log π(y_w)/|y_w|",
    "sft": "−Σ log π(y_w)/Σ |y_w|",
}


@pytest.mark.parametrize(("name", "text"), DEFAULTS.items(), ids=list(DEFAULTS))
def test_methods_with_their_defaults(name: str, text: str) -> None:
    assert METHODS.get(name).configure({}).text() == text


@pytest.mark.parametrize(
    ("objective", "text"),
    [
        (dpo(1.0), "−log σ(r_w − r_l)"),
        (2 * dpo(), "−2·log σ(0.1·(r_w − r_l))"),
        (dpo() + 0.005 * nll("sum"), "−log σ(0.1·(r_w − r_l)) − 0.005·log π(y_w)"),
        (2 * kto(desirable=3.0), "6·[1 − σ(0.1·(r_w − z₀))] + 2·[1 − σ(0.1·(z₀ − r_l))]"),
        (ipo(0.25, "sum"), "(r_w − r_l − 2)²"),
        (simpo(2.0, 0.0), "−log σ(2·(log π(y_w)/|y_w| − log π(y_l)/|y_l|))"),
        (modifiers.margin(dpo()), "−log σ(0.1·(r_w − r_l) − margin)"),
        (
            modifiers.length(simpo(2.0, 1.0), 0.02),
            "−log σ(2·(log π(y_w)/|y_w| − log π(y_l)/|y_l|) − 1 + 0.02·(|y_w| − |y_l|))",
        ),
        (
            modifiers.robust(modifiers.margin(dpo(), 2.0), 0.25),
            "−1.5·log σ(0.1·(r_w − r_l) − 2·margin) + 0.5·log σ(0.1·(r_l − r_w) + 2·margin)",
        ),
        (f_dpo(divergence="jensen-shannon"), "−log σ(0.1·([log 2 + log σ(r_w)] − [log 2 + log σ(r_l)]))"),
        (f_dpo(divergence="forward-kl"), "−log σ(0.1·((1 − e^(−r_w)) − (1 − e^(−r_l))))"),
        (
            f_dpo(divergence="alpha", alpha=0.25),
            "−log σ(0.1·((1 − e^(−0.75·r_w))/0.75 − (1 − e^(−0.75·r_l))/0.75))",
        ),
        (modifiers.wpo(dpo().robust(0.1)), "w(y_w)·w(y_l)·[−1.125·log σ(0.1·(r_w − r_l)) + "
         "0.125·log σ(0.1·(r_l − r_w))]"),
    ],
)  # fmt: skip
def test_combinations(objective: Objective, text: str) -> None:
    assert objective.text() == text


class TestPrecedence:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [("a", False), ("a − b", True), ("−a", False), ("−a + b", True), ("(a − b)", False), ("f(a + b)·c", False),
         ("|y_w| − |y_l|", True), ("[a − b]·(c + d)", False)],
    )  # fmt: skip
    def test_sums_are_recognised_outside_brackets(self, text: str, expected: bool) -> None:
        assert is_sum(text) is expected

    def test_brackets(self) -> None:
        assert grouped("a·b") == "a·b"
        assert grouped("a − b") == "(a − b)"
        assert grouped("1 − σ(a)") == "[1 − σ(a)]"
        assert over("a − b", "c") == "(a − b)/c"

    def test_factors(self) -> None:
        assert scaled(1.0, "a − b") == "a − b"
        assert scaled(-1.0, "a − b") == "−(a − b)"
        assert scaled(0.5, "−log a") == "−0.5·log a"
        assert scaled(-0.5, "−log a") == "0.5·log a"
        assert scaled(2.0, "1 − σ(a)") == "2·[1 − σ(a)]"
        assert scaled(-2.0, "") == "−2"
        assert times("w", "−a") == "−w·a"
        assert times("w", "a + b") == "w·(a + b)"

    def test_sums_and_differences(self) -> None:
        assert summed(["−a", "b", "−c"]) == "−a + b − c"
        assert summed(["a", "1 − σ(b)"]) == "a + [1 − σ(b)]"
        assert minus("a", "b") == "a − b"
        assert minus("a", "b − c") == "a − (b − c)"

    def test_arguments(self) -> None:
        assert Argument("a", "b").times(2) == "2·(a − b)"
        assert Argument("a", "b", ((0.5, ""), (-0.1, "c"))).times(2) == "2·(a − b) − 1 + 0.2·c"
        assert Argument(None, "b").times(2) == "−2·b"
        assert Argument("a").less(-3.0).times(1) == "a + 3"


def test_a_legend_lists_what_is_used_in_a_fixed_order() -> None:
    assert [line.split(":")[0] for line in dpo().legend()] == ["r_w", "r_l", "σ(x)"]
    assert [line.split(":")[0] for line in kto().legend()] == ["r_w", "r_l", "z₀", "σ(x)"]
    symbols = [line.split(":")[0] for line in (nca() + nll()).legend()]
    assert symbols == ["r_w", "r_l", "y_w", "log π(y)", "|y|", "σ(x)"]
    assert any(line.startswith("margin: the record's own margin") for line in modifiers.margin(dpo()).legend())
