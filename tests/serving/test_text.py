"""Text of tokens as they come: however it is split, it is the text of all of them, up to the first stop text."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders
from tokenizers.models import BPE

from truing.policies.loading import load_tokenizer
from truing.prompting.transform import Shown
from truing.serving.asked import TokenLogprob
from truing.serving.stops import Cut, Stopped
from truing.serving.text import Detokeniser, Writer
from truing.serving.tokens import Vocabulary, decoding

# Bytes of é, €, an emoji and ASCII, so that random tokens often make characters, and often do not.
BYTES = [*"é€😀".encode(), *b"ab \n", 0xFF]
TOKENS = [bytes([one]) for one in BYTES] + ["é".encode(), "€".encode()[:2], b"ab", b"a\n", b" b", b""]

tokens = st.lists(st.integers(0, len(TOKENS) - 1), max_size=14)
texts = st.text(alphabet="ab\n ", max_size=14)
stops = st.lists(st.text(alphabet="ab\n", min_size=1, max_size=4), max_size=3)


def as_text(numbers: Sequence[int]) -> str:
    return b"".join(TOKENS[number] for number in numbers).decode("utf-8", "replace")


@given(tokens)
def test_joined_pieces_are_the_text_of_all_tokens(numbers: list[int]) -> None:
    text = Detokeniser(as_text)
    pieces = [text.add(number) for number in numbers]
    assert "".join(pieces) + text.rest() == as_text(numbers)


def test_half_a_character_waits() -> None:
    text = Detokeniser(as_text)
    smile = [BYTES.index(byte) for byte in "😀".encode()]
    assert [text.add(number) for number in smile] == ["", "", "", "😀"]
    assert text.add(smile[0]) == ""
    assert text.waits
    assert text.add(BYTES.index(ord("a"))) == "\N{REPLACEMENT CHARACTER}a"  # it never became one
    assert text.add(smile[0]) == ""
    assert text.rest() == "\N{REPLACEMENT CHARACTER}"


def test_only_the_last_tokens_are_decoded_again() -> None:
    longest = 0

    def decode(numbers: Sequence[int]) -> str:
        nonlocal longest
        longest = max(longest, len(numbers))
        return "x" * len(numbers)

    text = Detokeniser(decode)
    for number in range(1000):
        assert text.add(number) == "x"
    assert longest == 2


def test_a_space_that_is_left_out_at_the_start_is_there_in_the_middle() -> None:
    words = ["▁one", "▁two", "s", "▁", "▁three"]
    tokenizer = Tokenizer(BPE({word: number for number, word in enumerate(words)}, []))
    tokenizer.decoder = decoders.Metaspace()
    text = Detokeniser(tokenizer.decode)
    assert [text.add(number) for number in range(5)] == ["one", " two", "s", " ", " three"]
    assert tokenizer.decode(list(range(5))) == "one twos  three"


@settings(max_examples=60)
@given(st.lists(st.integers(3, 6143), max_size=30))
def test_packaged_tokenizer(numbers: list[int]) -> None:
    """Random tokens of a byte-level tokenizer: many are parts of characters."""
    decode = decoding(TINY)
    text = Detokeniser(decode)
    pieces = [text.add(number) for number in numbers]
    assert "".join(pieces) + text.rest() == TINY.decode(numbers, skip_special_tokens=True)
    assert not any(piece.endswith("\N{REPLACEMENT CHARACTER}") for piece in pieces)


TINY = load_tokenizer("truing/tiny")


def reference(text: str, own: list[str], of_prompt: list[str]) -> str:
    """One character after the other, the whole answer looked at each time."""
    for end in range(len(text) + 1):
        starts = [end - len(stop) for stop in own if text[:end].endswith(stop)]
        # The prompt's stop texts also see a line break in front of the answer.
        starts += [max(0, end - len(stop)) for stop in of_prompt if f"\n{text[:end]}".endswith(stop)]
        if starts:
            found = text[: min(starts)]
            break
    else:
        found = text
    return found.strip() if of_prompt else found


@settings(max_examples=150)
@given(texts, stops, stops, st.data())
def test_every_split_shows_the_same(text: str, own: list[str], of_prompt: list[str], data: st.DataObject) -> None:
    # A stop text of the prompt that is complete before anything is written ends every answer.
    of_prompt = [stop for stop in of_prompt if stop != "\n"]
    cut = Cut(own, of_prompt)
    shown, rest = "", text
    while rest and not cut.stopped:
        size = data.draw(st.integers(1, len(rest)))
        shown += cut.add(rest[:size])
        rest = rest[size:]
        # What was shown is never taken back.
        assert reference(text, own, of_prompt).startswith(shown)
    shown += cut.rest()
    assert shown == reference(text, own, of_prompt)


def test_what_may_begin_a_stop_text_waits() -> None:
    cut = Cut(["END"])
    assert [cut.add(part) for part in ("a E", "N", "E", "ND", "x")] == ["a ", "", "EN", "", ""]
    assert cut.stopped
    assert cut.passed == len("a EN")


def test_stop_texts_of_a_request_leave_space_and_the_first_line_break() -> None:
    """``stop: ["\\n"]`` ends an answer at its first line break, and not before its first letter."""
    assert Stopped.at(Shown.of("q"), ("\n",)).answer(" one \ntwo") == " one "
    shown = Shown.of("q").showing("q", stop=("\n# Query",))
    assert shown.answer("# Query: x") == Stopped.at(shown, ("!",)).answer("# Query: x") == ""
    assert shown.answer(" one \n# Query: x") == Stopped.at(shown, ("!",)).answer(" one \n# Query: x") == "one"
    assert Stopped.at(shown, ("!",)).answer(" one ! \n# Query: x") == "one"


def told(number: int) -> TokenLogprob:
    return TokenLogprob(TOKENS[number].decode("utf-8", "replace"), TOKENS[number], 0.0)


@given(tokens, stops)
def test_tokens_come_with_the_text_that_they_make(numbers: list[int], own: list[str]) -> None:
    """At any time, tokens that were told make the text that was shown; at the end all of it, up to the cut."""
    writer = Writer(as_text, own)
    shown, data = "", b""
    for number in numbers:
        text, pieces = writer.add(number, told(number))
        shown, data = shown + text, data + b"".join(piece.data for piece in pieces)
        if writer.stopped:
            break
        assert shown.startswith(data.decode("utf-8", "replace"))
    if not writer.stopped:
        text, pieces = writer.rest()
        shown, data = shown + text, data + b"".join(piece.data for piece in pieces)
    said = data.decode("utf-8", "replace")
    # The token in which a stop text begins may say more than is shown.
    assert said.startswith(shown)
    assert said == shown or writer.stopped


def test_bytes_of_tokens() -> None:
    vocabulary = Vocabulary(TINY)
    ids = TINY("naïve 😀", add_special_tokens=False)["input_ids"]
    assert b"".join(vocabulary(number)[1] for number in ids).strip() == "naïve 😀".encode()
    assert vocabulary(10**6) == ("", b"")  # more logits than tokens


def test_log_probabilities_are_those_of_the_model() -> None:
    import torch

    logits = torch.zeros(2, 6144)
    logits[0, 500] = 3.0
    first, second = Vocabulary(TINY).told(logits, torch.tensor([500, 7]), [2, 0])
    # e^3 / (e^3 + 6143), and 1/6144 for all in the second row.
    assert first.logprob == pytest.approx(3 - 8.72629, abs=1e-4)
    assert second.logprob == pytest.approx(-8.72323, abs=1e-4)
    assert first.top[0] == (first.token, first.data, pytest.approx(first.logprob))
    assert len(first.top) == 2
    assert second.top == ()
