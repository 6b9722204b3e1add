"""Format, length, keywords, repetition and lexicons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rewards.functions.making import made, scores
from truing.errors import DataError, ModelError, ObjectiveError
from truing.rewards.functions.length import Overlong
from truing.rewards.functions.lexicon import read_lexicon
from truing.rewards.functions.repetition import distinct_share

MARKS = ["<think>", "</think>", "<answer>", "</answer>"]


def test_sections_in_order_each_once() -> None:
    answers = [
        "<think>a</think>\n<answer>b</answer>",
        "<answer>b</answer><think>a</think>",
        "<think>a</think><answer>b",
        "<think>a<think></think><answer>b</answer>",
        "",
    ]
    assert scores("format", answers, sections=MARKS) == [1.0, 0.0, 0.0, 0.0, 0.0]


def test_a_pattern_matches_the_whole_answer() -> None:
    assert scores("format", [" yes\n", "yes, but", "no"], pattern="yes|no") == [1.0, 0.0, 1.0]
    assert scores("format", ["a\nb"], pattern="a.b") == [1.0]


def test_formats_that_are_none() -> None:
    with pytest.raises(ObjectiveError, match="needs a regular expression or sections, and not both"):
        made("format")
    with pytest.raises(ObjectiveError, match="and not both"):
        made("format", pattern="a", sections=["b"])
    with pytest.raises(ObjectiveError, match=r"(?s)'\(' is no regular expression: missing \)"):
        made("format", pattern="(")
    with pytest.raises(ObjectiveError, match="named twice"):
        made("format", sections=["a", "a"])


def test_overlong_by_hand() -> None:
    """Maximum 20, cache 4: 0 up to 16, −1/4 at 17, −1 at 20 and beyond."""
    rule = Overlong(20, 4)
    assert [rule(n) for n in (0, 16, 17, 18, 20, 21, 99)] == [0.0, 0.0, -0.25, -0.5, -1.0, -1.0, -1.0]
    assert [Overlong(20, 0)(n) for n in (20, 21)] == [0.0, -1.0]


@given(st.integers(1, 500), st.integers(0, 499), st.integers(0, 999))
def test_overlong_falls_and_stays_in_bounds(maximum: int, cache: int, n: int) -> None:
    rule = Overlong(maximum, min(cache, maximum - 1))
    assert -1 <= rule(n + 1) <= rule(n) <= 0


def test_lengths_by_hand() -> None:
    """Target 4: two words are half away, four right, nine more than the whole target away."""
    assert scores("length", ["a b", "a b c d", "a b c d e f g h i"], target=4) == [-0.5, 0.0, -1.0]
    assert scores("length", ["abc", "abcdef"], unit="characters", maximum=4) == [0.0, -1.0]
    assert scores("soft-overlong", ["a b c"], maximum=4, cache=2) == [-0.5]


def test_tokens_are_those_of_the_tokenizer() -> None:
    from truing.policies.loading import load_tokenizer

    text = "Thank you very much indeed."
    count = len(load_tokenizer("truing/tiny")(text, add_special_tokens=False)["input_ids"])
    assert scores("length", [text], unit="tokens", tokenizer="truing/tiny", target=count) == [0.0]
    assert scores("length", [text], unit="tokens", tokenizer="truing/tiny", target=2 * count) == [-0.5]


def test_lengths_that_do_not_go_together() -> None:
    with pytest.raises(ObjectiveError, match="a target or a maximum, and not both"):
        made("length")
    with pytest.raises(ObjectiveError, match="a cache of 5 does not fit"):
        made("length", maximum=5, cache=5)
    with pytest.raises(ObjectiveError, match="give both unit: tokens and tokenizer"):
        made("length", unit="tokens", maximum=5)
    with pytest.raises(ModelError, match="no model folder"):
        made("length", unit="tokens", maximum=5, tokenizer="./nowhere")


def test_keywords_by_hand() -> None:
    answers = ["Please use a map", "please ask", "use maps", "A MAP, please"]
    assert scores("keywords", answers, all_of=["please", "map"]) == [1.0, 0.0, 0.0, 1.0]
    assert scores("keywords", answers, any_of=["ask", "maps"]) == [0.0, 1.0, 1.0, 0.0]
    assert scores("keywords", answers, none_of=["map"]) == [0.0, 1.0, 1.0, 0.0]
    assert scores("keywords", ["as  an\nAI I"], none_of=["as an AI"]) == [0.0]
    assert scores("keywords", ["C++ is", "C"], any_of=["C++"]) == [1.0, 0.0]
    with pytest.raises(ObjectiveError, match="keywords has no words"):
        made("keywords", all_of=[" "])


def test_repetition_by_hand() -> None:
    """Of a b a b a: runs of two are ab, ba, ab, ba: 2 of 4; of three aba, bab, aba: 2 of 3. Two words have none."""
    assert distinct_share("a b a b a", 2) == 0.5
    assert scores("repetition", ["a B A b a", "a b"]) == [pytest.approx(2 / 3), 1.0]


@given(st.lists(st.sampled_from("ab"), max_size=30), st.integers(1, 5))
def test_repetition_is_a_share(words: list[str], ngram: int) -> None:
    text = " ".join(words)
    assert 0 < distinct_share(text, ngram) <= 1
    assert distinct_share(f"{text} {text} {text}", ngram) <= distinct_share(text, ngram)


@pytest.fixture
def lexicon(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("# mood\ngood\t2\nbad\t-1.5\ndon't\t-1\n\n", encoding="utf-8")
    return str(path)


def test_lexicon_by_hand(lexicon: str) -> None:
    """Good, good, bad among 5 words: 2.5; a typographic apostrophe is the plain one."""
    answers = ["Good good, so bad film", "don’t", "nothing", ""]
    assert scores("lexicon", answers, file=lexicon) == [0.5, -1.0, 0.0, 0.0]
    assert scores("lexicon", answers[:1], file=lexicon, per="match") == [pytest.approx(2.5 / 3)]
    assert scores("lexicon", answers[:1], file=lexicon, per="text") == [2.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("good 2\n", r"(?s)no word with a weight.*line 1"),
        ("good\t1\nbad\tinf\n", r"(?s)no word with a weight.*line 2"),
        ("very good\t1\n", "one word, a tab"),
        ("good\t1\nGood\t2\n", "two weights: 1 and 2"),
        ("# nothing\n", "has no words"),
    ],
)
def test_files_that_are_no_lexicon(tmp_path, text: str, message: str) -> None:
    path = tmp_path / "words.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_lexicon(path)


def test_a_lexicon_without_a_file(tmp_path) -> None:
    with pytest.raises(ObjectiveError, match="lexicon has no file"):
        made("lexicon")
    with pytest.raises(DataError, match="cannot be read"):
        made("lexicon", file=str(tmp_path / "none.tsv"))
