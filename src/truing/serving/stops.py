"""Stop texts in an answer that is still being written: nothing is shown that may turn out to belong to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from truing.prompting.transform import Shown


class Cut:
    """Lets text through up to the first stop text; however a text is split, what comes out is the same.

    The stop text that is complete first ends the answer; of two that end together the longer one.

    Args:
        stops: cut as they are, wherever they stand.
        of_prompt: set by changes of prompts, see :meth:`Shown.answer`: with them space around the answer goes too, and
            the answer begins a line.
    """

    def __init__(self, stops: Sequence[str], of_prompt: Sequence[str] = ()) -> None:
        self._stops = [stop for stop in stops if stop]
        self._lines = [stop for stop in of_prompt if stop]
        self._strips = bool(self._lines)
        # A line break in front of the answer, which only the prompt's stop texts see.
        self._held = "\n" if self._lines else ""
        self._before = len(self._held)
        self._space = ""
        self._shown = False
        self.stopped = False
        self.passed = 0
        """Characters of the text that are known to belong to the answer."""

    def add(self, text: str) -> str:
        """More of the text. Returns what may be shown now."""
        if self.stopped:
            return ""
        text = self._held + text
        found = [
            (place + len(stop), place)
            for stops, first in ((self._stops, self._before), (self._lines, 0))
            for stop in stops
            if (place := text.find(stop, first)) >= 0
        ]
        if found:
            self.stopped = True
            return self._let(text[: min(found)[1]], "")
        held = self._beginning(text)
        return self._let(text[: len(text) - held], text[len(text) - held :])

    def rest(self) -> str:
        """What was held back, when nothing follows."""
        return "" if self.stopped else self._let(self._held, "")

    def _beginning(self, text: str) -> int:
        """Characters at the end with which a stop text may begin."""
        longest = max((len(stop) for stop in (*self._stops, *self._lines)), default=1) - 1
        for length in range(min(longest, len(text)), 0, -1):
            tail = text[-length:]
            sees_all = length <= len(text) - self._before
            if any(stop.startswith(tail) for stop in (*self._lines, *(self._stops if sees_all else ()))):
                return length
        return 0

    def _let(self, text: str, held: str) -> str:
        self._held = held
        if text and self._before:
            text, self._before = text[1:], 0
        self.passed += len(text)
        if not self._strips:
            return text
        text = self._space + text
        if not self._shown:
            text = text.lstrip()
        body = text.rstrip()
        self._space = text[len(body) :]
        self._shown = self._shown or bool(body)
        return body


@dataclass(frozen=True)
class Stopped(Shown):
    """A prompt whose answers also end at texts that a request names.

    Attributes:
        until: these texts.
    """

    until: tuple[str, ...] = ()

    @classmethod
    def at(cls, shown: Shown, until: tuple[str, ...]) -> Stopped:
        """A prompt with texts of a request."""
        return cls(shown.original, shown.prompt, shown.context, shown.stop, shown.verbatim, until)

    def answer(self, completion: str) -> str:
        """An answer without what a model wrote after its end."""
        cut = Cut(self.until, self.stop)
        return cut.add(completion) + cut.rest()
