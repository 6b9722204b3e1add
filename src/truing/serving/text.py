"""From tokens to text while they come: whole characters, up to a stop text, each with the tokens that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from truing.serving.asked import TokenLogprob
from truing.serving.stops import Cut

Decode = Callable[[Sequence[int]], str]
"""From tokens to text; what is no whole character becomes U+FFFD."""

_NO_CHARACTER = "\N{REPLACEMENT CHARACTER}"


class Detokeniser:
    """Text of tokens as they come. All that it gives, joined, is the text of all tokens.

    Only the last tokens are decoded again with each new one, so that work does not grow with the answer. What ends in
    U+FFFD may be the beginning of a character, and waits.

    Args:
        decode: of the tokenizer.
    """

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._window: list[int] = []
        self._read = 0
        self._before = ""
        self.waits = False
        """Whether the last token is not part of the text yet."""

    def add(self, token: int) -> str:
        """One more token. Returns what it adds to the text."""
        self._window.append(token)
        text = self._decode(self._window)
        self.waits = text.endswith(_NO_CHARACTER)
        if self.waits or len(text) <= len(self._before):
            return ""
        found = text[len(self._before) :]
        # Some tokenizers write a token in another way at the start: those read last stay in front of the next.
        self._window = self._window[self._read :]
        self._read = len(self._window)
        self._before = self._decode(self._window)
        return found

    def rest(self) -> str:
        """What waits, when no token follows."""
        found = self._decode(self._window)[len(self._before) :]
        self.waits = False
        return found


@dataclass
class _Waiting:
    """A token whose text is not shown yet: where its text begins and, once that is known, where it ends."""

    told: TokenLogprob
    start: int
    end: int | None


class Writer:
    """The text of one answer, and the log-probabilities of what was shown.

    Args:
        decode: of the tokenizer.
        stops, of_prompt: see :class:`~truing.serving.stops.Cut`.
    """

    def __init__(self, decode: Decode, stops: Sequence[str] = (), of_prompt: Sequence[str] = ()) -> None:
        self._text = Detokeniser(decode)
        self._cut = Cut(stops, of_prompt)
        self._length = 0
        self._waiting: list[_Waiting] = []

    @property
    def stopped(self) -> bool:
        """Whether a stop text has come."""
        return self._cut.stopped

    def add(self, token: int, told: TokenLogprob | None = None) -> tuple[str, tuple[TokenLogprob, ...]]:
        """One more token, which ends no answer. Returns what may be shown now, and tokens of all that was shown."""
        start = self._length
        new = self._text.add(token)
        self._length += len(new)
        if told is not None:
            self._waiting.append(_Waiting(told, start, None))
        if not self._text.waits:
            for one in self._waiting:
                one.end = self._length if one.end is None else one.end
        shown = self._cut.add(new)
        return shown, self._tokens(last=self.stopped)

    def rest(self) -> tuple[str, tuple[TokenLogprob, ...]]:
        """What is shown when nothing follows."""
        shown = self._cut.add(self._text.rest())
        return shown + self._cut.rest(), self._tokens(last=True)

    def _tokens(self, *, last: bool) -> tuple[TokenLogprob, ...]:
        passed = self._cut.passed
        if last:
            found = [one for one in self._waiting if not self.stopped or one.start < passed]
            self._waiting = []
        else:
            ready = 0
            for one in self._waiting:
                if one.end is None or one.end > passed:
                    break
                ready += 1
            found, self._waiting = self._waiting[:ready], self._waiting[ready:]
        return tuple(one.told for one in found)
