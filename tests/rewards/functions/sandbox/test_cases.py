"""Programs that behave, and what comes of their tests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.rewards.functions.sandbox.cases import Call, Checks, Dialogue, Result, case, same_value
from truing.rewards.functions.sandbox.limits import Limits

LIMITS = Limits(seconds=20.0)
ADD = "def add(a, b):\n    return a + b\n"

pytestmark = pytest.mark.usefixtures("isolated")


def run(test, program: str, limits: Limits = LIMITS) -> Result:
    return test.run(program, limits, "kernel")


@pytest.mark.parametrize(
    ("program", "test", "status", "why"),
    [
        (ADD, "assert add(1, 2) == 3", "passed", ""),
        (ADD, "assert add(1, 2) == 4, 'no'", "failed", "AssertionError: no"),
        (ADD, "assert sub(1, 2) == 4", "error", "NameError"),
        (ADD + "1 / 0", "assert add(1, 2) == 3", "error", "ZeroDivisionError: division by zero"),
        ("assert False", "pass", "error", "AssertionError"),
        ("def add(", "pass", "error", "SyntaxError"),
        ("import sys; sys.exit(0)", "assert False", "error", "it ended before its tests"),
        ("import os; os._exit(0)", "assert False", "error", "it ended before its tests"),
        ("raise SystemExit", "assert False", "error", "it ended before its tests"),
        ("import numpy", "pass", "error", "ModuleNotFoundError"),
        ("class E(Exception):\n def __str__(self): 1 / 0\nraise E", "pass", "error", "cannot be shown"),
        ("def f(n): return f(n + 1)\nf(0)", "pass", "error", "RecursionError"),
    ],
)
def test_checks(program: str, test: str, status: str, why: str) -> None:
    found = run(Checks(test), program)
    assert found.status == status
    assert why in found.why


def test_calls() -> None:
    program = (
        "def halves(n): return (n / 2, n // 2)\ndef names(): return {'a': [True, None]}\ndef odd(): return {1}"
    )
    assert run(Call("halves(3)", [1.5, 1]), program).status == "passed"
    assert run(Call("halves(3)", [1.5, 2]), program) == Result("failed", "[1.5, 1] and not [1.5, 2]")
    assert run(Call("names()", {"a": [True, None]}), program).status == "passed"
    assert run(Call("odd()", [1]), program) == Result(
        "error", "TypeError: Object of type set is not JSON serializable"
    )


def test_dialogues() -> None:
    program = "a, b = map(int, input().split())\nprint(a + b)\nif __name__ == '__main__': print('done')"
    assert run(Dialogue("1 2\n", "3\ndone"), program).status == "passed"
    assert run(Dialogue("1 3\n", "3\ndone"), program) == Result("failed", "'4\\ndone\\n' and not '3\\ndone'")
    assert run(Dialogue("", "3"), program).why.startswith("EOFError")
    assert run(Dialogue("", "3"), "import sys; print(3); sys.exit()").status == "passed"
    assert run(Dialogue("", "3"), "import sys; print(3); sys.exit(2)") == Result("error", "it ended with status 2")
    assert run(Dialogue("", "é"), "print('é')").status == "passed"


def test_the_standard_library_is_there() -> None:
    """Also what needs libraries of the system, which cannot be found from inside."""
    program = """
import argparse, bisect, collections, copy, csv, dataclasses, datetime, decimal, enum, fractions, functools, hashlib
import heapq, io, itertools, json, logging, math, operator, random, re, statistics, string, struct, textwrap, time
import typing, unicodedata, unittest, uuid, zlib, bz2, lzma, asyncio, traceback, pprint, inspect, array, secrets, cmath
"""
    checks = """
assert hashlib.sha256(b'a').hexdigest().startswith('ca978112')
assert decimal.Decimal('0.1') + decimal.Decimal('0.2') == decimal.Decimal('0.3')
assert zlib.decompress(zlib.compress(b'a')) == b'a'
assert 0 <= random.random() < 1
assert time.time() > 0 and datetime.datetime.now().year > 2000
assert unicodedata.name('a') == 'LATIN SMALL LETTER A'
time.sleep(0.01)
"""
    assert run(Checks(checks), program) == Result("passed")


def test_every_case_starts_anew() -> None:
    program = "import math\nassert not hasattr(math, 'seen')\nmath.seen = 1"
    assert [run(Checks("pass"), program).status for _ in range(2)] == ["passed", "passed"]


def test_test_cases_of_data_sets() -> None:
    assert case("assert True") == Checks("assert True")
    assert case({"call": "f(1)", "expect": [1], "input": None, "output": None}) == Call("f(1)", [1])
    assert case({"call": "f(1)", "expect": None}) == Call("f(1)", None)
    assert case({"input": "1", "output": 2, "call": None}) == Dialogue("1", "2")
    for wrong in ("", 3, {"input": "1"}, {"call": 3}, {"call": "f()", "output": "1"}, None):
        with pytest.raises(ValueError, match=r"is no test case: a text with assert statements, \{call, expect\}"):
            case(wrong)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_values_equal_themselves_and_equality_is_mutual(left, right) -> None:
    assert same_value(left, left)
    assert same_value(left, right) == same_value(right, left)


def test_values_by_hand() -> None:
    assert same_value(0.1 + 0.2, 0.3)
    assert not same_value(0.3001, 0.3)
    assert same_value([1, 2.0], (1.0, 2))
    assert not same_value(True, 1)
    assert not same_value([1], [1, 2])
    assert not same_value({"a": 1}, {"b": 1})
    assert not same_value(10**20, 10**20 + 1)
