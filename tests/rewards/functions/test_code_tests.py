"""Programs in answers as a reward."""

import math

import pytest

from tests.rewards.functions.making import made, scores
from truing.errors import DataError, ObjectiveError, RunError
from truing.rewards.functions.code_tests import CodeTests, code_of
from truing.rewards.functions.sandbox import process
from truing.rewards.functions.sandbox.limits import Limits

ADD = "Here it is:\n```python\ndef add(a, b):\n    return a + b\n```\nIt adds."
TESTS = ["assert add(1, 2) == 3", {"call": "add(2, 2)", "expect": 4}, "assert add(0, 0) == 1"]


@pytest.fixture
def isolated(request: pytest.FixtureRequest) -> None:
    try:
        process.run_program("", Limits(30.0), "kernel")
    except RunError as error:
        pytest.skip(error.what)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("x = 1", "x = 1"),
        ("a\n```\nx = 1\n```\nb", "x = 1\n"),
        ("```python\nx = 1\n```\nthen\n```py\nx = 2\n```\n```\noutput\n```", "x = 2\n"),
        ("```python title='a'\nx = 1\n```", "x = 1\n"),
        ("  ```python\n  x = 1\n  ```", "  x = 1\n"),
        ("```python\nx = 1", "```python\nx = 1"),
        ("", ""),
    ],
)
def test_the_program_in_an_answer(answer: str, code: str) -> None:
    assert code_of(answer) == code


@pytest.mark.usefixtures("isolated")
def test_all_tests_or_a_share_of_them() -> None:
    columns = {"tests": [TESTS, TESTS[:2], TESTS[0], None]}
    answers = [ADD, ADD, "def add(a, b): return a", ADD]
    found = scores("code-tests", answers, columns, seconds=20.0)
    assert found[:3] == [0.0, 1.0, 0.0]
    assert math.isnan(found[3])
    assert scores("code-tests", answers[:1], {"tests": [TESTS]}, share=True, seconds=20.0) == [
        pytest.approx(2 / 3)
    ]


@pytest.mark.usefixtures("isolated")
def test_each_case_is_told() -> None:
    answers = [ADD, "while True: pass", "open('/etc/passwd')", "add = 1"]
    results = CodeTests("tests", Limits(1.5)).results(["p"] * 4, answers, {"tests": [TESTS[:1]] * 4})
    assert [row[0].status for row in results] == ["passed", "timeout", "refused", "error"]


@pytest.mark.usefixtures("isolated")
def test_tests_as_json_and_tests_that_are_none(caplog: pytest.LogCaptureFixture) -> None:
    columns = {"tests": ['[{"input": "1 2", "output": "3"}]', [], [{"colour": 1}]]}
    program = "a, b = map(int, input().split()); print(a + b)"
    found = scores("code-tests", [program] * 3, columns, seconds=20.0)
    assert found[0] == 1.0
    assert [math.isnan(value) for value in found[1:]] == [True, True]
    assert "2 of 3 answers are not rewarded" in caplog.text


@pytest.mark.usefixtures("isolated")
def test_an_answer_that_continues_its_prompt() -> None:
    pipeline = made("code-tests", after_prompt=True, seconds=20.0)
    columns = {"tests": ["assert add(1, 2) == 3"]}
    assert pipeline.judge(["def add(a, b):\n"], ["    return a + b"], columns=columns).reward.tolist() == [1.0]


@pytest.mark.usefixtures("isolated")
def test_settings() -> None:
    with pytest.raises(DataError, match="reads the column 'tests'"):
        made("code-tests").judge(["p"], ["a"])
    with pytest.raises(ObjectiveError, match="64 or more"):
        made("code-tests", memory=1)
    with pytest.raises(ObjectiveError, match="kernel or none"):
        made("code-tests", isolation="some")


def test_a_kernel_that_cannot_isolate_is_an_error_and_not_a_score(monkeypatch, tmp_path) -> None:
    """The child finds no Landlock, says so, and runs nothing."""
    import shutil

    folder = tmp_path / "child"
    shutil.copytree(process._GUARD.parent, folder)
    landlock = folder / "landlock.py"
    text = landlock.read_text(encoding="utf-8")
    landlock.write_text(text.replace("= 444, 445, 446", "= 9444, 9445, 9446"), encoding="utf-8")
    monkeypatch.setattr(process, "_GUARD", folder / "guard.py")
    with pytest.raises(RunError, match=r"(?s)cannot be isolated on this machine: .*Landlock.*isolation: none"):
        made("code-tests")
    # Said to be trusted, a program runs; limits and the hook remain.
    found = made("code-tests", isolation="none", seconds=20.0)
    columns = {"tests": [TESTS[:2], ["pass"]]}
    assert found.judge(["p"] * 2, [ADD, "open('/etc/passwd')"], columns=columns).reward.tolist() == [1.0, 0.0]


def test_without_isolation_time_still_ends() -> None:
    results = CodeTests("tests", Limits(1.0), "none").results(["p"], ["while True: pass"], {"tests": ["pass"]})
    assert [result.status for result in results[0]] == ["timeout"]
