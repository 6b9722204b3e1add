"""What replies say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.rewards.judges.reading import ScoreReader, read_verdict

read = ScoreReader(1.0, 10.0)


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ('{"reason": "fine", "score": 7}', 7.0),
        ('```json\n{"score": 7.5}\n```', 7.5),
        ('{"score": "8"}', 8.0),
        ('The answer says {"score": 10}, but {"score": 2}', 2.0),
        ('{"note": {"score": 9}, "score": 3}', 3.0),
        ('{ {"score": 4}', 4.0),
        ('{"score": 1}', 1.0),
        ('{"score": 11}', None),
        ('{"score": 0.9}', None),
        ('{"score": true}', None),
        ('{"score": null}', None),
        ('{"score": NaN}', None),
        ('{"score": "high"}', None),
        ('{"score": 7', None),
        ('{"rating": 7}', None),
        ("7", None),
        ("", None),
        ('{"a":' * 5000, None),
    ],
)
def test_scores(reply: str, score: float | None) -> None:
    assert read(reply) == score


@pytest.mark.parametrize(
    ("reply", "win"),
    [
        ('{"verdict": "A"}', 1.0),
        ('{"verdict": " b "}', 0.0),
        ('{"verdict": "Tie"}', 0.5),
        ('{"verdict": "C"}', None),
        ('{"verdict": 1}', None),
        ("A", None),
    ],
)
def test_verdicts(reply: str, win: float | None) -> None:
    assert read_verdict(reply) == win


@given(st.text(alphabet='{}[]":,scoreverdict0179.eE-AB \\\n', max_size=80))
def test_any_reply_is_read_or_not(reply: str) -> None:
    score = read(reply)
    assert score is None or 1.0 <= score <= 10.0
    assert read_verdict(reply) in (None, 0.0, 0.5, 1.0)


@given(st.text(max_size=40), st.floats(1, 10), st.text(max_size=20).filter(lambda text: "{" not in text))
def test_what_a_judge_writes_is_found(reason: str, score: float, around: str) -> None:
    assert read(f"{around}{json.dumps({'reason': reason, 'score': score})}{around}") == score
